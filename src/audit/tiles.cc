#include "audit/tiles.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <optional>
#include <span>
#include <utility>

#include "audit/record.h"
#include "audit/segment.h"
#include "base/assert.h"
#include "base/file.h"

namespace holdfast::audit {
namespace {

using base::Digest;
using base::ErrorCode;
using base::fail;
using base::Result;

constexpr std::uint64_t kGroup = 1000;  // numbers stand in threes of digits
constexpr std::size_t kEntryUnit = sizeof(std::uint16_t) + kEntryBytes;
constexpr std::size_t kMaxUnitBytes = 1024;

// The root over hashes of one height, as many as a power of two.
Digest perfect_root(std::span<const Digest> hashes) {
  HF_ASSERT(!hashes.empty() && std::has_single_bit(hashes.size()));
  std::vector<Digest> row(hashes.begin(), hashes.end());
  while (row.size() > 1) {
    for (std::size_t i = 0; i < row.size() / 2; ++i) row[i] = node_hash(row[2 * i], row[2 * i + 1]);
    row.resize(row.size() / 2);
  }
  return row.front();
}

std::string with_width(std::string name, std::uint64_t width) {
  HF_ASSERT(width >= 1 && width <= kTileWidth);
  if (width < kTileWidth) name += fmt::format(".p/{}", width);
  return name;
}

}  // namespace

std::string tile_number(std::uint64_t index) {
  std::string text = fmt::format("{:03}", index % kGroup);
  for (index /= kGroup; index > 0; index /= kGroup) text = fmt::format("x{:03}/{}", index % kGroup, text);
  return text;
}

std::string tile_path(unsigned level, std::uint64_t index, std::uint64_t width) {
  return with_width(fmt::format("tile/{}/{}", level, tile_number(index)), width);
}

std::string entries_path(std::uint64_t index, std::uint64_t width) {
  return with_width("tile/entries/" + tile_number(index), width);
}

std::string segment_path(std::uint64_t index) { return "bodies/" + tile_number(index); }

void append_entry(base::Bytes& tile, base::ByteView entry) {
  base::append_be(tile, static_cast<std::uint16_t>(entry.size()));
  base::append(tile, entry);
}

Result<std::vector<base::Bytes>> split_entries(base::ByteView tile, std::uint64_t width) {
  if (tile.size() != width * kEntryUnit) {
    return fail(ErrorCode::kDataCorrupt, fmt::format("the tile does not hold {} entries", width));
  }
  std::vector<base::Bytes> entries;
  for (; !tile.empty(); tile = tile.subspan(kEntryUnit)) {
    if (base::load_be<std::uint16_t>(tile) != kEntryBytes) {
      return fail(
          ErrorCode::kDataCorrupt,
          fmt::format("entry {} of the tile has another length than {} bytes", entries.size(), kEntryBytes));
    }
    const auto entry = tile.subspan(sizeof(std::uint16_t), kEntryBytes);
    entries.emplace_back(entry.begin(), entry.end());
  }
  return entries;
}

Result<std::vector<Digest>> split_hashes(base::ByteView tile, std::uint64_t width) {
  if (tile.size() != width * Digest::kSize) {
    return fail(ErrorCode::kDataCorrupt, fmt::format("the tile does not hold {} hashes", width));
  }
  std::vector<Digest> hashes;
  for (; !tile.empty(); tile = tile.subspan(Digest::kSize)) {
    HF_TRY(hashes.emplace_back(), Digest::from_bytes(tile.first(Digest::kSize)));
  }
  return hashes;
}

Digest tile_root(const std::vector<Digest>& hashes) {
  HF_ASSERT(hashes.size() == kTileWidth);
  return perfect_root(hashes);
}

Result<base::Bytes> read_tile(const std::filesystem::path& folder, const std::string& full,
                              std::uint64_t width, std::size_t unit_bytes) {
  HF_ASSERT(width >= 1 && width <= kTileWidth && unit_bytes <= kMaxUnitBytes);
  const auto read = [&](const std::string& name, std::uint64_t units) -> Result<base::Bytes> {
    HF_TRY(auto bytes, base::read_file(folder / name, kTileWidth * kMaxUnitBytes));
    if (bytes.size() == units * unit_bytes) return bytes;
    return fail(ErrorCode::kDataCorrupt,
                fmt::format("{} holds {} bytes, not {}", name, bytes.size(), units * unit_bytes));
  };
  auto bytes = read(full, kTileWidth);
  if (!bytes && bytes.error().code == ErrorCode::kNotFound && width < kTileWidth) {
    bytes = read(with_width(full, width), width);
    // Filled meanwhile, by the process that writes.
    if (!bytes && bytes.error().code == ErrorCode::kNotFound) bytes = read(full, kTileWidth);
  }
  if (bytes) bytes->resize(width * unit_bytes);
  return bytes;
}

Result<TileEdge> TileEdge::load(const std::filesystem::path& folder, std::uint64_t size) {
  HF_ASSERT(size % kTileWidth == 0);
  TileEdge edge;
  edge.size_ = size;
  for (unsigned level = 1; level < kTileLevels; ++level) {
    const std::uint64_t count = size >> (kTileHeight * level);
    for (std::uint64_t index = count - count % kTileWidth; index < count; ++index) {
      const auto name = tile_path(level - 1, index, kTileWidth);
      HF_TRY(const auto tile, read_tile(folder, name, kTileWidth, Digest::kSize));
      HF_TRY(const auto hashes, split_hashes(tile, kTileWidth));
      edge.edge_.at(level).push_back(tile_root(hashes));
    }
  }
  return edge;
}

std::vector<TileEdge::FullTile> TileEdge::add(const Digest& leaf) {
  std::vector<FullTile> full;
  Digest hash = leaf;
  for (unsigned level = 0; level < kTileLevels; ++level) {
    auto& row = edge_.at(level);
    row.push_back(hash);
    if (row.size() < kTileWidth) break;
    hash = tile_root(row);
    full.push_back(
        {.level = level, .index = size_ >> (kTileHeight * (level + 1)), .hashes = std::exchange(row, {})});
  }
  ++size_;
  return full;
}

Digest TileEdge::root() const {
  // The perfect subtrees from the right to the left, each joined with all that lies to its right.
  std::optional<Digest> right;
  for (const auto& row : edge_) {
    std::span<const Digest> rest(row);
    while (!rest.empty()) {
      const std::size_t width = rest.size() & (~rest.size() + 1);  // the lowest bit
      const Digest peak = perfect_root(rest.last(width));
      right = right ? node_hash(peak, *right) : peak;
      rest = rest.first(rest.size() - width);
    }
  }
  return right.value_or(empty_root());
}

Result<Digest> TileHashes::subtree(unsigned level, std::uint64_t index) const {
  const unsigned tile_level = level / kTileHeight;
  const unsigned height = level % kTileHeight;
  const std::uint64_t first = index << height;
  const std::uint64_t tile = first / kTileWidth;
  const std::uint64_t count = size_ >> (kTileHeight * tile_level);
  HF_ASSERT(first + (1ULL << height) <= count);
  const std::uint64_t width = std::min(kTileWidth, count - tile * kTileWidth);
  const auto name = tile_path(tile_level, tile, kTileWidth);
  HF_TRY(const auto bytes, read_tile(folder_, name, width, Digest::kSize));
  HF_TRY(const auto hashes, split_hashes(bytes, width));
  return perfect_root(std::span(hashes).subspan(first % kTileWidth, 1ULL << height));
}

}  // namespace holdfast::audit
