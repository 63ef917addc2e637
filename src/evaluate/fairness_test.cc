#include "evaluate/fairness.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "evaluate/golden_cases.h"
#include "stats/philox.h"

namespace holdfast::evaluate {
namespace {

using Against = FairnessOptions::Against;

constexpr std::array<std::uint8_t, 2> kBoth{0, 1};

Scope by(std::string name) { return {.over = "", .under = "", .by = std::move(name), .group = ""}; }

// Rows of truth and answer, `count` of each kind, of one group.
struct Rows {
  std::vector<std::uint8_t> labels;
  std::vector<std::uint8_t> predicted;
  std::vector<std::string> groups;

  void add(const std::string& group, std::uint8_t label, std::uint8_t answer, std::size_t count) {
    labels.insert(labels.end(), count, label);
    predicted.insert(predicted.end(), count, answer);
    groups.insert(groups.end(), count, group);
  }
  [[nodiscard]] Fairness measure(FairnessOptions options = {}) const {
    return measure_fairness(labels, predicted, group_by("sex", groups).value(), options).value();
  }
};

TEST(Fairness, IsWhatFairlearnSays) {
  for (const GoldenCase& golden : golden_cases()) {
    const Grouping grouping = group_by("sex", golden.groups).value();
    for (const auto& [against, method] :
         {std::pair{Against::kBetweenGroups, "between_groups"}, {Against::kToOverall, "to_overall"}}) {
      const auto measured = measure_fairness(golden.labels, predictions(golden.answers()), grouping,
                                             {.against = against, .minimum_group_rows = 1})
                                .value();
      ASSERT_EQ(measured.figures.size(), 8U);
      for (const auto& [name, value] : golden.expected[method].items()) {
        const Figure* figure = find(measured.figures, name, by("sex"));
        ASSERT_NE(figure, nullptr) << name;
        const auto& [low, high, confidence] = figure->measurement.interval;
        EXPECT_NEAR(figure->measurement.value, value.get<double>(), 1e-12) << method << " " << name;
        EXPECT_LE(low, figure->measurement.value) << name;
        EXPECT_GE(high, figure->measurement.value) << name;
        EXPECT_TRUE(check_figure(*figure).has_value()) << name;
      }
    }
  }
}

TEST(Fairness, LeavesSmallGroupsOutAndSaysSo) {
  Rows rows;
  for (const char* group : {"f", "m"}) {
    for (const std::uint8_t label : kBoth) {
      for (const std::uint8_t answer : kBoth) rows.add(group, label, answer, 50);
    }
  }
  rows.add("x", 1, 0, 99);  // would be a true positive rate of 0
  const Fairness measured = rows.measure();
  EXPECT_EQ(measured.left_out, (std::vector<LeftOut>{{.by = "sex", .group = "x", .rows = 99}}));
  const auto& odds = find(measured.figures, "equalized_odds_difference", by("sex"))->measurement;
  EXPECT_DOUBLE_EQ(odds.value, 0);
  EXPECT_EQ(odds.sample_size, 400U);
  EXPECT_TRUE(rows.measure({.minimum_group_rows = 201}).figures.empty()) << "no two groups are left";
  EXPECT_EQ(rows.measure({.minimum_group_rows = 201}).left_out.size(), 3U);
}

TEST(Fairness, OfAGroupWithoutPositivesIsNotMadeUp) {
  Rows rows;
  rows.add("f", 0, 0, 200);
  rows.add("m", 0, 0, 100);
  rows.add("m", 1, 1, 100);
  const Fairness measured = rows.measure();
  for (const char* name : {"equal_opportunity_difference", "equalized_odds_difference"}) {
    const auto& figure = find(measured.figures, name, by("sex"))->measurement;
    EXPECT_TRUE(std::isnan(figure.value)) << name;
    EXPECT_EQ(stats::judge(figure, {stats::Bound::kAtMost, 1}).outcome, stats::Outcome::kCouldNotTell);
  }
  EXPECT_FALSE(
      std::isnan(find(measured.figures, "demographic_parity_difference", by("sex"))->measurement.value));
}

TEST(Fairness, OfCertainRatesKeepsAWidth) {
  Rows rows;  // a perfect model: no resample varies
  for (const char* group : {"f", "m"}) {
    rows.add(group, 0, 0, 100);
    rows.add(group, 1, 1, 100);
  }
  const auto figures = rows.measure().figures;
  const auto& odds = find(figures, "equalized_odds_difference", by("sex"))->measurement;
  EXPECT_DOUBLE_EQ(odds.value, 0);
  EXPECT_GT(odds.interval.high, .02);
  EXPECT_LT(odds.interval.high, .1);
  const auto& ratio = find(figures, "false_positive_rate_ratio", by("sex"))->measurement;
  EXPECT_TRUE(std::isnan(ratio.value)) << "no group has a false positive";
}

// A model that treats four groups alike: a percentile interval of the largest difference would never hold 0.
TEST(Fairness, IntervalsCoverAlsoWhereGroupsDoNotDiffer) {
  constexpr int kTrials = 200;
  int covered = 0;
  int covered_ratio = 0;
  for (std::uint64_t trial = 0; trial < kTrials; ++trial) {
    stats::PhiloxStream random(/*seed=*/7, trial);
    Rows rows;
    for (const char* group : {"a", "b", "c", "d"}) {
      for (const std::uint8_t label : kBoth) {
        const std::uint64_t yes = random.binomial(150, .3 + .4 * label);
        rows.add(group, label, 1, yes);
        rows.add(group, label, 0, 150 - yes);
      }
    }
    const auto figures = rows.measure({.replicates = 300}).figures;
    covered += find(figures, "equalized_odds_difference", by("sex"))->measurement.interval.low <= 0;
    covered_ratio += find(figures, "equalized_odds_ratio", by("sex"))->measurement.interval.high >= 1;
  }
  EXPECT_GE(covered, kTrials * 92 / 100);
  EXPECT_GE(covered_ratio, kTrials * 92 / 100);
}

TEST(Fairness, IntervalsCoverARealDifferenceAndAreNotIdle) {
  constexpr int kTrials = 200;
  int covered = 0;
  int above_zero = 0;
  for (std::uint64_t trial = 0; trial < kTrials; ++trial) {
    stats::PhiloxStream random(/*seed=*/8, trial);
    Rows rows;
    for (const auto& [group, rate] : {std::pair{"f", .5}, {"m", .7}}) {
      const std::uint64_t yes = random.binomial(300, rate);
      rows.add(group, 1, 1, yes);
      rows.add(group, 1, 0, 300 - yes);
      rows.add(group, 0, 1, 30);
      rows.add(group, 0, 0, 270);
    }
    const auto figures = rows.measure({.replicates = 300}).figures;
    const auto& [low, high, confidence] =
        find(figures, "equal_opportunity_difference", by("sex"))->measurement.interval;
    covered += low <= .2 && .2 <= high;
    above_zero += low > 0;
  }
  EXPECT_GE(covered, kTrials * 91 / 100);
  EXPECT_LE(covered, kTrials * 99 / 100) << "not wider than need be for two groups";
  EXPECT_GE(above_zero, kTrials * 95 / 100);
}

TEST(Fairness, IsTheSameForASeed) {
  const GoldenCase golden = golden_cases()[2];
  const Grouping grouping = group_by("sex", golden.groups).value();
  const auto measure = [&](std::uint64_t seed) {
    const auto measured = measure_fairness(golden.labels, predictions(golden.answers()), grouping,
                                           {.minimum_group_rows = 1, .seed = seed});
    return measured->figures[6].measurement.interval.high;
  };
  EXPECT_EQ(measure(1), measure(1));
  EXPECT_NE(measure(1), measure(2));
}

TEST(Fairness, RefusesWhatMakesNoSense) {
  const Grouping grouping = group_by("sex", std::vector<std::string>{"f", "m"}).value();
  const std::vector<std::uint8_t> two{0, 1};
  const std::vector<std::uint8_t> three{0, 1, 1};
  EXPECT_FALSE(measure_fairness(two, three, grouping).has_value());
  EXPECT_FALSE(measure_fairness(three, three, grouping).has_value());
  EXPECT_FALSE(measure_fairness(two, two, grouping, {.replicates = 99}).has_value());
  EXPECT_FALSE(measure_fairness(two, two, grouping, {.replicates = 1'000'001}).has_value());
}

}  // namespace
}  // namespace holdfast::evaluate
