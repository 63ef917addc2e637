#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/digest.h"
#include "base/result.h"

// The Merkle tree of RFC 6962 (section 2.1) and its proofs (RFC 9162, sections 2.1.3 and 2.1.4). Pure.

namespace holdfast::audit {

base::Digest leaf_hash(base::ByteView entry);                                 // SHA-256(00 || entry)
base::Digest node_hash(const base::Digest& left, const base::Digest& right);  // SHA-256(01 || left || right)
base::Digest empty_root();                                                    // SHA-256()

// Hashes of perfect subtrees, wherever they are kept.
class HashSource {
 public:
  virtual ~HashSource() = default;
  // Of the 2^level leaves from index * 2^level on, which lie within the tree.
  virtual base::Result<base::Digest> subtree(unsigned level, std::uint64_t index) const = 0;
};

// The root over the first `size` leaves.
base::Result<base::Digest> tree_root(const HashSource& hashes, std::uint64_t size);
// That leaf `index` is among the first `size` ones: the audit path, from the leaf up. `index` < `size`.
base::Result<std::vector<base::Digest>> inclusion_proof(const HashSource& hashes, std::uint64_t index,
                                                        std::uint64_t size);
// That the first `old_size` leaves are the beginning of the first `new_size` ones. 0 < `old_size` <=
// `new_size`.
base::Result<std::vector<base::Digest>> consistency_proof(const HashSource& hashes, std::uint64_t old_size,
                                                          std::uint64_t new_size);

// kDataCorrupt where the proof does not show it.
base::Result<> verify_inclusion(std::uint64_t index, std::uint64_t size, const base::Digest& leaf,
                                std::span<const base::Digest> proof, const base::Digest& root);
base::Result<> verify_consistency(std::uint64_t old_size, const base::Digest& old_root,
                                  std::uint64_t new_size, const base::Digest& new_root,
                                  std::span<const base::Digest> proof);

// The root of a tree that grows leaf by leaf, in logarithmic memory.
class Frontier {
 public:
  void add(const base::Digest& leaf);
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] base::Digest root() const;

 private:
  std::uint64_t size_ = 0;
  std::vector<base::Digest> peaks_;  // of the perfect subtrees, one for each bit of size_, the largest first
};

}  // namespace holdfast::audit
