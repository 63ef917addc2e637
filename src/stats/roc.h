#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"
#include "stats/measurement.h"

// The area under the ROC curve: the chance that a positive row scores above a negative one, ties counting
// half. With DeLong, DeLong and Clarke-Pearson 1988's variance, in O(n log n) by Sun and Xu 2014.

namespace holdfast::stats {

struct RocAuc {
  double value;
  double variance;  // NaN where a class has a single row
  std::uint64_t positives;
  std::uint64_t negatives;
};

// Two models over the same rows.
struct AucComparison {
  RocAuc first;
  RocAuc second;
  double covariance;

  [[nodiscard]] double difference() const { return second.value - first.value; }
  [[nodiscard]] double standard_error() const;
  // Two-sided, of no difference; 1 for models that rank alike, NaN where the variance is unknown.
  [[nodiscard]] double p_value() const;
};

// Labels are 0 or 1. kInvalidArgument, naming the row, for a score that is NaN or a label that is neither;
// and where the lengths differ or a class has no rows.
base::Result<RocAuc> roc_auc(std::span<const double> scores, std::span<const std::uint8_t> labels);
base::Result<AucComparison> compare_auc(std::span<const double> first, std::span<const double> second,
                                        std::span<const std::uint8_t> labels);

// Normal on the logit scale (Pepe 2003, section 5.2.4) with DeLong's variance. Where that variance is zero or
// unknown, as at an area of 0 or 1: method 5 of Newcombe 2006 ("Confidence intervals for an effect measure
// based on the Mann-Whitney statistic, part 2"), which keeps a width there.
Interval auc_interval(const RocAuc& auc, Confidence confidence);

// Of second - first; unbounded where the standard error is zero or unknown.
Interval auc_difference_interval(const AucComparison& comparison, Confidence confidence);

}  // namespace holdfast::stats
