#include "audit/tiles.h"

#include <gtest/gtest.h>

#include "audit/record.h"
#include "audit/testing.h"

namespace holdfast::audit {
namespace {

using base::ErrorCode;

base::Digest leaf(std::uint64_t number) { return leaf_hash(base::as_bytes(std::to_string(number))); }

TEST(TilesTest, NamesAreThoseOfTheSpecification) {
  EXPECT_EQ(tile_number(0), "000");
  EXPECT_EQ(tile_number(999), "999");
  EXPECT_EQ(tile_number(1000), "x001/000");
  EXPECT_EQ(tile_number(1234067), "x001/x234/067");
  EXPECT_EQ(tile_number(1'000'000), "x001/x000/000");
  EXPECT_EQ(tile_path(0, 1234067, kTileWidth), "tile/0/x001/x234/067");
  EXPECT_EQ(tile_path(2, 0, 17), "tile/2/000.p/17");
  EXPECT_EQ(entries_path(1234067, 255), "tile/entries/x001/x234/067.p/255");
  EXPECT_EQ(segment_path(1000), "bodies/x001/000");
}

TEST(TilesTest, TheEdgeHasTheRootOfTheTree) {
  TileEdge edge;
  Frontier frontier;
  EXPECT_EQ(edge.root(), empty_root());
  std::size_t full = 0;
  for (std::uint64_t i = 0; i < 66'000; ++i) {
    for (const auto& tile : edge.add(leaf(i))) {
      ++full;
      EXPECT_EQ(tile.index, tile.level == 0 ? i / kTileWidth : 0);
      EXPECT_EQ(tile.hashes.size(), kTileWidth);
    }
    frontier.add(leaf(i));
    if (i < 600 || i % 97 == 0 || i > 65'500) {
      ASSERT_EQ(edge.root(), frontier.root()) << i;
    }
  }
  EXPECT_EQ(edge.size(), 66'000U);
  EXPECT_EQ(full, 257U + 1U);
  EXPECT_EQ(edge.hashes(2).size(), 1U);
}

TEST(TilesTest, EntriesAndHashesOfAnotherLengthAreRefused) {
  base::Bytes tile;
  append_entry(tile, base::Bytes(kEntryBytes, 1));
  append_entry(tile, base::Bytes(kEntryBytes, 2));
  EXPECT_EQ(split_entries(tile, 2)->at(1), base::Bytes(kEntryBytes, 2));
  EXPECT_EQ(code_of(split_entries(tile, 1)), ErrorCode::kDataCorrupt);
  EXPECT_EQ(code_of(split_entries(tile, 3)), ErrorCode::kDataCorrupt);
  tile[1] ^= 1;
  EXPECT_EQ(code_of(split_entries(tile, 2)), ErrorCode::kDataCorrupt);
  EXPECT_EQ(code_of(split_hashes(base::Bytes(63), 2)), ErrorCode::kDataCorrupt);
  EXPECT_EQ(split_hashes(base::Bytes(64), 2)->size(), 2U);
}

TEST(TilesTest, AMissingOrShortTileIsNamed) {
  const TestFolder folder;
  EXPECT_EQ(code_of(read_tile(folder.path(), "tile/0/000", 3, 32)), ErrorCode::kNotFound);
  std::filesystem::create_directories(folder.path() / "tile/0/000.p");
  std::ofstream(folder.path() / "tile/0/000.p/3") << std::string(95, 'x');
  const auto tile = read_tile(folder.path(), "tile/0/000", 3, 32);
  EXPECT_EQ(code_of(tile), ErrorCode::kDataCorrupt);
  EXPECT_NE(tile.error().message.find("tile/0/000.p/3"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::audit
