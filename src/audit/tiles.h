#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "audit/merkle.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "base/result.h"

// The Merkle tree as files (C2SP tlog-tiles.md): tile/<L>/<N> holds the 256 hashes at height 8 L from
// 256 N on, tile/entries/<N> the entries themselves; a tile that is not full yet has ".p/<W>" behind its
// name.

namespace holdfast::audit {

inline constexpr unsigned kTileHeight = 8;
inline constexpr std::uint64_t kTileWidth = 1ULL << kTileHeight;
inline constexpr unsigned kTileLevels = 7;  // 2^56 records

// N in threes of digits: 1234067 is "x001/x234/067".
std::string tile_number(std::uint64_t index);
// `width` 1 to kTileWidth, which is a full tile.
std::string tile_path(unsigned level, std::uint64_t index, std::uint64_t width);
std::string entries_path(std::uint64_t index, std::uint64_t width);
std::string segment_path(std::uint64_t index);  // bodies/<N>

// Entries of kEntryBytes, each behind its length in two bytes, big-endian.
void append_entry(base::Bytes& tile, base::ByteView entry);
// kDataCorrupt unless it is exactly `width` such entries.
base::Result<std::vector<base::Bytes>> split_entries(base::ByteView tile, std::uint64_t width);
// kDataCorrupt unless it is exactly `width` hashes.
base::Result<std::vector<base::Digest>> split_hashes(base::ByteView tile, std::uint64_t width);
// Of a full tile.
base::Digest tile_root(const std::vector<base::Digest>& hashes);

// The right edge of the tree in memory: of each level the hashes of its last tile, which is not full.
class TileEdge {
 public:
  // From the full tiles in `folder`, for a tree whose size is a multiple of kTileWidth.
  static base::Result<TileEdge> load(const std::filesystem::path& folder, std::uint64_t size);

  struct FullTile {
    unsigned level;
    std::uint64_t index;
    std::vector<base::Digest> hashes;
  };
  // Gives the tiles that this leaf fills, the lowest first.
  std::vector<FullTile> add(const base::Digest& leaf);
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] const std::vector<base::Digest>& hashes(unsigned level) const { return edge_.at(level); }
  [[nodiscard]] base::Digest root() const;

 private:
  std::uint64_t size_ = 0;
  std::array<std::vector<base::Digest>, kTileLevels> edge_;
};

// The tiles of a log of that size, as a source for the proofs of merkle.h.
class TileHashes final : public HashSource {
 public:
  TileHashes(std::filesystem::path folder, std::uint64_t size) : folder_(std::move(folder)), size_(size) {}
  base::Result<base::Digest> subtree(unsigned level, std::uint64_t index) const override;

 private:
  std::filesystem::path folder_;
  std::uint64_t size_;
};

// A tile's bytes: those of the full one where it is there, cut to `width` units of `unit_bytes`, else of the
// partial one. kNotFound, kDataCorrupt for another length; both name the file.
base::Result<base::Bytes> read_tile(const std::filesystem::path& folder, const std::string& full,
                                    std::uint64_t width, std::size_t unit_bytes);

}  // namespace holdfast::audit
