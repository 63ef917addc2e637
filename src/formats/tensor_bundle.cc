#include "formats/tensor_bundle.h"

#include <fmt/format.h>

#include <array>
#include <bit>

#include "formats/anomaly.h"
#include "formats/protobuf.h"

namespace holdfast::formats {
namespace {

using base::ErrorCode;
using base::fail;
using base::load_le;
using base::Result;

constexpr std::uint64_t kMagic = 0xDB4775248B80FB57ULL;
constexpr std::size_t kFooterBytes = 48;
constexpr std::size_t kTrailerBytes = 5;  // kind of compression and checksum of a block

tl::unexpected<base::Error> broken(std::string_view what) {
  return fail(ErrorCode::kDataCorrupt, fmt::format("no checkpoint index: {}", what));
}

// CRC-32C (RFC 3720, appendix B.4), as LevelDB masks it (util/crc32c.h).
std::uint32_t masked_crc(base::ByteView bytes) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> made{};
    for (std::uint32_t i = 0; i < made.size(); ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? (value >> 1) ^ 0x82F63B78U : value >> 1;
      made[i] = value;
    }
    return made;
  }();
  std::uint32_t crc = ~0U;
  for (const std::uint8_t byte : bytes) crc = (crc >> 8) ^ table[(crc ^ byte) & 0xFFU];
  return std::rotr(~crc, 15) + 0xA282EAD8U;
}

// Numbers and texts one after the other.
class Cursor {
 public:
  explicit Cursor(base::ByteView bytes) : bytes_(bytes) {}
  [[nodiscard]] bool at_end() const { return bytes_.empty(); }

  Result<std::uint64_t> varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !bytes_.empty(); shift += 7) {
      const std::uint8_t byte = bytes_.front();
      bytes_ = bytes_.subspan(1);
      value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      if ((byte & 0x80U) == 0) return value;
    }
    return broken("a number in it does not end");
  }

  Result<base::ByteView> take(std::uint64_t size) {
    if (size > bytes_.size()) return broken("an entry leaves its block");
    const auto taken = bytes_.first(static_cast<std::size_t>(size));
    bytes_ = bytes_.subspan(taken.size());
    return taken;
  }

 private:
  base::ByteView bytes_;
};

struct Handle {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

Result<Handle> read_handle(Cursor& cursor) {
  Handle handle;
  HF_TRY(handle.offset, cursor.varint());
  HF_TRY(handle.size, cursor.varint());
  return handle;
}

// The entries of a block, without its restart points; the whole table is at hand.
Result<base::ByteView> block_at(base::ByteView table, const Handle& handle) {
  if (handle.offset > table.size() || table.size() - handle.offset < kTrailerBytes ||
      handle.size > table.size() - handle.offset - kTrailerBytes) {
    return broken("a block leaves the file");
  }
  const auto whole = table.subspan(static_cast<std::size_t>(handle.offset),
                                   static_cast<std::size_t>(handle.size) + kTrailerBytes);
  const auto contents = whole.first(static_cast<std::size_t>(handle.size));
  if (load_le<std::uint32_t>(whole.last(4)) != masked_crc(whole.first(whole.size() - 4))) {
    return broken("a block does not match its checksum");
  }
  if (whole[contents.size()] != 0) {
    return fail(ErrorCode::kUnsupported, "the checkpoint index is compressed");
  }
  if (contents.size() < 4) return broken("a block is too short");
  const std::uint64_t restarts = load_le<std::uint32_t>(contents.last(4));
  if (restarts > (contents.size() - 4) / 4) return broken("a block has more restart points than room");
  return contents.first(contents.size() - 4 - static_cast<std::size_t>(restarts) * 4);
}

// Calls visit(key, value) for each entry of a block.
template <typename Visit>
Result<> each_entry(base::ByteView entries, Visit visit) {
  Cursor cursor(entries);
  std::string key;
  while (!cursor.at_end()) {
    HF_TRY(const std::uint64_t shared, cursor.varint());
    HF_TRY(const std::uint64_t rest, cursor.varint());
    HF_TRY(const std::uint64_t size, cursor.varint());
    if (shared > key.size()) return broken("a key begins like one that is shorter");
    if (rest > TensorBundle::kMaxNameBytes - shared) {
      return fail(ErrorCode::kLimitExceeded, "a name in the checkpoint index is too long");
    }
    HF_TRY(const auto more, cursor.take(rest));
    key.resize(static_cast<std::size_t>(shared));
    key.append(base::as_text(more));
    HF_TRY(const auto value, cursor.take(size));
    HF_CHECK(visit(key, value));
  }
  return {};
}

Result<std::uint64_t> read_header(base::ByteView bytes) {
  const MemorySource source(bytes);
  WireBuffer buffer(source);
  std::uint64_t shards = 0;
  const auto read =
      each_field(WireReader(buffer), [&](const WireReader&, const WireField& field) -> Result<> {
        if (field.number == 1 && field.type == WireType::kVarint) shards = field.value;
        return {};
      });
  if (!read) return fail(read.error());
  if (shards > TensorBundle::kMaxShards) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("the checkpoint has more than {} shards", TensorBundle::kMaxShards));
  }
  return shards;
}

