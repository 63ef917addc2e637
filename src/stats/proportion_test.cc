#include "stats/proportion.h"

#include <gtest/gtest.h>

#include <cmath>

#include "stats/distribution.h"
#include "stats/golden_data.h"

namespace holdfast::stats {
namespace {

using IntervalOf = Interval (*)(Proportion, Confidence);

void expect_interval(const Interval& interval, const nlohmann::json& ends) {
  EXPECT_NEAR(interval.low, ends[0], 1e-10);
  EXPECT_NEAR(interval.high, ends[1], 1e-10);
}

TEST(Proportion, AgreesWithStatsmodels) {
  for (const auto& c : golden("proportions")) {
    const Proportion proportion{.successes = c["successes"], .trials = c["trials"]};
    const Confidence confidence = Confidence::create(c["confidence"]).value();
    expect_interval(wilson(proportion, confidence), c["wilson"]);
    expect_interval(clopper_pearson(proportion, confidence), c["clopper_pearson"]);
    if (proportion.successes > 0 && proportion.successes < proportion.trials) {
      expect_interval(jeffreys(proportion, confidence), c["jeffreys"]);
    }
  }
}

TEST(Proportion, DifferenceAgreesWithStatsmodels) {
  for (const auto& c : golden("differences")) {
    expect_interval(newcombe_difference({c["first"][0], c["first"][1]}, {c["second"][0], c["second"][1]},
                                        Confidence::create(c["confidence"]).value()),
                    c["newcombe"]);
  }
}

TEST(Proportion, KeepsTheEndsItCanNotExclude) {
  for (const IntervalOf of : {wilson, clopper_pearson, jeffreys}) {
    EXPECT_EQ(of({0, 20}, kConfidence95).low, 0);
    EXPECT_EQ(of({20, 20}, kConfidence95).high, 1);
    EXPECT_GT(of({0, 20}, kConfidence95).high, .05);
    EXPECT_EQ(of({0, 0}, kConfidence95).low, 0);
    EXPECT_EQ(of({0, 0}, kConfidence95).high, 1);
  }
  EXPECT_EQ(newcombe_difference({0, 0}, {3, 5}, kConfidence95).low, -1);
}

// The chance that the interval holds the truth, summed over all outcomes.
double coverage(IntervalOf of, std::uint64_t trials, double truth) {
  double covered = 0;
  for (std::uint64_t x = 0; x <= trials; ++x) {
    const Interval interval = of({x, trials}, kConfidence95);
    if (truth < interval.low || truth > interval.high) continue;
    const auto k = static_cast<double>(x);
    const auto n = static_cast<double>(trials);
    covered +=
        std::exp(k * std::log(truth) + (n - k) * std::log1p(-truth) - log_beta(k + 1, n - k + 1)) / (n + 1);
  }
  return covered;
}

TEST(Proportion, CoversAsPromised) {
  double wilson_sum = 0;
  double jeffreys_sum = 0;
  int grid = 0;
  for (double truth = .005; truth < 1; truth += .01, ++grid) {
    EXPECT_GE(coverage(clopper_pearson, 40, truth), .95) << truth;
    wilson_sum += coverage(wilson, 40, truth);
    jeffreys_sum += coverage(jeffreys, 40, truth);
  }
  EXPECT_NEAR(wilson_sum / grid, .95, .01);
  EXPECT_NEAR(jeffreys_sum / grid, .95, .01);
}

TEST(Proportion, MeasurementCarriesItsSize) {
  const Measurement accuracy = measure_proportion("accuracy", {45, 60}, kConfidence95);
  EXPECT_DOUBLE_EQ(accuracy.value, .75);
  EXPECT_EQ(accuracy.sample_size, 60U);
  EXPECT_TRUE(std::isnan(measure_proportion("accuracy", {0, 0}, kConfidence95).value));
}

}  // namespace
}  // namespace holdfast::stats
