#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "evaluate/answers.h"
#include "evaluate/figure.h"
#include "stats/classification.h"
#include "stats/proportion.h"

// Rates by group, from cells group x truth x answer.

namespace holdfast::evaluate {

enum class Rate : std::uint8_t { kSelection, kTruePositive, kFalsePositive };
inline constexpr std::array<Rate, 3> kRates{Rate::kSelection, Rate::kTruePositive, Rate::kFalsePositive};

// One rate of the groups that are not skipped, and of all rows. A rate over no rows is NaN.
struct GroupRates {
  std::vector<double> rates;
  std::vector<stats::Proportion> shares;
  double overall;
};

// An empty `skip` skips none.
GroupRates group_rates(std::span<const std::uint64_t> cells, const std::vector<bool>& skip, Rate rate);

// Which groups have too few rows; they are added to `left_out`.
std::vector<bool> small_groups(const stats::ConfusionTable& counts, const Grouping& grouping,
                               std::uint64_t minimum_rows, std::vector<LeftOut>& left_out);

// Of the groups that are not skipped.
std::uint64_t rows_kept(std::span<const std::uint64_t> cells, const std::vector<bool>& skip);

}  // namespace holdfast::evaluate
