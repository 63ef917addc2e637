#include "audit/merkle.h"

#include <bit>

#include "base/assert.h"
#include "crypto/sha256.h"

namespace holdfast::audit {
namespace {

using base::Digest;
using base::ErrorCode;
using base::Result;

constexpr std::uint8_t kLeafPrefix = 0;
constexpr std::uint8_t kNodePrefix = 1;

// The root over the leaves [begin, end), where `begin` is where RFC 6962's own recursion would split.
Result<Digest> range_root(const HashSource& hashes, std::uint64_t begin, std::uint64_t end) {
  const std::uint64_t count = end - begin;
  if (std::has_single_bit(count)) {
    const auto level = static_cast<unsigned>(std::countr_zero(count));
    return hashes.subtree(level, begin >> level);
  }
  const std::uint64_t left = std::bit_floor(count);
  HF_TRY(const Digest left_root, range_root(hashes, begin, begin + left));
  HF_TRY(const Digest right_root, range_root(hashes, begin + left, end));
  return node_hash(left_root, right_root);
}

// k of RFC 6962: the largest power of two smaller than `count`, which is over 1.
std::uint64_t split_of(std::uint64_t count) { return std::bit_floor(count - 1); }

tl::unexpected<base::Error> wrong(const char* what) { return base::fail(ErrorCode::kDataCorrupt, what); }

}  // namespace

Digest leaf_hash(base::ByteView entry) {
  crypto::Sha256 hash;
  hash.update({&kLeafPrefix, 1});
  hash.update(entry);
  return hash.finish();
}

Digest node_hash(const Digest& left, const Digest& right) {
  crypto::Sha256 hash;
  hash.update({&kNodePrefix, 1});
  hash.update(left.bytes());
  hash.update(right.bytes());
  return hash.finish();
}

Digest empty_root() { return crypto::sha256({}); }

Result<Digest> tree_root(const HashSource& hashes, std::uint64_t size) {
  return size == 0 ? Result<Digest>(empty_root()) : range_root(hashes, 0, size);
}

Result<std::vector<Digest>> inclusion_proof(const HashSource& hashes, std::uint64_t index,
                                            std::uint64_t size) {
  HF_ASSERT(index < size);
  std::vector<Digest> proof;
  std::uint64_t begin = 0;
  std::uint64_t end = size;
  while (end - begin > 1) {
    const std::uint64_t middle = begin + split_of(end - begin);
    if (index < middle) {
      HF_TRY(proof.emplace_back(), range_root(hashes, middle, end));
      end = middle;
    } else {
      HF_TRY(proof.emplace_back(), range_root(hashes, begin, middle));
      begin = middle;
    }
  }
  return std::vector<Digest>(proof.rbegin(), proof.rend());
}

Result<std::vector<Digest>> consistency_proof(const HashSource& hashes, std::uint64_t old_size,
                                              std::uint64_t new_size) {
  HF_ASSERT(old_size > 0 && old_size <= new_size);
  std::vector<Digest> proof;
  std::uint64_t begin = 0;
  std::uint64_t end = new_size;
  // SUBPROOF of RFC 6962, section 2.1.2, from the root down.
  while (old_size < end) {
    const std::uint64_t middle = begin + split_of(end - begin);
    if (old_size <= middle) {
      HF_TRY(proof.emplace_back(), range_root(hashes, middle, end));
      end = middle;
    } else {
      HF_TRY(proof.emplace_back(), range_root(hashes, begin, middle));
      begin = middle;
    }
  }
  if (begin > 0) {
    HF_TRY(proof.emplace_back(), range_root(hashes, begin, end));
  }
  return std::vector<Digest>(proof.rbegin(), proof.rend());
}

Result<> verify_inclusion(std::uint64_t index, std::uint64_t size, const Digest& leaf,
                          std::span<const Digest> proof, const Digest& root) {
  if (index >= size) return wrong("the proof is for an entry beyond the log's end");
  std::uint64_t node = index;
  std::uint64_t last = size - 1;
  Digest hash = leaf;
  for (const auto& sibling : proof) {
    if (last == 0) return wrong("the inclusion proof is too long");
    if ((node & 1) != 0 || node == last) {
      hash = node_hash(sibling, hash);
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      hash = node_hash(hash, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  if (last != 0) return wrong("the inclusion proof is too short");
  if (hash != root) return wrong("the entry is not in the log with this root");
  return {};
}

Result<> verify_consistency(std::uint64_t old_size, const Digest& old_root, std::uint64_t new_size,
                            const Digest& new_root, std::span<const Digest> proof) {
  if (old_size > new_size) return wrong("the log has become shorter");
  if (old_size == new_size) {
    if (!proof.empty() || old_root != new_root) return wrong("two logs of one size have different roots");
    return {};
  }
  if (old_size == 0) {
    if (!proof.empty() || old_root != empty_root()) return wrong("an empty log needs no proof");
    return {};
  }
  // A power of two is a subtree of its own, whose root the proof leaves out.
  const bool whole = std::has_single_bit(old_size);
  if (proof.empty() && !whole) return wrong("the consistency proof is empty");
  std::size_t next = whole ? 0 : 1;
  std::uint64_t node = old_size - 1;
  std::uint64_t last = new_size - 1;
  while ((node & 1) != 0) {
    node >>= 1;
    last >>= 1;
  }
  Digest old_hash = whole ? old_root : proof[0];
  Digest new_hash = old_hash;
  for (; next < proof.size(); ++next) {
    if (last == 0) return wrong("the consistency proof is too long");
    if ((node & 1) != 0 || node == last) {
      old_hash = node_hash(proof[next], old_hash);
      new_hash = node_hash(proof[next], new_hash);
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      new_hash = node_hash(new_hash, proof[next]);
    }
    node >>= 1;
    last >>= 1;
  }
  if (last != 0) return wrong("the consistency proof is too short");
  if (old_hash != old_root || new_hash != new_root) return wrong("the log was changed, not only added to");
  return {};
}

void Frontier::add(const Digest& leaf) {
  Digest hash = leaf;
  for (std::uint64_t size = size_; (size & 1) != 0; size >>= 1) {
    hash = node_hash(peaks_.back(), hash);
    peaks_.pop_back();
  }
  peaks_.push_back(hash);
  ++size_;
}

Digest Frontier::root() const {
  if (peaks_.empty()) return empty_root();
  Digest hash = peaks_.back();
  for (auto peak = std::next(peaks_.rbegin()); peak != peaks_.rend(); ++peak) hash = node_hash(*peak, hash);
  return hash;
}

}  // namespace holdfast::audit
