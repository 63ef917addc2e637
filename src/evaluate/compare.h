#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "evaluate/answers.h"
#include "evaluate/fairness.h"
#include "evaluate/figure.h"

// What changed from one model to another over the same rows: each figure of the candidate less that of the
// base, with an interval that keeps the pairing of the rows. Positive means that the candidate's is larger;
// whether that is better depends on the figure.

namespace holdfast::evaluate {

struct CompareOptions {
  std::string over = "champion";  // the base's name: the scope's `over`
  std::uint64_t minimum_group_rows = 100;
  stats::Confidence confidence = stats::kConfidence95;
  std::size_t replicates = 2000;
  std::uint64_t seed = 0;
};

// accuracy, balanced_accuracy, f1, precision, true_positive_rate, false_positive_rate and selection_rate by a
// bootstrap over the joint cells label x base's answer x candidate's; auc by DeLong's covariance; brier and
// log_loss by the mean of the rows' differences. kInvalidArgument unless the labels are the same.
base::Result<std::vector<Figure>> compare_models(const Answers& base, const Answers& candidate,
                                                 const CompareOptions& options = {});

// Those of compare_models() that need answers only, in the scope given beside `over`; under attack
// (answers_under_attack) accuracy and balanced_accuracy alone, named robust_...
base::Result<std::vector<Figure>> compare_answers(std::span<const std::uint8_t> labels,
                                                  std::span<const std::uint8_t> base,
                                                  std::span<const std::uint8_t> candidate,
                                                  const std::string& under = "",
                                                  const CompareOptions& options = {});

// The figures of fairness.h. The interval reaches as far to both sides as the difference and its replicates
// lie apart in the wanted share of them: a percentile interval would miss the true difference too often where
// one of the models treats groups alike. Groups left out as there.
base::Result<Fairness> compare_fairness(std::span<const std::uint8_t> labels,
                                        std::span<const std::uint8_t> base,
                                        std::span<const std::uint8_t> candidate, const Grouping& grouping,
                                        const CompareOptions& options = {});

enum class Change { kGain, kCost, kCouldNotTell, kNeutral };
std::string_view to_string(Change change);  // "gain", "cost", "could not tell", "neutral"

// A gain or a cost only where the whole interval lies on one side of 0; neutral where neither way is better.
Change change_of(const Figure& difference);

}  // namespace holdfast::evaluate
