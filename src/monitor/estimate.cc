#include "monitor/estimate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "stats/proportion.h"

namespace holdfast::monitor {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using stats::Confidence;
using stats::Interval;
using stats::Measurement;
using stats::Proportion;

constexpr std::string_view kMethod =
    "confidence-based estimate without labels (CBPE), Wilson score interval over the rows of window and "
    "calibration together";

// The confusion that is to be expected, in rows.
struct Expected {
  double true_positive;
  double false_positive;
  double true_negative;
  double false_negative;
  double scale;  // of rows, to those that the interval may count

  [[nodiscard]] double rows() const {
    return true_positive + false_positive + true_negative + false_negative;
  }
  // Whole rows, no more than the interval may count.
  [[nodiscard]] Proportion proportion(double part, double whole) const {
    const auto trials = static_cast<std::uint64_t>(std::floor(whole * scale));
    const double share = whole > 0 ? part / whole : 0;
    const auto successes = static_cast<std::uint64_t>(std::llround(share * static_cast<double>(trials)));
    return {.successes = std::min(successes, trials), .trials = trials};
  }
};

double sum_of(const AnswerWindow& answer) {
  return answer.rows == 0 ? 0 : answer.probability.mean() * static_cast<double>(answer.rows);
}

Expected expected_of(const Window& window, std::uint64_t calibrated_rows) {
  const AnswerWindow& yes = window.answer(true);
  const AnswerWindow& no = window.answer(false);
  const double true_positive = sum_of(yes);
  const double false_negative = sum_of(no);
  const auto rows = static_cast<double>(window.scores());
  const auto calibrated = static_cast<double>(calibrated_rows);
  return {.true_positive = true_positive,
          .false_positive = static_cast<double>(yes.rows) - true_positive,
          .true_negative = static_cast<double>(no.rows) - false_negative,
          .false_negative = false_negative,
          .scale = calibrated / (rows + calibrated)};
}

// The interval holds the value, whatever whole rows round to.
Interval around(double value, Interval interval) {
  return {.low = std::min(interval.low, value),
          .high = std::max(interval.high, value),
          .confidence = interval.confidence};
}

Measurement undefined(std::string name, std::uint64_t rows, Confidence confidence) {
  return {.name = std::move(name),
          .value = std::numeric_limits<double>::quiet_NaN(),
          .interval = stats::unbounded(confidence),
          .sample_size = rows,
          .method = "could not be computed: it is a share of no rows"};
}

Measurement share(std::string name, const Expected& expected, double part, double whole,
                  Confidence confidence) {
  const auto rows = static_cast<std::uint64_t>(std::llround(whole));
  if (rows == 0) return undefined(std::move(name), rows, confidence);
  const double value = part / whole;
  return {.name = std::move(name),
          .value = value,
          .interval = around(value, stats::wilson(expected.proportion(part, whole), confidence)),
          .sample_size = rows,
          .method = std::string(kMethod)};
}

Measurement balanced(const Expected& expected, std::uint64_t rows, Confidence confidence) {
  const double positives = expected.true_positive + expected.false_negative;
  const double negatives = expected.true_negative + expected.false_positive;
  if (!(positives > 0 && negatives > 0)) {
    return undefined("expected_balanced_accuracy", rows, confidence);
  }
  const Interval difference =
      stats::newcombe_difference(expected.proportion(expected.true_positive, positives),
                                 expected.proportion(expected.false_positive, negatives), confidence);
  const double value = (expected.true_positive / positives + expected.true_negative / negatives) / 2;
  const Interval interval{
      .low = (difference.low + 1) / 2, .high = (difference.high + 1) / 2, .confidence = confidence};
  return {.name = "expected_balanced_accuracy",
          .value = value,
          .interval = around(value, interval),
          .sample_size = rows,
          .method =
              "confidence-based estimate without labels (CBPE), from the two expected rates by method "
              "10 of Newcombe 1998"};
}

std::vector<Measurement> figures_of(const Expected& expected, const Window& window, Confidence confidence) {
  const double yes = expected.true_positive + expected.false_positive;
  const double positives = expected.true_positive + expected.false_negative;
  return {
      share("expected_accuracy", expected, expected.true_positive + expected.true_negative, expected.rows(),
            confidence),
      balanced(expected, window.scores(), confidence),
      share("expected_precision", expected, expected.true_positive, yes, confidence),
      share("expected_true_positive_rate", expected, expected.true_positive, positives, confidence),
      stats::measure_proportion("selection_rate", {window.answer(true).rows, window.scores()}, confidence)};
}

// Window and reference are independent samples; what the calibration errs by on the reference it errs by in
// the window too, and cancels.
Measurement change_of(const Expected& expected, const stats::BinaryCounts& reference, Confidence confidence) {
  Expected own = expected;
  own.scale = 1;
  const double right = expected.true_positive + expected.true_negative;
  const Interval interval = stats::newcombe_difference(
      own.proportion(right, expected.rows()),
      {.successes = reference.true_positive + reference.true_negative, .trials = reference.rows()},
      confidence);
  const double value = right / expected.rows() - reference.accuracy();
  return {.name = "expected_accuracy_change",
          .value = value,
          .interval = around(value, interval),
          .sample_size = static_cast<std::uint64_t>(std::llround(expected.rows())),
          .method =
              "confidence-based estimate without labels (CBPE) less the counted accuracy of the "
              "reference, by method 10 of Newcombe 1998"};
}

EstimateState state_of(const Measurement& change, double tolerated_fall) {
  switch (stats::judge(change, {.bound = stats::Bound::kAtLeast, .threshold = -tolerated_fall}).outcome) {
    case stats::Outcome::kPasses:
      return EstimateState::kHolds;
    case stats::Outcome::kFellShort:
      return EstimateState::kFell;
    case stats::Outcome::kCouldNotTell:
      return EstimateState::kCouldNotTell;
  }
  return EstimateState::kCouldNotTell;
}

}  // namespace

std::string_view to_string(EstimateState state) {
  switch (state) {
    case EstimateState::kHolds:
      return "holds";
    case EstimateState::kFell:
      return "fell";
    case EstimateState::kCouldNotTell:
      return "could not tell";
  }
  return "could not tell";
}

Result<PerformanceEstimate> estimate_performance(const Window& window, const EstimateOptions& options) {
  const auto& calibration = window.reference().calibration();
  if (!calibration) {
    return fail(ErrorCode::kUnsupported,
                "the reference was frozen without labels, so that scores can't be turned into "
                "probabilities: freeze it with the labels of the validation split");
  }
  if (!(options.tolerated_fall >= 0 && options.tolerated_fall <= 1)) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("the tolerated fall {} is outside of 0 to 1", options.tolerated_fall));
  }
  const stats::BinaryCounts& counted = calibration->confusion;
  const Confidence confidence = options.confidence;
  PerformanceEstimate estimate{
      .state = EstimateState::kCouldNotTell,
      .figures = {},
      .reference_accuracy = stats::measure_proportion(
          "reference_accuracy", {counted.true_positive + counted.true_negative, counted.rows()}, confidence),
      .change = undefined("expected_accuracy_change", window.scores(), confidence)};
  if (window.scores() < std::max<std::uint64_t>(options.minimum_rows, 1)) return estimate;
  const Expected expected = expected_of(window, counted.rows());
  estimate.figures = figures_of(expected, window, confidence);
  estimate.change = change_of(expected, counted, confidence);
  estimate.state = state_of(estimate.change, options.tolerated_fall);
  return estimate;
}

}  // namespace holdfast::monitor
