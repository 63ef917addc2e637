#include "evaluate/fairness.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>

#include "evaluate/fairness_rates.h"
#include "evaluate/measures.h"
#include "stats/bootstrap.h"
#include "stats/proportion.h"

namespace holdfast::evaluate {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using Against = FairnessOptions::Against;
using Cells = std::span<const std::uint64_t>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double log_or_undefined(double rate) { return rate > 0 ? std::log(rate) : -kInfinity; }

// The largest deviation of any comparison from what it is in the table itself, of one rate; and of its
// logarithm. With a pair of groups compared, that is the largest less the smallest deviation of a group.
struct Deviation {
  double difference = 0;
  double ratio = 0;
};

double spread(double low, double high) {
  return std::isfinite(low) && std::isfinite(high) ? high - low : kInfinity;
}

Deviation deviation(const GroupRates& drawn, const GroupRates& table, Against against) {
  const bool to_overall = against == Against::kToOverall;
  const double overall = drawn.overall - table.overall;
  const double overall_log = log_or_undefined(drawn.overall) - log_or_undefined(table.overall);
  double low = to_overall ? 0 : kInfinity;
  double high = to_overall ? 0 : -kInfinity;
  double log_low = low;
  double log_high = high;
  double farthest = 0;
  double log_farthest = 0;
  for (std::size_t g = 0; g < table.rates.size(); ++g) {
    const double moved = drawn.rates[g] - table.rates[g];
    const double log_moved = log_or_undefined(drawn.rates[g]) - log_or_undefined(table.rates[g]);
    if (std::isnan(moved)) return {.difference = kInfinity, .ratio = kInfinity};
    low = std::min(low, moved);
    high = std::max(high, moved);
    farthest = std::max(farthest, std::abs(moved - overall));
    // An infinite logarithm, here or in the table, is no number to compare: nothing is then claimed.
    if (!std::isfinite(log_moved)) log_high = kInfinity;
    log_low = std::min(log_low, log_moved);
    log_high = std::max(log_high, log_moved);
    log_farthest =
        std::max(log_farthest, std::isfinite(log_moved) ? std::abs(log_moved - overall_log) : kInfinity);
  }
  if (to_overall) return {.difference = farthest, .ratio = log_farthest};
  return {.difference = spread(low, high), .ratio = spread(log_low, log_high)};
}

// What deviations stay under in the wanted share of replicates, counted so that it is never too small.
double quantile(std::vector<double>& deviations, stats::Confidence confidence) {
  const double rank = std::ceil(confidence.level() * static_cast<double>(deviations.size() + 1));
  if (rank > static_cast<double>(deviations.size())) return kInfinity;
  const auto at = deviations.begin() + static_cast<std::ptrdiff_t>(rank) - 1;
  std::nth_element(deviations.begin(), at, deviations.end());
  return *at;
}

// How far Wilson's interval reaches from a rate of exactly 0 or 1, which no resample moves; the largest.
double reach_of_certain(const GroupRates& table, stats::Confidence confidence) {
  double reach = 0;
  for (const stats::Proportion& share : table.shares) {
    if (share.trials == 0 || (share.successes > 0 && share.successes < share.trials)) continue;
    const stats::Interval interval = stats::wilson(share, confidence);
    reach = std::max(reach, interval.high - interval.low);
  }
  return reach;
}

// One figure: of which rates, and whether a ratio.
struct Definition {
  std::string_view name;
  double FairnessValues::* value;
  bool is_ratio;
  std::array<std::optional<Rate>, 2> rates;
};

constexpr std::array<Definition, 8> kDefinitions{{
    {"demographic_parity_difference",
     &FairnessValues::demographic_parity_difference,
     false,
     {Rate::kSelection, std::nullopt}},
    {"demographic_parity_ratio",
     &FairnessValues::demographic_parity_ratio,
     true,
     {Rate::kSelection, std::nullopt}},
    {"equal_opportunity_difference",
     &FairnessValues::equal_opportunity_difference,
     false,
     {Rate::kTruePositive, std::nullopt}},
    {"equal_opportunity_ratio",
     &FairnessValues::equal_opportunity_ratio,
     true,
     {Rate::kTruePositive, std::nullopt}},
    {"false_positive_rate_difference",
     &FairnessValues::false_positive_rate_difference,
     false,
     {Rate::kFalsePositive, std::nullopt}},
    {"false_positive_rate_ratio",
     &FairnessValues::false_positive_rate_ratio,
     true,
     {Rate::kFalsePositive, std::nullopt}},
    {"equalized_odds_difference",
     &FairnessValues::equalized_odds_difference,
     false,
     {Rate::kTruePositive, Rate::kFalsePositive}},
    {"equalized_odds_ratio",
     &FairnessValues::equalized_odds_ratio,
     true,
     {Rate::kTruePositive, Rate::kFalsePositive}},
}};

using RatesOfTable = std::array<GroupRates, kRates.size()>;

RatesOfTable rates_of(Cells cells, const std::vector<bool>& skip) {
  return {group_rates(cells, skip, kRates[0]), group_rates(cells, skip, kRates[1]),
          group_rates(cells, skip, kRates[2])};
}

double largest_difference(const GroupRates& rates, Against against) {
  double low = kInfinity;
  double high = -kInfinity;
  double farthest = 0;
  for (const double rate : rates.rates) {
    if (std::isnan(rate)) return rate;
    low = std::min(low, rate);
    high = std::max(high, rate);
    farthest = std::max(farthest, std::abs(rate - rates.overall));
  }
  return against == Against::kToOverall ? farthest : high - low;
}

// 0 / 0 is NaN: groups that never are called 1 have no ratio.
double smallest_ratio(const GroupRates& rates, Against against) {
  double low = kInfinity;
  double high = -kInfinity;
  for (const double rate : rates.rates) {
    if (std::isnan(rate)) return rate;
    low = std::min(low, rate);
    high = std::max(high, rate);
  }
  if (against == Against::kBetweenGroups) return low / high;
  return std::min(low / rates.overall, rates.overall / high);
}

// NaN where either is.
double worse(double a, double b, bool smaller) {
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<double>::quiet_NaN();
  return smaller ? std::min(a, b) : std::max(a, b);
}

FairnessValues values_of(const RatesOfTable& rates, Against against) {
  std::array<double, kRates.size()> difference{};
  std::array<double, kRates.size()> ratio{};
  for (std::size_t i = 0; i < kRates.size(); ++i) {
    difference[i] = largest_difference(rates[i], against);
    ratio[i] = smallest_ratio(rates[i], against);
  }
  return {.demographic_parity_difference = difference[0],
          .demographic_parity_ratio = ratio[0],
          .equal_opportunity_difference = difference[1],
          .equal_opportunity_ratio = ratio[1],
          .false_positive_rate_difference = difference[2],
          .false_positive_rate_ratio = ratio[2],
          .equalized_odds_difference = worse(difference[1], difference[2], /*smaller=*/false),
          .equalized_odds_ratio = worse(ratio[1], ratio[2], /*smaller=*/true)};
}

// For each figure the deviations of its replicates.
using Deviations = std::array<std::vector<double>, kDefinitions.size()>;

Deviations resampled_deviations(Cells cells, const std::vector<bool>& skip, const FairnessOptions& options,
                                const RatesOfTable& table) {
  Deviations all;
  std::vector<std::uint64_t> drawn(cells.size());
  for (std::size_t replicate = 0; replicate < options.replicates; ++replicate) {
    stats::resample(cells, options.seed, replicate, drawn);
    std::array<Deviation, kRates.size()> of_rate;
    for (std::size_t i = 0; i < kRates.size(); ++i) {
      of_rate[i] = deviation(group_rates(drawn, skip, kRates[i]), table[i], options.against);
    }
    for (std::size_t figure = 0; figure < kDefinitions.size(); ++figure) {
      double farthest = 0;
      for (const auto& rate : kDefinitions[figure].rates) {
        if (!rate) continue;
        const Deviation& moved = of_rate[static_cast<std::size_t>(*rate)];
        farthest = std::max(farthest, kDefinitions[figure].is_ratio ? moved.ratio : moved.difference);
      }
      all[figure].push_back(farthest);
    }
  }
  return all;
}

stats::Interval interval_of(const Definition& figure, double value, double reach, const RatesOfTable& table,
                            stats::Confidence confidence) {
  if (std::isnan(value)) return stats::unbounded(confidence);
  if (figure.is_ratio) {
    // exp(-inf) = 0 and exp(inf) is cut to 1: nothing is claimed.
    return {.low = value == 0 ? 0 : value * std::exp(-reach),
            .high = value == 0 ? 1 : std::min(1.0, value * std::exp(reach)),
            .confidence = confidence};
  }
  for (const auto& rate : figure.rates) {
    if (rate) reach += reach_of_certain(table[static_cast<std::size_t>(*rate)], confidence);
  }
  return {
      .low = std::max(0.0, value - reach), .high = std::min(1.0, value + reach), .confidence = confidence};
}

}  // namespace

