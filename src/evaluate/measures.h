#pragma once

#include <string>
#include <vector>

#include "evaluate/answers.h"
#include "evaluate/figure.h"
#include "stats/classification.h"
#include "stats/roc.h"

// The figures that performance, robustness and comparisons share.

namespace holdfast::evaluate {

// NaN over no interval: what can't be computed, and why.
stats::Measurement undefined(std::string name, std::uint64_t rows, stats::Confidence confidence,
                             std::string_view why);

// The mean of the true positive and the true negative rate: half of the difference of the true and the false
// positive rate, plus one half, with that difference's interval.
stats::Measurement measure_balanced_accuracy(std::string name, const stats::BinaryCounts& counts,
                                             stats::Confidence confidence);

// 2 TP / (2 TP + FP + FN) = 2 q / (1 + q) with q = TP / (TP + FP + FN), a share of rows.
double f1(const stats::BinaryCounts& counts);

// Those of counts alone: accuracy, balanced_accuracy, f1, precision, true_positive_rate,
// false_positive_rate, selection_rate.
std::vector<stats::Measurement> measure_counts(const stats::BinaryCounts& counts,
                                               stats::Confidence confidence);
// Those of scores: auc, brier, log_loss. Of answers that were checked.
base::Result<std::vector<stats::Measurement>> measure_scores(const Answers& answers,
                                                             stats::Confidence confidence);

// -ln of the probability of the truth, clamped as stats::log_loss().
double log_loss_of(double score, bool truth);

}  // namespace holdfast::evaluate
