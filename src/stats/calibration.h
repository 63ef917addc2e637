#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "stats/classification.h"
#include "stats/measurement.h"

// Turning scores into probabilities by what happened in a reference sample, and from such probabilities
// alone, without labels, how well a model performs now.

namespace holdfast::stats {

// Isotonic regression: the non-decreasing function nearest to the targets in squares, by pooling adjacent
// violators (Barlow et al. 1972); linear between its knots and constant beyond them. A value.
class IsotonicRegression {
 public:
  struct Knot {
    double x;
    double y;
    friend bool operator==(const Knot&, const Knot&) = default;
  };

  // Equal x are averaged first. kInvalidArgument where the lengths differ, there are no rows, or a value is
  // not finite.
  static base::Result<IsotonicRegression> fit(std::span<const double> x, std::span<const double> targets);
  // From stored knots: kDataCorrupt unless there is one, all are finite, x ascends and y never falls.
  static base::Result<IsotonicRegression> from_knots(std::vector<Knot> knots);

  // NaN for NaN.
  [[nodiscard]] double apply(double x) const;
  // Without those on a line of constant y between two others.
  [[nodiscard]] std::span<const Knot> knots() const { return knots_; }

 private:
  explicit IsotonicRegression(std::vector<Knot> knots) : knots_(std::move(knots)) {}
  std::vector<Knot> knots_;
};

// Calibrates each class against the rest, and scales the results to add up to 1.
class ProbabilityCalibrator {
 public:
  // From scores in [0, 1] and true classes of a reference sample. kInvalidArgument as log_loss().
  static base::Result<ProbabilityCalibrator> fit(const ProbabilityTable& scores,
                                                 std::span<const std::uint32_t> labels);

  // One row of as many scores as there are classes, asserted. Where every class comes out as 0, all are
  // equal.
  [[nodiscard]] std::vector<double> apply(std::span<const double> scores) const;
  [[nodiscard]] std::span<const IsotonicRegression> classes() const { return classes_; }

 private:
  std::vector<IsotonicRegression> classes_;
};

// CBPE (NannyML): what a confusion matrix is expected to be if the probabilities are right. It sees a change
// of the inputs, and is blind to a change of what follows from them (concept drift): late labels tell that.
struct ExpectedPerformance {
  std::vector<double> confusion;  // expected rows, by true class and predicted class
  // The interval is Wilson's for the expected count of right answers: what the accuracy over this many rows
  // would vary by (the sampling error), given that calibration still holds.
  Measurement accuracy;
};

// kInvalidArgument as log_loss(), with the predicted classes for labels; kLimitExceeded where the matrix
// would have more than kMaxConfusionCells.
base::Result<ExpectedPerformance> expected_performance(const ProbabilityTable& calibrated,
                                                       std::span<const std::uint32_t> predicted,
                                                       Confidence confidence);

}  // namespace holdfast::stats
