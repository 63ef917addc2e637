#include "evaluate/fairness_rates.h"

#include <algorithm>

#include "base/assert.h"

namespace holdfast::evaluate {
namespace {

constexpr std::size_t kCellsOfGroup = 4;  // truth x answer: 00, 01, 10, 11

stats::Proportion share_of(std::span<const std::uint64_t> cells, Rate rate) {
  switch (rate) {
    case Rate::kSelection:
      return {.successes = cells[1] + cells[3], .trials = cells[0] + cells[1] + cells[2] + cells[3]};
    case Rate::kTruePositive:
      return {.successes = cells[3], .trials = cells[2] + cells[3]};
    case Rate::kFalsePositive:
      return {.successes = cells[1], .trials = cells[0] + cells[1]};
  }
  return {.successes = 0, .trials = 0};
}

bool is_skipped(const std::vector<bool>& skip, std::size_t group) { return !skip.empty() && skip[group]; }

std::uint64_t rows_of(std::span<const std::uint64_t> cells) {
  std::uint64_t rows = 0;
  for (const std::uint64_t count : cells) rows += count;
  return rows;
}

}  // namespace

GroupRates group_rates(std::span<const std::uint64_t> cells, const std::vector<bool>& skip, Rate rate) {
  const std::size_t groups = cells.size() / kCellsOfGroup;
  HF_ASSERT(cells.size() % kCellsOfGroup == 0 && (skip.empty() || skip.size() == groups));
  GroupRates result{.rates = {}, .shares = {}, .overall = 0};
  result.rates.reserve(groups);
  result.shares.reserve(groups);
  stats::Proportion all{.successes = 0, .trials = 0};
  for (std::size_t group = 0; group < groups; ++group) {
    const stats::Proportion share = share_of(cells.subspan(group * kCellsOfGroup, kCellsOfGroup), rate);
    all.successes += share.successes;
    all.trials += share.trials;
    if (is_skipped(skip, group)) continue;
    result.rates.push_back(share.value());
    result.shares.push_back(share);
  }
  result.overall = all.value();
  return result;
}

std::vector<bool> small_groups(const stats::ConfusionTable& counts, const Grouping& grouping,
                               std::uint64_t minimum_rows, std::vector<LeftOut>& left_out) {
  std::vector<bool> skip(grouping.groups.size());
  for (std::size_t group = 0; group < skip.size(); ++group) {
    const std::uint64_t rows = rows_of(counts.cells().subspan(group * kCellsOfGroup, kCellsOfGroup));
    skip[group] = rows < std::max<std::uint64_t>(minimum_rows, 1);
    if (skip[group]) left_out.push_back({.by = grouping.by, .group = grouping.groups[group], .rows = rows});
  }
  return skip;
}

std::uint64_t rows_kept(std::span<const std::uint64_t> cells, const std::vector<bool>& skip) {
  std::uint64_t rows = 0;
  for (std::size_t group = 0; group * kCellsOfGroup < cells.size(); ++group) {
    if (!is_skipped(skip, group)) rows += rows_of(cells.subspan(group * kCellsOfGroup, kCellsOfGroup));
  }
  return rows;
}

}  // namespace holdfast::evaluate
