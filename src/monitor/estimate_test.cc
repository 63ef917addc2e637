#include "monitor/estimate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <string_view>

#include <nlohmann/json.hpp>

#include "monitor/test_traffic.h"

namespace holdfast::monitor {
namespace {

double value_of(const PerformanceEstimate& estimate, std::string_view name) {
  for (const auto& figure : estimate.figures) {
    if (figure.name == name) return figure.value;
  }
  return std::nan("");
}

TEST(Estimate, IsTheSumOfCalibratedProbabilities) {
  // Scores .2, .4, .6, .8 of which 0, 1/2, 1/2 and 1 were positive.
  auto profile = data::Profile::create({"x"}).value();
  for (const std::string_view value : {"1", "2", "3"}) {
    profile.add(std::array<std::string_view, 1>{value});
  }
  const std::vector<double> scores{.2, .2, .4, .4, .6, .6, .8, .8};
  const std::vector<std::uint8_t> labels{0, 0, 1, 0, 1, 0, 1, 1};
  const auto reference = std::make_shared<const Reference>(
      Reference::freeze(profile, {.scores = scores, .labels = labels}).value());
  Window window(reference);
  for (const double score : {.2, .4, .6, .6, .8}) window.add_score(score);
  const auto estimate = estimate_performance(window, {.minimum_rows = 5}).value();
  // Answered 1: .6, .6, .8, with probabilities .5, .5, 1: TP 2, FP 1. Answered 0: TN 1.5, FN .5.
  EXPECT_DOUBLE_EQ(value_of(estimate, "expected_accuracy"), 3.5 / 5);
  EXPECT_DOUBLE_EQ(value_of(estimate, "expected_precision"), 2. / 3);
  EXPECT_DOUBLE_EQ(value_of(estimate, "expected_true_positive_rate"), 2 / 2.5);
  EXPECT_DOUBLE_EQ(value_of(estimate, "expected_balanced_accuracy"), (2 / 2.5 + 1.5 / 2.5) / 2);
  EXPECT_DOUBLE_EQ(value_of(estimate, "selection_rate"), 3. / 5);
  EXPECT_DOUBLE_EQ(estimate.reference_accuracy.value, 6. / 8);
  EXPECT_DOUBLE_EQ(estimate.change.value, 3.5 / 5 - 6. / 8);
  EXPECT_EQ(estimate.state, EstimateState::kCouldNotTell) << "five rows tell nothing";
}

TEST(Estimate, IsWhatScikitLearnsCalibrationGives) {
  const auto golden = nlohmann::json::parse(std::ifstream(HOLDFAST_TESTDATA "/golden.json")).at("estimate");
  auto profile = data::Profile::create({"x"}).value();
  for (const std::string_view value : {"1", "2", "3"}) {
    profile.add(std::array<std::string_view, 1>{value});
  }
  const auto scores = golden.at("scores").get<std::vector<double>>();
  const auto labels = golden.at("labels").get<std::vector<std::uint8_t>>();
  Window window(std::make_shared<const Reference>(
      Reference::freeze(profile, {.scores = scores, .labels = labels}).value()));
  for (const double score : golden.at("window").get<std::vector<double>>()) window.add_score(score);
  const auto estimate = estimate_performance(window, {.minimum_rows = 1}).value();
  for (const auto& [name, value] : golden.at("figures").items()) {
    EXPECT_NEAR(value_of(estimate, name), value.get<double>(), 1e-12) << name;
  }
}

TEST(Estimate, HoldsTheAccuracyThatLabelsTellLater) {
  constexpr int kTrials = 60;
  int covered = 0;
  for (std::uint64_t trial = 0; trial < kTrials; ++trial) {
    Window window(reference_of(3000 + trial, 2000));
    Traffic traffic(9000 + trial, {.score = .7});  // the inputs shift, what follows from them does not
    int right = 0;
    for (int i = 0; i < 1000; ++i) {
      const TrafficRow row = traffic.next();
      window.add_score(row.score);
      right += (row.score >= .5) == (row.label == 1);
    }
    const auto estimate = estimate_performance(window).value();
    const auto& [low, high, confidence] = estimate.figures[0].interval;
    covered += low <= right / 1000. && right / 1000. <= high;
  }
  EXPECT_GE(covered, kTrials * 85 / 100);
}

TEST(Estimate, TellsAFall) {
  const auto reference = reference_of(1);
  EXPECT_EQ(estimate_performance(window_of(reference, 2, 3000))->state, EstimateState::kHolds);
  Window unsure(reference);
  for (int i = 0; i < 3000; ++i) unsure.add_score(.45 + .1 * i / 3000);
  const auto fell = estimate_performance(unsure).value();
  EXPECT_EQ(fell.state, EstimateState::kFell);
  EXPECT_LT(fell.change.interval.high, -.05);
  EXPECT_EQ(estimate_performance(unsure, {.tolerated_fall = .9})->state, EstimateState::kHolds);
}

TEST(Estimate, SaysWhatItCannotDo) {
  const auto reference = reference_of(1);
  const auto few = estimate_performance(window_of(reference, 2, 199)).value();
  EXPECT_EQ(few.state, EstimateState::kCouldNotTell);
  EXPECT_TRUE(few.figures.empty());
  EXPECT_EQ(estimate_performance(Window(reference_of(1, 500, /*with_labels=*/false))).error().code,
            base::ErrorCode::kUnsupported);
  EXPECT_FALSE(estimate_performance(Window(reference), {.tolerated_fall = 2}).has_value());
  EXPECT_EQ(estimate_performance(Window(reference), {.minimum_rows = 0})->state,
            EstimateState::kCouldNotTell);
  Window all_no(reference);
  for (int i = 0; i < 300; ++i) all_no.add_score(.1);
  EXPECT_TRUE(std::isnan(value_of(estimate_performance(all_no).value(), "expected_precision")));
}

}  // namespace
}  // namespace holdfast::monitor