FairnessValues fairness_values(const stats::ConfusionTable& counts, const std::vector<bool>& skip,
                               Against against) {
  return values_of(rates_of(counts.cells(), skip), against);
}

Result<Fairness> measure_fairness(std::span<const std::uint8_t> labels,
                                  std::span<const std::uint8_t> predicted, const Grouping& grouping,
                                  const FairnessOptions& options) {
  if (options.replicates < stats::kMinReplicates || options.replicates > stats::kMaxReplicates) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("a bootstrap takes {} to {} replicates, not {}", stats::kMinReplicates,
                            stats::kMaxReplicates, options.replicates));
  }
  HF_TRY(const auto counts, count_answers(labels, predicted, &grouping));
  Fairness result;
  const std::vector<bool> skip = small_groups(counts, grouping, options.minimum_group_rows, result.left_out);
  const auto kept = static_cast<std::uint64_t>(std::count(skip.begin(), skip.end(), false));
  if (kept < 2) return result;

  const Cells cells = counts.cells();
  const RatesOfTable table = rates_of(cells, skip);
  const FairnessValues values = values_of(table, options.against);
  Deviations deviations = resampled_deviations(cells, skip, options, table);
  const Scope scope{.over = "", .under = "", .by = grouping.by, .group = ""};
  for (std::size_t i = 0; i < kDefinitions.size(); ++i) {
    const Definition& figure = kDefinitions[i];
    const double value = values.*figure.value;
    const double reach = quantile(deviations[i], options.confidence);
    result.figures.push_back(
        {.scope = scope,
         .measurement = {
             .name = std::string(figure.name),
             .value = value,
             .interval = interval_of(figure, value, reach, table, options.confidence),
             .sample_size = rows_kept(cells, skip),
             .method = fmt::format("fairlearn's definition {}, {} groups of at least {} rows; bootstrap over "
                                   "cells, {} replicates, band of the largest deviation",
                                   options.against == Against::kToOverall ? "to overall" : "between groups",
                                   kept, options.minimum_group_rows, options.replicates)}});
  }
  return result;
}

}  // namespace holdfast::evaluate
