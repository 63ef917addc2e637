#include "stats/calibration.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "stats/golden_data.h"
#include "stats/philox.h"

namespace holdfast::stats {
namespace {

TEST(Isotonic, AgreesWithScikitLearn) {
  const auto& c = golden("isotonic");
  const IsotonicRegression regression = IsotonicRegression::fit(values_of(c["x"]), values_of(c["y"])).value();
  const auto at = values_of(c["at"]);
  const auto fitted = values_of(c["fitted"]);
  for (std::size_t i = 0; i < at.size(); ++i) EXPECT_NEAR(regression.apply(at[i]), fitted[i], 1e-12) << at[i];
}

TEST(Isotonic, NeverFallsAndIgnoresTheOrderOfRows) {
  PhiloxStream random(3, 0);
  std::vector<double> x(300);
  std::vector<double> y(300);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = std::floor(random.uniform() * 50) / 50;
    y[i] = random.uniform() < x[i] * x[i] ? 1 : 0;
  }
  const IsotonicRegression regression = IsotonicRegression::fit(x, y).value();
  for (double at = -.1; at < 1.1; at += .003) EXPECT_LE(regression.apply(at), regression.apply(at + .003));
  std::reverse(x.begin(), x.end());
  std::reverse(y.begin(), y.end());
  const IsotonicRegression reversed = IsotonicRegression::fit(x, y).value();
  EXPECT_TRUE(std::equal(regression.knots().begin(), regression.knots().end(), reversed.knots().begin(),
                         reversed.knots().end()));
}

TEST(Isotonic, OneRowIsAConstant) {
  const IsotonicRegression one =
      IsotonicRegression::fit(std::vector<double>{.5}, std::vector<double>{1}).value();
  EXPECT_EQ(one.apply(-3), 1);
  EXPECT_EQ(one.apply(9), 1);
  EXPECT_TRUE(std::isnan(one.apply(kNan)));
}

TEST(Isotonic, KnotsMakeItAgain) {
  const IsotonicRegression regression =
      IsotonicRegression::fit(std::vector<double>{1, 2, 3, 4}, std::vector<double>{0, 1, 0, 1}).value();
  const IsotonicRegression again =
      IsotonicRegression::from_knots({regression.knots().begin(), regression.knots().end()}).value();
  for (const double x : {0.0, 1.5, 2.0, 2.7, 3.5, 9.0}) EXPECT_EQ(regression.apply(x), again.apply(x));
  EXPECT_FALSE(IsotonicRegression::from_knots({}).has_value());
  EXPECT_FALSE(IsotonicRegression::from_knots({{1, 0}, {1, 1}}).has_value());
  EXPECT_FALSE(IsotonicRegression::from_knots({{1, 1}, {2, 0}}).has_value());
  EXPECT_FALSE(IsotonicRegression::from_knots({{1, kNan}}).has_value());
}

TEST(Isotonic, RefusesWhatItCannotFit) {
  EXPECT_FALSE(IsotonicRegression::fit({}, {}).has_value());
  EXPECT_FALSE(IsotonicRegression::fit(std::vector<double>{1}, std::vector<double>{}).has_value());
  EXPECT_FALSE(IsotonicRegression::fit(std::vector<double>{kNan}, std::vector<double>{1}).has_value());
}

TEST(Calibrator, ScalesClassesToAddUp) {
  const std::vector<double> scores{.9, .05, .05, .1, .8, .1, .2, .2, .6, .5, .3, .2, .1, .1, .8, .3, .6, .1};
  const std::vector<std::uint32_t> labels{0, 1, 2, 1, 2, 1};
  const ProbabilityCalibrator calibrator = ProbabilityCalibrator::fit({scores, 3}, labels).value();
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const auto p = calibrator.apply(std::span(scores).subspan(row * 3, 3));
    EXPECT_NEAR(p[0] + p[1] + p[2], 1, 1e-12);
  }
  EXPECT_EQ(calibrator.apply(std::vector<double>{0, 0, 0}), (std::vector<double>(3, 1.0 / 3)));
}

TEST(ExpectedPerformance, CountsByProbability) {
  const std::vector<double> calibrated{.9, .1, .4, .6, .3, .7};
  const ExpectedPerformance expected =
      expected_performance({calibrated, 2}, std::vector<std::uint32_t>{0, 1, 0}, kConfidence95).value();
  EXPECT_NEAR(expected.confusion[0], 1.2, 1e-12);  // truly 0, predicted 0
  EXPECT_NEAR(expected.confusion[1], .4, 1e-12);
  EXPECT_NEAR(expected.confusion[2], .8, 1e-12);
  EXPECT_NEAR(expected.confusion[3], .6, 1e-12);
  EXPECT_NEAR(expected.accuracy.value, .6, 1e-12);
  EXPECT_EQ(expected.accuracy.sample_size, 3U);
}

TEST(ExpectedPerformance, ForeseesTheAccuracyOfShiftedInputs) {
  // Reference: a score whose meaning is distorted. Now: harder inputs, the same meaning.
  PhiloxStream random(8, 0);
  const auto draw = [&](double most, std::vector<double>& scores, std::vector<std::uint32_t>& labels) {
    for (int i = 0; i < 6000; ++i) {
      const double truth = .5 + (random.uniform() - .5) * most;
      labels.push_back(random.uniform() < truth ? 1 : 0);
      scores.insert(scores.end(), {1 - truth * truth, truth * truth});
    }
  };
  std::vector<double> reference;
  std::vector<std::uint32_t> reference_labels;
  draw(1, reference, reference_labels);
  const ProbabilityCalibrator calibrator =
      ProbabilityCalibrator::fit({reference, 2}, reference_labels).value();

  std::vector<double> scores;
  std::vector<std::uint32_t> labels;
  draw(.4, scores, labels);
  std::vector<double> calibrated;
  std::vector<std::uint32_t> predicted;
  double right = 0;
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const auto p = calibrator.apply(std::span(scores).subspan(row * 2, 2));
    calibrated.insert(calibrated.end(), p.begin(), p.end());
    predicted.push_back(scores[row * 2 + 1] > .25 ? 1 : 0);
    right += predicted.back() == labels[row] ? 1 : 0;
  }
  const Measurement accuracy = expected_performance({calibrated, 2}, predicted, kConfidence95)->accuracy;
  EXPECT_NEAR(accuracy.value, right / 6000, .02);
  EXPECT_NEAR(accuracy.value, .6, .02);
  EXPECT_LT(accuracy.interval.low, accuracy.value);
}

TEST(ExpectedPerformance, RefusesTooManyClasses) {
  const std::vector<double> wide(5000, 1.0 / 5000);
  EXPECT_EQ(expected_performance({wide, 5000}, std::vector<std::uint32_t>{0}, kConfidence95).error().code,
            base::ErrorCode::kLimitExceeded);
}

}  // namespace
}  // namespace holdfast::stats
