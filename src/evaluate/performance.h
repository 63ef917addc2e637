#pragma once

#include <vector>

#include "evaluate/answers.h"
#include "evaluate/figure.h"

// How right a model's answers are. Pure; the same input gives the same figures. docs/evaluation-figures.md
// has the formulas and sources.

namespace holdfast::evaluate {

struct PerformanceOptions {
  stats::Confidence confidence = stats::kConfidence95;
  std::size_t replicates = 2000;  // of the paired bootstrap against the constant classifier
  std::uint64_t seed = 0;
};

// Overall: accuracy, balanced_accuracy, f1, precision, true_positive_rate, false_positive_rate,
// selection_rate, auc, brier, log_loss, and the four counts are in `confusion`. Beside them what a model that
// always gives one answer has: majority_accuracy, and as differences over "constant" accuracy and
// balanced_accuracy, the latter to one half, which every constant has.
//
// A figure that can't be computed, such as an AUC where all rows are of one class, is NaN over no interval.
struct Performance {
  stats::BinaryCounts confusion;
  std::vector<Figure> figures;
};
base::Result<Performance> measure_performance(const Answers& answers, const PerformanceOptions& options = {});

// The same figures but those about the constant, for each group, in the scope {by, group}. Groups with fewer
// rows than the minimum are in `left_out` alone.
struct GroupPerformance {
  std::vector<Figure> figures;
  std::vector<LeftOut> left_out;
};
base::Result<GroupPerformance> measure_groups(const Answers& answers, const Grouping& grouping,
                                              std::uint64_t minimum_group_rows,
                                              stats::Confidence confidence = stats::kConfidence95);

}  // namespace holdfast::evaluate
