#include "evaluate/compare.h"

#include <gtest/gtest.h>

#include <cmath>

#include "evaluate/golden_cases.h"
#include "evaluate/measures.h"
#include "evaluate/performance.h"
#include "stats/philox.h"

namespace holdfast::evaluate {
namespace {

const Scope kOver{.over = "champion", .under = "", .by = "", .group = ""};

// Two models over the same 2000 rows; the candidate's scores tell the classes apart by `gap` more.
struct Pair {
  std::vector<std::uint8_t> labels;
  std::vector<double> base;
  std::vector<double> candidate;
  std::vector<std::string> groups;

  explicit Pair(double gap, std::uint64_t seed = 1) {
    stats::PhiloxStream random(seed, 0);
    for (int row = 0; row < 2000; ++row) {
      const bool truth = random.uniform() < .4;
      const double sign = truth ? 1 : -1;
      const double shared = random.normal();
      labels.push_back(truth ? 1 : 0);
      groups.emplace_back(random.uniform() < .5 ? "f" : "m");
      base.push_back(1 / (1 + std::exp(-(shared + .5 * sign))));
      candidate.push_back(1 / (1 + std::exp(-(shared + .3 * random.normal() + (.5 + gap) * sign))));
    }
  }
  [[nodiscard]] Answers first() const { return {.labels = labels, .scores = base}; }
  [[nodiscard]] Answers second() const { return {.labels = labels, .scores = candidate}; }
};

TEST(Compare, IsTheDifferenceOfWhatEachHas) {
  const Pair pair(.4);
  const auto differences = compare_models(pair.first(), pair.second()).value();
  const auto base = measure_performance(pair.first()).value();
  const auto candidate = measure_performance(pair.second()).value();
  ASSERT_EQ(differences.size(), 10U);
  for (const Figure& difference : differences) {
    const std::string& name = difference.measurement.name;
    EXPECT_EQ(difference.scope, kOver);
    EXPECT_NEAR(
        difference.measurement.value,
        find(candidate.figures, name)->measurement.value - find(base.figures, name)->measurement.value, 1e-12)
        << name;
    EXPECT_LT(difference.measurement.interval.low, difference.measurement.value) << name;
    EXPECT_GT(difference.measurement.interval.high, difference.measurement.value) << name;
  }
}

TEST(Compare, TellsGainsFromCosts) {
  const Pair pair(.4);
  const auto better = compare_models(pair.first(), pair.second()).value();
  const auto worse = compare_models(pair.second(), pair.first(), {.over = "other"}).value();
  for (const char* name : {"accuracy", "balanced_accuracy", "auc", "brier", "log_loss"}) {
    EXPECT_EQ(change_of(*find(better, name, kOver)), Change::kGain) << name;
    EXPECT_EQ(change_of(*find(worse, name, {.over = "other", .under = "", .by = "", .group = ""})),
              Change::kCost)
        << name;
  }
  EXPECT_EQ(change_of(*find(better, "selection_rate", kOver)), Change::kNeutral);
}

TEST(Compare, OfAModelWithItselfCouldNotTell) {
  const Pair pair(0);
  const auto differences = compare_models(pair.first(), pair.first()).value();
  for (const Figure& difference : differences) {
    EXPECT_EQ(difference.measurement.value, 0) << difference.measurement.name;
    if (difference.measurement.name != "selection_rate") {
      EXPECT_EQ(change_of(difference), Change::kCouldNotTell);
    }
  }
}

TEST(Compare, CoversNoDifferenceAsOftenAsItSays) {
  constexpr int kTrials = 150;
  int covered = 0;
  for (std::uint64_t trial = 0; trial < kTrials; ++trial) {
    stats::PhiloxStream random(/*seed=*/3, trial);
    std::vector<std::uint8_t> labels(500);
    std::vector<std::uint8_t> base(500);
    std::vector<std::uint8_t> candidate(500);
    for (std::size_t row = 0; row < labels.size(); ++row) {
      labels[row] = random.uniform() < .5 ? 1 : 0;
      const bool hard = random.uniform() < .5;
      base[row] = random.uniform() < (hard ? .4 : .1) ? 1 - labels[row] : labels[row];
      candidate[row] = random.uniform() < (hard ? .4 : .1) ? 1 - labels[row] : labels[row];
    }
    const auto differences = compare_answers(labels, base, candidate, "", {.replicates = 300}).value();
    const auto& [low, high, confidence] = find(differences, "balanced_accuracy", kOver)->measurement.interval;
    covered += low <= 0 && 0 <= high;
  }
  EXPECT_GE(covered, kTrials * 90 / 100);
  EXPECT_LE(covered, kTrials * 99 / 100);
}

TEST(Compare, ComparesRobustnessAndFairness) {
  const Pair pair(.8);
  const auto base = predictions(pair.first());
  const auto candidate = predictions(pair.second());
  const auto robust = compare_answers(pair.labels, base, candidate, "pgd").value();
  ASSERT_EQ(robust.size(), 2U);
  const Scope under{.over = "champion", .under = "pgd", .by = "", .group = ""};
  EXPECT_EQ(change_of(*find(robust, "robust_accuracy", under)), Change::kGain);
  EXPECT_EQ(change_of(*find(robust, "robust_balanced_accuracy", under)), Change::kGain);

  const Grouping grouping = group_by("sex", pair.groups).value();
  const auto fair = compare_fairness(pair.labels, base, candidate, grouping).value();
  ASSERT_EQ(fair.figures.size(), 8U);
  const auto before = measure_fairness(pair.labels, base, grouping).value();
  const auto after = measure_fairness(pair.labels, candidate, grouping).value();
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(fair.figures[i].measurement.name, before.figures[i].measurement.name);
    EXPECT_NEAR(fair.figures[i].measurement.value,
                after.figures[i].measurement.value - before.figures[i].measurement.value, 1e-12);
    EXPECT_EQ(fair.figures[i].scope, (Scope{.over = "champion", .under = "", .by = "sex", .group = ""}));
  }
  EXPECT_EQ(
      compare_fairness(pair.labels, base, candidate, grouping, {.minimum_group_rows = 3000})->left_out.size(),
      2U);
}

// The base answers group a worse than the other three, the candidate all alike; and the other way round.
TEST(Compare, CoversAChangeOfFairness) {
  constexpr int kTrials = 100;
  for (const auto& [base_gap, candidate_gap] : {std::pair{.2, .0}, {.0, .2}}) {
    int covered = 0;
    for (std::uint64_t trial = 0; trial < kTrials; ++trial) {
      stats::PhiloxStream random(/*seed=*/5, trial);
      std::vector<std::uint8_t> base;
      std::vector<std::uint8_t> candidate;
      std::vector<std::string> groups;
      for (const char* group : {"a", "b", "c", "d"}) {
        const double own = group[0] == 'a' ? 1 : 0;
        for (int row = 0; row < 300; ++row) {
          const double first = random.uniform();
          const double second = random.uniform() < .5 ? first : random.uniform();
          base.push_back(first < .7 - base_gap * own ? 1 : 0);
          candidate.push_back(second < .7 - candidate_gap * own ? 1 : 0);
          groups.emplace_back(group);
        }
      }
      const std::vector<std::uint8_t> labels(groups.size(), 1);
      const auto compared =
          compare_fairness(labels, base, candidate, group_by("sex", groups).value(), {.replicates = 200})
              .value();
      const auto& [low, high, confidence] = find(compared.figures, "equal_opportunity_difference",
                                                 {.over = "champion", .under = "", .by = "sex", .group = ""})
                                                ->measurement.interval;
      const double truth = candidate_gap - base_gap;
      covered += low <= truth && truth <= high;
    }
    EXPECT_GE(covered, kTrials * 88 / 100) << base_gap << " to " << candidate_gap;
  }
}

TEST(Compare, RefusesOtherRows) {
  const Pair one(0, 1);
  const Pair other(0, 2);
  EXPECT_EQ(compare_models(one.first(), other.first()).error().code, base::ErrorCode::kInvalidArgument);
  EXPECT_FALSE(compare_models(one.first(), one.second(), {.replicates = 5}).has_value());
}

}  // namespace
}  // namespace holdfast::evaluate
