#include "stats/measurement.h"

#include <gtest/gtest.h>

#include <cmath>

#include "stats/golden_data.h"
#include "stats/moments.h"
#include "stats/philox.h"

namespace holdfast::stats {
namespace {

Measurement measured(double value, double low, double high, std::uint64_t rows = 100) {
  return {.name = "accuracy",
          .value = value,
          .interval = {low, high, kConfidence95},
          .sample_size = rows,
          .method = ""};
}

constexpr Requirement kAtLeast80{Bound::kAtLeast, 0.8};
constexpr Requirement kAtMost10{Bound::kAtMost, 0.1};

TEST(Judge, PassesOnlyWithTheWholeInterval) {
  EXPECT_EQ(judge(measured(.9, .8, .95), kAtLeast80).outcome, Outcome::kPasses);
  EXPECT_EQ(judge(measured(.9, .79, .95), kAtLeast80).outcome, Outcome::kCouldNotTell);
  EXPECT_EQ(judge(measured(.05, .01, .1), kAtMost10).outcome, Outcome::kPasses);
  EXPECT_EQ(judge(measured(.05, .01, .11), kAtMost10).outcome, Outcome::kCouldNotTell);
}

TEST(Judge, FallsShortOnlyWithTheWholeInterval) {
  EXPECT_EQ(judge(measured(.7, .6, .79), kAtLeast80).outcome, Outcome::kFellShort);
  EXPECT_EQ(judge(measured(.7, .6, .8), kAtLeast80).outcome, Outcome::kCouldNotTell);
  EXPECT_EQ(judge(measured(.2, .11, .3), kAtMost10).outcome, Outcome::kFellShort);
  EXPECT_EQ(judge(measured(.2, .1, .3), kAtMost10).outcome, Outcome::kCouldNotTell);
}

TEST(Judge, CannotTellFromWhatIsNotKnown) {
  for (const Measurement& nothing :
       {measured(kNan, kNan, kNan), measured(.9, kNan, .95), measured(.7, .6, kNan), measured(.9, .95, .85),
        measured(.9, .85, .95, /*rows=*/0), Measurement{"", .9, unbounded(kConfidence95), 10, ""}}) {
    const Verdict verdict = judge(nothing, kAtLeast80);
    EXPECT_EQ(verdict.outcome, Outcome::kCouldNotTell);
    EXPECT_FALSE(verdict.rows_needed.has_value());
  }
  EXPECT_EQ(judge(measured(.9, .85, .95), {Bound::kAtLeast, kNan}).outcome, Outcome::kCouldNotTell);
}

TEST(Judge, SaysHowManyRowsWouldDo) {
  // h/d = 2 and ((1.95996 + .84162) / 1.95996)^2 = 2.04318: 100 * 4 * 2.04318 rows.
  EXPECT_EQ(judge(measured(.85, .75, .9), kAtLeast80).rows_needed, 818U);
  EXPECT_EQ(judge(measured(.75, .7, .85), kAtLeast80).rows_needed, 818U);
  EXPECT_FALSE(judge(measured(.8, .75, .85), kAtLeast80).rows_needed.has_value())
      << "the figure is on the threshold";
}

TEST(Judge, RowsNeededSettleFourOfFive) {
  // A mean of .5 with deviation 1, required to be at least .4, after 100 rows.
  const Interval before = mean_interval({.mean = .5, .variance = 1, .rows = 100}, kConfidence95);
  const Verdict verdict = judge({"mean", .5, before, 100, ""}, {Bound::kAtLeast, .4});
  ASSERT_TRUE(verdict.rows_needed.has_value());
  const auto rows = static_cast<double>(*verdict.rows_needed);
  PhiloxStream random(1, 0);
  int passed = 0;
  constexpr int kRuns = 2000;
  for (int run = 0; run < kRuns; ++run) {
    const double mean = .5 + random.normal() / std::sqrt(rows);
    const Interval after =
        mean_interval({.mean = mean, .variance = 1, .rows = *verdict.rows_needed}, kConfidence95);
    passed += judge({"mean", mean, after, *verdict.rows_needed, ""}, {Bound::kAtLeast, .4}).outcome ==
              Outcome::kPasses;
  }
  EXPECT_NEAR(static_cast<double>(passed) / kRuns, .8, .03);
}

TEST(MeanInterval, AgreesWithScipy) {
  for (const auto& c : golden("means")) {
    const Interval interval =
        mean_interval({.mean = c["mean"], .variance = c["variance"], .rows = c["rows"]}, kConfidence95);
    EXPECT_NEAR(interval.low, c["low"], 1e-9 * std::abs(interval.low));
    EXPECT_NEAR(interval.high, c["high"], 1e-9 * std::abs(interval.high));
  }
}

TEST(MeanInterval, IsUnboundedBelowTwoRows) {
  EXPECT_TRUE(std::isinf(mean_interval({.mean = 1, .variance = kNan, .rows = 1}, kConfidence95).low));
}

TEST(MeanInterval, CoversTheTruth) {
  PhiloxStream random(2, 0);
  int covered = 0;
  constexpr int kRuns = 2000;
  for (int run = 0; run < kRuns; ++run) {
    Moments moments;
    for (int row = 0; row < 8; ++row) moments.add(random.normal());
    const Interval interval =
        mean_interval({.mean = moments.mean(), .variance = moments.variance(), .rows = 8}, kConfidence95);
    covered += interval.low <= 0 && 0 <= interval.high;
  }
  EXPECT_NEAR(static_cast<double>(covered) / kRuns, .95, .015);
}

TEST(ConfidenceLevel, IsCheckedWhereItComesFromOutside) {
  EXPECT_DOUBLE_EQ(Confidence::create(.9).value().level(), .9);
  for (const double level : {0.0, 1.0, -.5, 95.0, kNan})
    EXPECT_FALSE(Confidence::create(level).has_value()) << level;
}

}  // namespace
}  // namespace holdfast::stats
