#include "stats/sequential.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "stats/golden_data.h"
#include "stats/philox.h"

namespace holdfast::stats {
namespace {

TEST(CanaryErrorTest, EvidenceAgreesWithQuadrature) {
  for (const auto& c : golden("sequential")) {
    CanaryErrorTest test = CanaryErrorTest::create(c["share"], .01).value();
    const std::uint64_t others = c["errors"].get<std::uint64_t>() - c["canary"].get<std::uint64_t>();
    for (std::uint64_t i = 0; i < others; ++i)
      test.record(false);  // first, so that the evidence peaks at the end
    for (std::uint64_t i = 0; i < c["canary"]; ++i) test.record(true);
    const double expected = std::max(0.0, c["log_evidence"].get<double>());
    EXPECT_NEAR(-std::log(test.p_value()), expected, 1e-9) << c;
    EXPECT_EQ(test.rejected(), expected >= std::log(100));
    EXPECT_EQ(test.errors(), c["errors"]);
    EXPECT_EQ(test.canary_errors(), c["canary"]);
  }
}

// Total requests until the canary is rejected, one tenth of which it gets; 0 where it is not within `most`.
double requests_until_rejected(PhiloxStream& random, double rate, double canary_rate, double most) {
  constexpr double kShare = .1;
  const double error_rate = (1 - kShare) * rate + kShare * canary_rate;
  CanaryErrorTest test = CanaryErrorTest::create(kShare, .01).value();
  for (double requests = 0; requests < most;) {
    requests += std::floor(std::log1p(-random.uniform()) / std::log1p(-error_rate)) + 1;
    test.record(random.uniform() < kShare * canary_rate / error_rate);
    if (test.rejected()) return requests;
  }
  return 0;
}

double median_requests(double rate, double canary_rate) {
  PhiloxStream random(31, 0);
  std::vector<double> runs(400);
  for (double& run : runs) run = requests_until_rejected(random, rate, canary_rate, 1e7);
  std::nth_element(runs.begin(), runs.begin() + 200, runs.end());
  return runs[200];
}

TEST(CanaryErrorTest, NeedsAsManyRequestsAsDesigned) {
  EXPECT_NEAR(median_requests(.01, .02), 17'250, 2'500);
  EXPECT_NEAR(median_requests(.01, .05), 1'600, 250);
  EXPECT_NEAR(median_requests(.01, .20), 170, 40);
  EXPECT_NEAR(median_requests(.001, .01), 4'600, 700);
}

TEST(CanaryErrorTest, RarelyAlarmsWithoutCause) {
  PhiloxStream random(32, 0);
  int alarms = 0;
  for (int run = 0; run < 200; ++run) alarms += requests_until_rejected(random, .01, .01, 50'000) > 0;
  EXPECT_LE(alarms, 4);  // at most 1% of them, at all looks together
}

TEST(CanaryErrorTest, ABetterCanaryIsNeverRejected) {
  PhiloxStream random(33, 0);
  for (int run = 0; run < 50; ++run) EXPECT_EQ(requests_until_rejected(random, .02, .005, 20'000), 0);
}

TEST(CanaryErrorTest, StaysRejected) {
  CanaryErrorTest test = CanaryErrorTest::create(.1, .01).value();
  for (int i = 0; i < 5; ++i) test.record(true);
  ASSERT_TRUE(test.rejected());
  for (int i = 0; i < 1000; ++i) test.record(false);
  EXPECT_TRUE(test.rejected());
}

TEST(CanaryErrorTest, IsCheckedAtItsMaking) {
  EXPECT_FALSE(CanaryErrorTest::create(0, .01).has_value());
  EXPECT_FALSE(CanaryErrorTest::create(1, .01).has_value());
  EXPECT_FALSE(CanaryErrorTest::create(.1, 0).has_value());
  EXPECT_FALSE(CanaryErrorTest::create(.1, kNan).has_value());
}

TEST(MixtureRatio, ByItsFormula) {
  // V = 2, n = 10, d = .8, tau^2 = .5: sqrt(2/7) exp(100 * .5 * .64 / (2 * 2 * 7)).
  EXPECT_NEAR(log_mixture_ratio({.rows = 10, .mean = .8, .variance = 2, .mixture_variance = .5}),
              std::log(2.0 / 7) / 2 + 32.0 / 28, 1e-12);
  EXPECT_EQ(log_mixture_ratio({.rows = 0, .mean = 0, .variance = 2, .mixture_variance = .5}), 0);
}

TEST(MixtureRatio, ConfidenceSequenceIsItsInverse) {
  const MeanDifference difference{.rows = 50, .mean = 1.3, .variance = 4, .mixture_variance = .1};
  const Interval interval = confidence_sequence(difference, kConfidence95);
  for (const double end : {interval.low, interval.high}) {
    MeanDifference from_end = difference;
    from_end.mean -= end;
    EXPECT_NEAR(log_mixture_ratio(from_end), std::log(20), 1e-12);
  }
  EXPECT_TRUE(std::isinf(confidence_sequence({0, 0, 4, .1}, kConfidence95).low));
}

TEST(MixtureRatio, CoversAtEveryLookAtOnce) {
  PhiloxStream random(34, 0);
  int left = 0;
  constexpr int kRuns = 400;
  for (int run = 0; run < kRuns; ++run) {
    double sum = 0;
    bool covered = true;
    for (std::uint64_t n = 1; n <= 500 && covered; ++n) {
      sum += random.normal();
      const Interval interval = confidence_sequence(
          {.rows = n, .mean = sum / static_cast<double>(n), .variance = 1, .mixture_variance = .05},
          kConfidence95);
      covered = interval.low <= 0 && 0 <= interval.high;
    }
    left += covered ? 0 : 1;
  }
  EXPECT_LE(static_cast<double>(left) / kRuns, .05);
}

}  // namespace
}  // namespace holdfast::stats
