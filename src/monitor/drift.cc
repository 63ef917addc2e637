#include "monitor/drift.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "monitor/distances.h"
#include "stats/tests.h"

namespace holdfast::monitor {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;

Result<> check_options(const DriftOptions& options) {
  if (!(options.false_alarms > 0 && options.false_alarms < 1)) {
    return fail(
        ErrorCode::kInvalidArgument,
        fmt::format("the chance of a false alarm lies between 0 and 1, not at {}", options.false_alarms));
  }
  if (!(options.smallest_psi >= 0)) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("the smallest index that counts is {}, below 0", options.smallest_psi));
  }
  if (options.minimum_rows < 1) {
    return fail(ErrorCode::kInvalidArgument, "a window needs at least one row to be told about");
  }
  return {};
}

std::uint64_t rows_of(const std::vector<std::uint64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

// Its p-value and figures; without any where there are too few rows.
Result<ColumnDrift> measure_column(const ReferenceColumn& reference, const ColumnWindow& window,
                                   const DriftOptions& options, std::uint32_t stream) {
  ColumnDrift drift;
  drift.column = reference.name;
  const auto& before = reference.bins.reference_counts();
  const auto now = window.bins(reference);
  if (std::min(rows_of(before), rows_of(now)) < options.minimum_rows) return drift;
  HF_TRY(auto bins, measure_bins(before, now, options.confidence, options.seed, stream));
  drift.p_value = bins.jensen_shannon.p_value;
  drift.figures = {std::move(bins.psi), std::move(bins.jensen_shannon)};
  if (reference.numbers && reference.numbers->count() > 0 && window.numbers().count() > 0) {
    auto distance = measure_kolmogorov_smirnov(*reference.numbers, window.numbers(), options.confidence);
    drift.p_value = std::min(1.0, 2 * std::min(drift.p_value, distance.p_value));
    drift.figures.push_back(std::move(distance));
  }
  return drift;
}

DriftState state_of(const ColumnDrift& drift, const DriftOptions& options) {
  if (drift.figures.empty()) return DriftState::kCouldNotTell;
  if (drift.adjusted_p_value > options.false_alarms) return DriftState::kStable;
  const double psi = drift.figures.front().measurement.value;
  return psi >= options.smallest_psi ? DriftState::kDrifted : DriftState::kSlight;
}

// Holm's adjustment over the columns that could be told about, and the states that follow.
void judge(std::vector<ColumnDrift>& columns, const DriftOptions& options) {
  std::vector<double> p_values;
  for (const ColumnDrift& column : columns) {
    if (!column.figures.empty()) p_values.push_back(column.p_value);
  }
  const std::vector<double> adjusted = stats::holm(p_values);
  std::size_t next = 0;
  for (ColumnDrift& column : columns) {
    if (!column.figures.empty()) column.adjusted_p_value = adjusted[next++];
    column.state = state_of(column, options);
  }
}

DriftState worst_of(const std::vector<ColumnDrift>& columns) {
  for (const DriftState state : {DriftState::kDrifted, DriftState::kSlight, DriftState::kCouldNotTell}) {
    if (std::any_of(columns.begin(), columns.end(),
                    [&](const ColumnDrift& column) { return column.state == state; })) {
      return state;
    }
  }
  return DriftState::kStable;
}

}  // namespace

std::string_view to_string(DriftState state) {
  switch (state) {
    case DriftState::kStable:
      return "stable";
    case DriftState::kSlight:
      return "slight";
    case DriftState::kDrifted:
      return "drifted";
    case DriftState::kCouldNotTell:
      return "could not tell";
  }
  return "could not tell";
}

Result<DriftReport> measure_drift(const Window& window, const DriftOptions& options) {
  HF_CHECK(check_options(options));
  const Reference& reference = window.reference();
  DriftReport report;
  report.rows = window.rows();
  std::uint32_t stream = 0;
  for (std::size_t i = 0; i < reference.columns().size(); ++i) {
    HF_TRY(auto column, measure_column(reference.columns()[i], window.columns()[i], options, stream++));
    report.columns.push_back(std::move(column));
  }
  HF_TRY(auto score, measure_column(reference.score(), window.score(), options, stream));
  score.is_score = true;
  report.columns.push_back(std::move(score));
  judge(report.columns, options);
  report.state = worst_of(report.columns);
  report.procedure = fmt::format(
      "Jensen-Shannon distance in frozen bins, and for numbers Kolmogorov-Smirnov, adjusted over {} columns "
      "by Holm 1979: at most {:g} of windows without drift raise an alarm; drifted from an index (PSI) of "
      "{:g} on, at least {} rows",
      report.columns.size(), options.false_alarms, options.smallest_psi, options.minimum_rows);
  return report;
}

}  // namespace holdfast::monitor
