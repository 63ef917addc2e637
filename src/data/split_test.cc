#include "data/split.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace holdfast::data {
namespace {

base::Digest digest_of(char digit) { return base::Digest::from_hex(std::string(64, digit)).value(); }

TEST(Split, IsFixedForEver) {
  // From Python: hmac.new(bytes.fromhex('a' * 32 + 'b' * 32), b'holdfast split v1' + row.to_bytes(8,
  // 'little'), 'sha256').
  const base::Digest dataset = base::Digest::from_hex(std::string(32, 'a') + std::string(32, 'b')).value();
  const Split split = Split::create(dataset, {.train_of_10000 = 5000, .validation_of_10000 = 2500}).value();
  std::string parts;
  for (std::uint64_t row = 0; row < 24; ++row) parts.push_back(to_string(split.part_of(row))[1]);
  parts.push_back(to_string(split.part_of(UINT64_MAX))[1]);
  EXPECT_EQ(parts, "aeeaarrrraeareerrrarrrrra");
}

TEST(Split, KeepsTheFractions) {
  const Split split = Split::create(digest_of('1'), {}).value();
  std::array<double, 3> rows{};
  for (std::uint64_t row = 0; row < 20'000; ++row) ++rows[static_cast<std::size_t>(split.part_of(row))];
  EXPECT_NEAR(rows[0] / 20'000, .7, .015);
  EXPECT_NEAR(rows[1] / 20'000, .15, .012);
  EXPECT_NEAR(rows[2] / 20'000, .15, .012);
}

TEST(Split, DiffersBetweenDatasets) {
  const Split one = Split::create(digest_of('1'), {.train_of_10000 = 5000, .validation_of_10000 = 0}).value();
  const Split two = Split::create(digest_of('2'), {.train_of_10000 = 5000, .validation_of_10000 = 0}).value();
  int same = 0;
  for (std::uint64_t row = 0; row < 4000; ++row) same += one.part_of(row) == two.part_of(row);
  EXPECT_NEAR(same, 2000, 150);
}

TEST(Split, GrowingATrainingPartKeepsItsRows) {
  const Split small =
      Split::create(digest_of('3'), {.train_of_10000 = 3000, .validation_of_10000 = 0}).value();
  const Split large =
      Split::create(digest_of('3'), {.train_of_10000 = 6000, .validation_of_10000 = 0}).value();
  for (std::uint64_t row = 0; row < 2000; ++row) {
    EXPECT_TRUE(small.part_of(row) != Part::kTrain || large.part_of(row) == Part::kTrain);
  }
}

TEST(Split, AtItsEdges) {
  const Split all =
      Split::create(digest_of('4'), {.train_of_10000 = 10'000, .validation_of_10000 = 0}).value();
  const Split none = Split::create(digest_of('4'), {.train_of_10000 = 0, .validation_of_10000 = 0}).value();
  for (std::uint64_t row = 0; row < 200; ++row) {
    EXPECT_EQ(all.part_of(row), Part::kTrain);
    EXPECT_EQ(none.part_of(row), Part::kTest);
  }
  EXPECT_FALSE(
      Split::create(digest_of('4'), {.train_of_10000 = 9000, .validation_of_10000 = 1001}).has_value());
  EXPECT_FALSE(
      Split::create(digest_of('4'), {.train_of_10000 = UINT32_MAX, .validation_of_10000 = 5}).has_value());
}

}  // namespace
}  // namespace holdfast::data
