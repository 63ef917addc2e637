#include "evaluate/performance.h"

#include <gtest/gtest.h>

#include <cmath>

#include "evaluate/golden_cases.h"

namespace holdfast::evaluate {
namespace {

const std::vector<std::uint8_t> kLabels{1, 1, 1, 0, 0, 0, 0, 0};
const std::vector<double> kScores{.9, .8, .2, .6, .3, .2, .1, .1};
const Scope kOverall{};

double value_of(const std::vector<Figure>& figures, std::string_view name, const Scope& scope = kOverall) {
  const Figure* figure = find(figures, name, scope);
  return figure == nullptr ? -1 : figure->measurement.value;
}

TEST(Performance, IsWhatScikitLearnSays) {
  for (const GoldenCase& golden : golden_cases()) {
    const auto measured = measure_performance(golden.answers()).value();
    for (const auto& [name, value] : golden.expected["performance"].items()) {
      const Figure* figure = find(measured.figures, name);
      ASSERT_NE(figure, nullptr) << name;
      EXPECT_NEAR(figure->measurement.value, value.get<double>(), 1e-12) << name;
      EXPECT_LT(figure->measurement.interval.low, figure->measurement.value) << name;
      EXPECT_GT(figure->measurement.interval.high, figure->measurement.value) << name;
      EXPECT_TRUE(check_figure(*figure).has_value()) << name;
    }
  }
}

TEST(Performance, StandsBesideTheConstant) {
  const auto measured = measure_performance({.labels = kLabels, .scores = kScores}).value();
  EXPECT_EQ(measured.confusion,
            (stats::BinaryCounts{
                .true_positive = 2, .false_positive = 1, .true_negative = 4, .false_negative = 1}));
  EXPECT_DOUBLE_EQ(value_of(measured.figures, "accuracy"), 6. / 8);
  EXPECT_DOUBLE_EQ(value_of(measured.figures, "majority_accuracy"), 5. / 8);
  const Scope over{.over = "constant", .under = "", .by = "", .group = ""};
  EXPECT_DOUBLE_EQ(value_of(measured.figures, "accuracy", over), 1. / 8);
  EXPECT_DOUBLE_EQ(value_of(measured.figures, "balanced_accuracy", over), (2. / 3 + 4. / 5) / 2 - .5);
  EXPECT_LT(find(measured.figures, "accuracy", over)->measurement.interval.low, 0);
}

TEST(Performance, OfAConstantGainsNothingOverOne) {
  std::vector<std::uint8_t> labels(1000);
  for (std::size_t i = 0; i < 300; ++i) labels[i] = 1;
  const std::vector<double> scores(1000, .3);
  const auto measured = measure_performance({.labels = labels, .scores = scores}).value();
  const Scope over{.over = "constant", .under = "", .by = "", .group = ""};
  EXPECT_DOUBLE_EQ(value_of(measured.figures, "accuracy"), .7);
  EXPECT_DOUBLE_EQ(value_of(measured.figures, "accuracy", over), 0);
  EXPECT_DOUBLE_EQ(value_of(measured.figures, "balanced_accuracy"), .5);
  const auto& balanced = find(measured.figures, "balanced_accuracy", over)->measurement;
  EXPECT_LE(balanced.interval.low, 0);
  EXPECT_GT(balanced.interval.high, 0) << "an interval with a width, though no resample would vary";
  EXPECT_DOUBLE_EQ(value_of(measured.figures, "auc"), .5);
  EXPECT_TRUE(std::isnan(value_of(measured.figures, "precision"))) << "nothing was called 1";
}

TEST(Performance, OfOneClassIsNotMadeUp) {
  const std::vector<std::uint8_t> labels(20, 1);
  const std::vector<double> scores(20, .8);
  const auto measured = measure_performance({.labels = labels, .scores = scores}).value();
  for (const char* name : {"auc", "balanced_accuracy", "false_positive_rate"}) {
    const auto& figure = find(measured.figures, name)->measurement;
    EXPECT_TRUE(std::isnan(figure.value)) << name;
    EXPECT_EQ(stats::judge(figure, {stats::Bound::kAtLeast, 0}).outcome, stats::Outcome::kCouldNotTell);
  }
  EXPECT_DOUBLE_EQ(value_of(measured.figures, "accuracy"), 1);
}

TEST(Performance, ByGroupIsThatOfItsRows) {
  const std::vector<std::string> groups{"f", "m", "f", "m", "f", "m", "f", "x"};
  const Grouping grouping = group_by("sex", groups).value();
  const auto measured =
      measure_groups({.labels = kLabels, .scores = kScores}, grouping, /*minimum_group_rows=*/2).value();
  EXPECT_EQ(measured.left_out, (std::vector<LeftOut>{{.by = "sex", .group = "x", .rows = 1}}));
  const Scope f{.over = "", .under = "", .by = "sex", .group = "f"};
  const Scope m{.over = "", .under = "", .by = "sex", .group = "m"};
  EXPECT_DOUBLE_EQ(value_of(measured.figures, "accuracy", f), 3. / 4);
  EXPECT_DOUBLE_EQ(value_of(measured.figures, "accuracy", m), 2. / 3);
  EXPECT_DOUBLE_EQ(value_of(measured.figures, "auc", m), 1);
  EXPECT_EQ(find(measured.figures, "accuracy", {.over = "", .under = "", .by = "sex", .group = "x"}),
            nullptr);
}

TEST(Performance, RefusesWhatMakesNoSense) {
  const std::vector<double> few{.5};
  std::vector<double> wrong = kScores;
  wrong[3] = 1.5;
  std::vector<double> nan = kScores;
  nan[0] = std::nan("");
  std::vector<std::uint8_t> labels = kLabels;
  labels[7] = 2;
  for (const auto& [answers, message] : std::vector<std::pair<Answers, std::string>>{
           {{.labels = kLabels, .scores = few}, "there are 8 labels but 1 answers"},
           {{.labels = kLabels, .scores = wrong}, "row 3: score 1.5 is outside of 0 to 1"},
           {{.labels = kLabels, .scores = nan}, "row 0: score nan is outside of 0 to 1"},
           {{.labels = labels, .scores = kScores}, "row 7: label 2 is neither 0 nor 1"},
           {{.labels = kLabels, .scores = kScores, .threshold = 2}, "the threshold 2 is outside of 0 to 1"},
           {{}, "an evaluation takes 1 to 100000000 rows, not 0"}}) {
    const auto measured = measure_performance(answers);
    ASSERT_FALSE(measured.has_value()) << message;
    EXPECT_EQ(measured.error().code, base::ErrorCode::kInvalidArgument);
    EXPECT_EQ(measured.error().message, message);
  }
}

TEST(Grouping, IsSortedAndIntersects) {
  const std::vector<std::string> sex{"m", "f", "m", "f"};
  const std::vector<std::string> age{"old", "old", "young", "old"};
  const Grouping both = intersect(group_by("sex", sex).value(), group_by("age", age).value()).value();
  EXPECT_EQ(both.by, "sex x age");
  EXPECT_EQ(both.groups, (std::vector<std::string>{"f, old", "m, old", "m, young"}));
  EXPECT_EQ(both.group_of, (std::vector<std::uint32_t>{1, 0, 2, 0}));
  const std::vector<std::string> three{"a", "b", "c"};
  EXPECT_FALSE(intersect(both, group_by("x", three).value()).has_value());
}

TEST(Grouping, RefusesTooManyGroupsAndNamesThatAreNone) {
  std::vector<std::string> ids;
  for (int i = 0; i < 1025; ++i) ids.push_back(std::to_string(i));
  EXPECT_EQ(group_by("id", ids).error().code, base::ErrorCode::kLimitExceeded);
  ids.pop_back();
  EXPECT_TRUE(group_by("id", ids).has_value());
  for (const std::string& bad : {std::string(), std::string(257, 'a'), std::string("\xFF")}) {
    EXPECT_FALSE(group_by("sex", std::vector<std::string>{"f", bad}).has_value());
    EXPECT_FALSE(group_by(bad, std::vector<std::string>{"f"}).has_value());
  }
}

}  // namespace
}  // namespace holdfast::evaluate
