#include "stats/classification.h"

#include <gtest/gtest.h>

#include <cmath>

#include "stats/golden_data.h"

namespace holdfast::stats {
namespace {

ConfusionTable table_of(const std::vector<std::size_t>& labels, const std::vector<std::size_t>& predicted,
                        std::size_t classes) {
  ConfusionTable table = ConfusionTable::create(1, classes).value();
  for (std::size_t i = 0; i < labels.size(); ++i) table.add(0, labels[i], predicted[i]);
  return table;
}

TEST(Confusion, AgreesWithScikitLearn) {
  const auto& c = golden("binary");
  const ConfusionTable table = table_of(c["labels"], c["predicted"], 2);
  const BinaryCounts counts = table.group(0).one_vs_rest(1);
  EXPECT_EQ((std::vector<std::uint64_t>{counts.true_negative, counts.false_positive, counts.false_negative,
                                        counts.true_positive}),
            values_of<std::uint64_t>(c["confusion"]));
  EXPECT_DOUBLE_EQ(counts.accuracy(), c["accuracy"]);
  EXPECT_DOUBLE_EQ(table.group(0).accuracy(), c["accuracy"]);
  EXPECT_DOUBLE_EQ(counts.balanced_accuracy(), c["balanced_accuracy"]);
  EXPECT_DOUBLE_EQ(table.group(0).balanced_accuracy(), c["balanced_accuracy"]);
  EXPECT_DOUBLE_EQ(counts.precision(), c["precision"]);

  const auto& many = golden("multiclass");
  EXPECT_DOUBLE_EQ(table_of(many["labels"], many["predicted"], 3).group(0).balanced_accuracy(),
                   many["balanced_accuracy"]);
}

TEST(Confusion, RatesByDefinition) {
  const BinaryCounts counts{
      .true_positive = 30, .false_positive = 20, .true_negative = 60, .false_negative = 10};
  EXPECT_DOUBLE_EQ(counts.true_positive_rate(), .75);
  EXPECT_DOUBLE_EQ(counts.false_positive_rate(), .25);
  EXPECT_DOUBLE_EQ(counts.selection_rate(), 50.0 / 120);
}

TEST(Confusion, ARateOverNoRowsIsNotANumber) {
  const BinaryCounts no_positives{.false_positive = 1, .true_negative = 2};
  EXPECT_TRUE(std::isnan(no_positives.true_positive_rate()));
  EXPECT_TRUE(std::isnan(no_positives.balanced_accuracy()));
  EXPECT_TRUE(std::isnan(BinaryCounts{}.accuracy()));
}

TEST(Confusion, GroupsMergeAndAddUp) {
  ConfusionTable first = ConfusionTable::create(2, 2).value();
  ConfusionTable second = ConfusionTable::create(2, 2).value();
  first.add(0, 1, 1);
  first.add(1, 0, 1);
  second.add(1, 0, 1);
  first.merge(second);
  EXPECT_EQ(first.group(0).rows(), 1U);
  EXPECT_EQ(first.group(1).count(0, 1), 2U);
  EXPECT_EQ(first.overall().group(0).rows(), 3U);
  EXPECT_EQ(first.overall().group(0).one_vs_rest(1), (BinaryCounts{.true_positive = 1, .false_positive = 2}));
}

TEST(Confusion, JointTablesGiveEachModelItsOwn) {
  JointConfusionTable joint = JointConfusionTable::create(2, 3).value();
  ConfusionTable first = ConfusionTable::create(2, 3).value();
  ConfusionTable second = ConfusionTable::create(2, 3).value();
  for (std::size_t i = 0; i < 60; ++i) {
    const std::size_t group = i % 2, truth = i % 3, a = i / 3 % 3, b = i / 7 % 3;
    joint.add(group, truth, a, b);
    first.add(group, truth, a);
    second.add(group, truth, b);
  }
  const auto same = [](const ConfusionTable& x, const ConfusionTable& y) {
    return std::equal(x.cells().begin(), x.cells().end(), y.cells().begin(), y.cells().end());
  };
  EXPECT_TRUE(same(joint.first(joint.cells()), first));
  EXPECT_TRUE(same(joint.second(joint.cells()), second));
}

TEST(Confusion, TablesAreBounded) {
  EXPECT_EQ(ConfusionTable::create(1, 1 << 13).error().code, base::ErrorCode::kLimitExceeded);
  EXPECT_EQ(ConfusionTable::create(SIZE_MAX, SIZE_MAX).error().code, base::ErrorCode::kLimitExceeded);
  EXPECT_EQ(JointConfusionTable::create(1, 1000).error().code, base::ErrorCode::kLimitExceeded);
  EXPECT_EQ(ConfusionTable::create(0, 2).error().code, base::ErrorCode::kInvalidArgument);
}

TEST(Losses, AgreeWithScikitLearn) {
  const auto& c = golden("binary");
  const auto probabilities = values_of(c["first"]);
  const auto labels = values_of<std::uint8_t>(c["labels"]);
  const SampleMean brier = brier_score(probabilities, labels).value();
  EXPECT_NEAR(brier.mean, c["brier"], 1e-15);
  EXPECT_EQ(brier.rows, labels.size());
  EXPECT_NEAR(expected_calibration_error(probabilities, labels, 10).value(), c["calibration_error_10"],
              1e-12);

  std::vector<double> both;
  for (const double p : probabilities) both.insert(both.end(), {1 - p, p});
  EXPECT_NEAR(log_loss({both, 2}, values_of<std::uint32_t>(c["labels"]))->mean, c["log_loss"], 1e-12);

  const auto& many = golden("multiclass");
  std::vector<double> scores;
  for (const auto& row : many["scores"]) scores.insert(scores.end(), row.begin(), row.end());
  EXPECT_NEAR(log_loss({scores, 3}, values_of<std::uint32_t>(many["labels"]))->mean, many["log_loss"], 1e-12);
}

TEST(Losses, CalibrationErrorOfTheMostProbableClass) {
  // Two rows said .8 with one right, two said .6 with both right: (|1.6 - 1| + |1.2 - 2|) / 4.
  const std::vector<double> scores{.8, .1, .1, .1, .8, .1, .6, .2, .2, .2, .2, .6};
  const std::vector<std::uint32_t> labels{0, 2, 0, 2};
  EXPECT_NEAR(expected_calibration_error({scores, 3}, labels, 10).value(), .35, 1e-12);
}

TEST(Losses, NameTheRowThatIsWrong) {
  const std::vector<std::uint8_t> labels{0, 1};
  const auto message = [&](double p) {
    return brier_score(std::vector<double>{.5, p}, labels).error().message;
  };
  EXPECT_NE(message(1.5).find("row 1"), std::string::npos);
  EXPECT_NE(message(kNan).find("row 1"), std::string::npos);
  EXPECT_FALSE(brier_score(std::vector<double>{.5}, labels).has_value());
  EXPECT_FALSE(brier_score({}, {}).has_value());
  EXPECT_FALSE(brier_score(std::vector<double>{.5, .5}, std::vector<std::uint8_t>{0, 2}).has_value());
  EXPECT_FALSE(log_loss({std::vector<double>{.5, .5, .1}, 2}, std::vector<std::uint32_t>{0}).has_value());
  EXPECT_FALSE(log_loss({{}, 0}, {}).has_value());
  EXPECT_FALSE(expected_calibration_error(std::vector<double>{.5, .5}, labels, 0).has_value());
}

}  // namespace
}  // namespace holdfast::stats
