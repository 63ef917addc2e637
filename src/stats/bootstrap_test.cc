#include "stats/bootstrap.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "stats/classification.h"
#include "stats/golden_data.h"
#include "stats/philox.h"

namespace holdfast::stats {
namespace {

using Cells = std::span<const std::uint64_t>;

double ratio_of_rates(Cells cells) {
  const auto rate = [&](std::size_t no) {
    return static_cast<double>(cells[no + 1]) / static_cast<double>(cells[no] + cells[no + 1]);
  };
  return rate(0) / rate(2);
}

double share_of_second(Cells cells) {
  return static_cast<double>(cells[1]) / static_cast<double>(cells[0] + cells[1]);
}

TEST(Bootstrap, AgreesWithScipyOverRows) {
  const auto& c = golden("ratio_bootstrap");
  const auto cells = values_of<std::uint64_t>(c["cells"]);
  const Bootstrap result = bootstrap(cells, ratio_of_rates, 40'000, 1).value();
  EXPECT_DOUBLE_EQ(result.value, c["value"]);
  EXPECT_EQ(result.rows, 220U);
  EXPECT_NEAR(result.acceleration, c["acceleration"], 1e-12);
  const Interval percentile = percentile_interval(result, kConfidence95);
  EXPECT_NEAR(percentile.low, c["percentile"][0], .005);
  EXPECT_NEAR(percentile.high, c["percentile"][1], .005);
  const Interval bca = bca_interval(result, kConfidence95);
  EXPECT_NEAR(bca.low, c["bca"][0], .005);
  EXPECT_NEAR(bca.high, c["bca"][1], .005);
}

TEST(Bootstrap, ResamplesKeepTheRowsAndFollowTheShares) {
  const std::vector<std::uint64_t> cells{10, 0, 50, 940};
  std::vector<std::uint64_t> drawn(cells.size());
  std::vector<double> sums(cells.size());
  constexpr std::uint64_t kReplicates = 4000;
  for (std::uint64_t r = 0; r < kReplicates; ++r) {
    resample(cells, 3, r, drawn);
    ASSERT_EQ(std::accumulate(drawn.begin(), drawn.end(), std::uint64_t{0}), 1000U);
    for (std::size_t i = 0; i < drawn.size(); ++i) sums[i] += static_cast<double>(drawn[i]);
  }
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const auto mean = static_cast<double>(cells[i]);
    EXPECT_NEAR(sums[i] / kReplicates, mean, 4 * std::sqrt(mean / kReplicates) + 1e-12);
  }
}

TEST(Bootstrap, ReplicatesDependOnTheirNumberAlone) {
  const std::vector<std::uint64_t> cells{30, 40, 50};
  std::vector<std::uint64_t> alone(3);
  std::vector<std::uint64_t> after_others(3);
  resample(cells, 9, 17, alone);
  for (std::uint64_t r = 0; r <= 17; ++r) resample(cells, 9, r, after_others);
  EXPECT_EQ(alone, after_others);
  EXPECT_EQ(bootstrap(cells, share_of_second, 200, 9)->replicates,
            bootstrap(cells, share_of_second, 200, 9)->replicates);
  EXPECT_NE(bootstrap(cells, share_of_second, 200, 9)->replicates,
            bootstrap(cells, share_of_second, 200, 8)->replicates);
}

TEST(Bootstrap, CoversADifferenceOfRates) {
  constexpr int kRuns = 600;
  PhiloxStream random(5, 5);
  int percentile = 0;
  int bca = 0;
  for (int run = 0; run < kRuns; ++run) {
    const std::uint64_t a = random.binomial(120, .3);
    const std::uint64_t b = random.binomial(150, .5);
    const std::vector<std::uint64_t> cells{120 - a, a, 150 - b, b};
    const Bootstrap result =
        bootstrap(
            cells, [](Cells c) { return share_of_second(c) - share_of_second(c.subspan(2)); }, 400,
            static_cast<std::uint64_t>(run))
            .value();
    const auto covers = [](const Interval& interval) { return interval.low <= -.2 && -.2 <= interval.high; };
    percentile += covers(percentile_interval(result, kConfidence95));
    bca += covers(bca_interval(result, kConfidence95));
  }
  EXPECT_NEAR(static_cast<double>(percentile) / kRuns, .95, .025);
  EXPECT_NEAR(static_cast<double>(bca) / kRuns, .95, .025);
}

TEST(Bootstrap, UndefinedReplicatesCouldBeAnything) {
  // The first group has one row: a third of the replicates have none of it.
  const Bootstrap result =
      bootstrap(std::vector<std::uint64_t>{0, 1, 40, 60}, ratio_of_rates, 1000, 1).value();
  EXPECT_NEAR(static_cast<double>(result.undefined), 368, 60);
  EXPECT_TRUE(std::isinf(percentile_interval(result, kConfidence95).low));
  EXPECT_TRUE(std::isinf(percentile_interval(result, kConfidence95).high));
}

TEST(Bootstrap, ReplicatesThatDoNotVarySayNothing) {
  const Bootstrap perfect = bootstrap(std::vector<std::uint64_t>{0, 50}, share_of_second, 100, 1).value();
  EXPECT_EQ(perfect.value, 1);
  EXPECT_TRUE(std::isinf(percentile_interval(perfect, kConfidence95).low));
  EXPECT_TRUE(std::isinf(bca_interval(perfect, kConfidence95).low));
}

TEST(Bootstrap, RefusesWhatItCannotResample) {
  const std::vector<std::uint64_t> cells{1, 2};
  EXPECT_FALSE(bootstrap(cells, share_of_second, kMinReplicates - 1, 1).has_value());
  EXPECT_FALSE(bootstrap(cells, share_of_second, kMaxReplicates + 1, 1).has_value());
  EXPECT_FALSE(bootstrap({}, share_of_second, 100, 1).has_value());
  EXPECT_FALSE(bootstrap(std::vector<std::uint64_t>{0, 0}, share_of_second, 100, 1).has_value());
  EXPECT_FALSE(bootstrap(std::vector<std::uint64_t>{UINT64_MAX, 2}, share_of_second, 100, 1).has_value());
}

TEST(Bootstrap, PairingModelsNarrowsTheirDifference) {
  // Two models that are mostly right and wrong on the same rows.
  JointConfusionTable joint = JointConfusionTable::create(1, 2).value();
  for (int i = 0; i < 80; ++i) joint.add(0, 1, 1, 1);
  for (int i = 0; i < 15; ++i) joint.add(0, 1, 0, 0);
  for (int i = 0; i < 5; ++i) joint.add(0, 1, 0, 1);
  const Bootstrap paired =
      bootstrap(
          joint.cells(),
          [&](Cells cells) {
            return joint.second(cells).group(0).accuracy() - joint.first(cells).group(0).accuracy();
          },
          2000, 1)
          .value();
  EXPECT_NEAR(paired.value, .05, 1e-12);
  const Interval interval = percentile_interval(paired, kConfidence95);
  EXPECT_GT(interval.low, 0);
  EXPECT_LT(interval.high, .11);
}

}  // namespace
}  // namespace holdfast::stats
