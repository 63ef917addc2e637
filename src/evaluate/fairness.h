#pragma once

#include <cstdint>
#include <vector>

#include "evaluate/answers.h"
#include "evaluate/figure.h"

namespace holdfast::evaluate {

// How differently a model answers groups of people, by the definitions of fairlearn 0.15
// (fairlearn.metrics), with intervals. With s_g, t_g and f_g the selection, true and false positive rate of
// group g, "difference" the largest less the smallest of the groups, and "ratio" the smallest by the largest:
//   demographic_parity_difference, demographic_parity_ratio   of s
//   equal_opportunity_difference, equal_opportunity_ratio     of t
//   false_positive_rate_difference, false_positive_rate_ratio of f
//   equalized_odds_difference = max(difference of t, difference of f), equalized_odds_ratio = min of both
// To overall: the largest |x_g - x|, and the smallest of x_g / x and x / x_g, x being the rate of all rows.
//
// One thing differs from fairlearn: a rate over no rows (a group without positives) is not taken as 0; the
// figure is then NaN.
//
// The interval is [figure - q, figure + q] within [0, 1], where q is what the largest deviation of any pair
// of groups (for a ratio, of its logarithm) stays under in the wanted share of resamples, each a multinomial
// draw over the cells group x label x answer. Since |max |a| - max |b|| <= max |a - b|, it covers the true
// figure also where the groups do not differ at all: a percentile interval of a largest difference never
// holds 0. Where a group's rate is exactly 0 or 1, which no resample varies, the reach of its Wilson interval
// is added (difference), or nothing is claimed (ratio with a rate of 0).
struct FairnessOptions {
  enum class Against { kBetweenGroups, kToOverall };

  Against against = Against::kBetweenGroups;
  std::uint64_t minimum_group_rows = 100;  // smaller groups are left out, and said so
  stats::Confidence confidence = stats::kConfidence95;
  std::size_t replicates = 2000;
  std::uint64_t seed = 0;
};

struct Fairness {
  std::vector<Figure> figures;    // in the scope {by}; empty where fewer than two groups remain
  std::vector<LeftOut> left_out;  // in the order of the groups
};

// Of labels and answers, 0 or 1. kInvalidArgument as count_answers(), or for replicates outside of
// stats/bootstrap.h's bounds.
base::Result<Fairness> measure_fairness(std::span<const std::uint8_t> labels,
                                        std::span<const std::uint8_t> predicted, const Grouping& grouping,
                                        const FairnessOptions& options = {});

// The figures alone, of a table of counts of two classes: in the order above. `skip` says for each group
// whether it is left out.
struct FairnessValues {
  double demographic_parity_difference;
  double demographic_parity_ratio;
  double equal_opportunity_difference;
  double equal_opportunity_ratio;
  double false_positive_rate_difference;
  double false_positive_rate_ratio;
  double equalized_odds_difference;
  double equalized_odds_ratio;
};
FairnessValues fairness_values(const stats::ConfusionTable& counts, const std::vector<bool>& skip = {},
                               FairnessOptions::Against against = FairnessOptions::Against::kBetweenGroups);

}  // namespace holdfast::evaluate
