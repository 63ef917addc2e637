#include "stats/roc.h"

#include <gtest/gtest.h>

#include <cmath>

#include "stats/distribution.h"
#include "stats/golden_data.h"
#include "stats/philox.h"

namespace holdfast::stats {
namespace {

TEST(RocAuc, AgreesWithScikitLearnAndAllPairs) {
  const auto& c = golden("binary");
  const auto labels = values_of<std::uint8_t>(c["labels"]);
  const AucComparison comparison = compare_auc(values_of(c["first"]), values_of(c["second"]), labels).value();
  EXPECT_NEAR(comparison.first.value, c["auc"][0], 1e-14);
  EXPECT_NEAR(comparison.second.value, c["auc"][1], 1e-14);
  EXPECT_NEAR(comparison.first.variance, c["covariance"][0][0], 1e-14);
  EXPECT_NEAR(comparison.second.variance, c["covariance"][1][1], 1e-14);
  EXPECT_NEAR(comparison.covariance, c["covariance"][0][1], 1e-14);
  EXPECT_NEAR(comparison.p_value(), c["p_value"], 1e-10);
  EXPECT_NEAR(roc_auc(values_of(c["first"]), labels)->value, c["auc"][0], 1e-14);
}

TEST(RocAuc, TiesCountHalf) {
  EXPECT_DOUBLE_EQ(roc_auc(std::vector<double>{1, 1, 1, 1}, std::vector<std::uint8_t>{0, 1, 0, 1})->value,
                   .5);
  EXPECT_DOUBLE_EQ(roc_auc(std::vector<double>{0, 1, 1}, std::vector<std::uint8_t>{0, 0, 1})->value, .75);
}

TEST(RocAuc, NeverClaimsCertainty) {
  const std::vector<double> scores{1, 2, 3, 4, 5, 6};
  const RocAuc perfect = roc_auc(scores, std::vector<std::uint8_t>{0, 0, 0, 1, 1, 1}).value();
  EXPECT_EQ(perfect.value, 1);
  EXPECT_EQ(auc_interval(perfect, kConfidence95).high, 1);
  EXPECT_LT(auc_interval(perfect, kConfidence95).low, .8);
  const RocAuc worst = roc_auc(scores, std::vector<std::uint8_t>{1, 1, 1, 0, 0, 0}).value();
  EXPECT_EQ(auc_interval(worst, kConfidence95).low, 0);
  EXPECT_NEAR(auc_interval(worst, kConfidence95).high, 1 - auc_interval(perfect, kConfidence95).low, 1e-12);
  const RocAuc single = roc_auc(std::vector<double>{1, 2, 3}, std::vector<std::uint8_t>{0, 1, 0}).value();
  EXPECT_TRUE(std::isnan(single.variance));
  EXPECT_GT(auc_interval(single, kConfidence95).high, auc_interval(single, kConfidence95).low);
}

TEST(RocAuc, IntervalCoversTheTruth) {
  constexpr int kRuns = 1000;
  const double truth = normal_cdf(1 / std::sqrt(2.0));
  PhiloxStream random(11, 0);
  int covered = 0;
  int difference_covered = 0;
  for (int run = 0; run < kRuns; ++run) {
    std::vector<double> scores;
    std::vector<double> others;
    std::vector<std::uint8_t> labels;
    for (int row = 0; row < 80; ++row) {
      labels.push_back(row % 2 == 0 ? 1 : 0);
      const double shared = labels.back() + .6 * random.normal();
      scores.push_back(shared + .8 * random.normal());
      others.push_back(shared + .8 * random.normal());
    }
    const AucComparison comparison = compare_auc(scores, others, labels).value();
    const Interval interval = auc_interval(comparison.first, kConfidence95);
    covered += interval.low <= truth && truth <= interval.high;
    const Interval difference = auc_difference_interval(comparison, kConfidence95);
    difference_covered += difference.low <= 0 && 0 <= difference.high;
  }
  EXPECT_NEAR(static_cast<double>(covered) / kRuns, .95, .02);
  EXPECT_NEAR(static_cast<double>(difference_covered) / kRuns, .95, .02);
}

TEST(RocAuc, ModelsThatRankAlikeDoNotDiffer) {
  const std::vector<double> scores{.1, .4, .35, .8, .7};
  const std::vector<double> scaled{1, 4, 3.5, 8, 7};
  const AucComparison same = compare_auc(scores, scaled, std::vector<std::uint8_t>{0, 0, 1, 1, 0}).value();
  EXPECT_EQ(same.difference(), 0);
  EXPECT_EQ(same.p_value(), 1);
  EXPECT_TRUE(std::isinf(auc_difference_interval(same, kConfidence95).high));
}

TEST(RocAuc, RefusesWhatHasNoArea) {
  const std::vector<double> scores{1, 2};
  EXPECT_FALSE(roc_auc(scores, std::vector<std::uint8_t>{1, 1}).has_value());
  EXPECT_FALSE(roc_auc(scores, std::vector<std::uint8_t>{0, 0}).has_value());
  EXPECT_FALSE(roc_auc({}, {}).has_value());
  EXPECT_FALSE(roc_auc(scores, std::vector<std::uint8_t>{1}).has_value());
  EXPECT_FALSE(roc_auc(scores, std::vector<std::uint8_t>{1, 2}).has_value());
  const auto nan = roc_auc(std::vector<double>{1, kNan}, std::vector<std::uint8_t>{0, 1});
  ASSERT_FALSE(nan.has_value());
  EXPECT_NE(nan.error().message.find("row 1"), std::string::npos);
  EXPECT_TRUE(roc_auc(std::vector<double>{1, kInfinity}, std::vector<std::uint8_t>{0, 1}).has_value());
}

}  // namespace
}  // namespace holdfast::stats