Result<BundleTensor> read_entry(const std::string& name, base::ByteView bytes) {
  const MemorySource source(bytes);
  WireBuffer buffer(source);
  BundleTensor tensor{.name = name};
  const auto read =
      each_field(WireReader(buffer), [&](const WireReader&, const WireField& field) -> Result<> {
        const bool number = field.type == WireType::kVarint;
        if (field.number == 1 && number) tensor.type = field.value;
        if (field.number == 3 && number) tensor.shard = field.value;
        if (field.number == 4 && number) tensor.offset = field.value;
        if (field.number == 5 && number) tensor.size = field.value;
        if (field.number == 7) tensor.sliced = true;
        return {};
      });
  if (!read) return fail(read.error());
  return tensor;
}

}  // namespace

Result<TensorBundle> read_tensor_bundle(const Source& source) {
  if (source.size() > TensorBundle::kMaxBytes) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("the checkpoint index is larger than {} MiB", TensorBundle::kMaxBytes >> 20));
  }
  if (source.size() < kFooterBytes) return broken("it is too short");
  HF_TRY(const auto table, read_exactly(source, 0, static_cast<std::size_t>(source.size())));
  if (load_le<std::uint64_t>(base::ByteView(table).last(sizeof kMagic)) != kMagic) {
    return broken("it does not end like one");
  }
  Cursor footer(base::ByteView(table).last(kFooterBytes));
  HF_CHECK(read_handle(footer));  // of the block of meta blocks, of which TensorFlow has none
  HF_TRY(const Handle index, read_handle(footer));
  HF_TRY(const auto blocks, block_at(table, index));
  TensorBundle bundle;
  bool has_header = false;
  const auto entry = [&](const std::string& key, base::ByteView value) -> Result<> {
    if (key.empty()) {
      has_header = true;
      HF_TRY(bundle.shards, read_header(value));
      return {};
    }
    HF_TRY(auto tensor, read_entry(key, value));
    if (tensor.shard >= bundle.shards)
      return broken(fmt::format("{} lies in a shard that is none", quote(key)));
    bundle.tensors.push_back(std::move(tensor));
    return {};
  };
  // Blocks follow one another, so that those named do not come to more than the file.
  std::uint64_t end = 0;
  HF_CHECK(each_entry(blocks, [&](const std::string&, base::ByteView value) -> Result<> {
    Cursor cursor(value);
    HF_TRY(const Handle handle, read_handle(cursor));
    if (handle.offset < end) return broken("its blocks overlap");
    HF_TRY(const auto entries, block_at(table, handle));
    end = handle.offset + handle.size;
    return each_entry(entries, entry);
  }));
  if (!has_header) return broken("it does not say how many shards there are");
  return bundle;
}

}  // namespace holdfast::formats
