#include "monitor/observation.h"

#include <fmt/format.h>

#include <limits>

namespace holdfast::monitor {
namespace {

using State = Observation::State;

State state_of(DriftState state) {
  switch (state) {
    case DriftState::kStable:
      return State::kHealthy;
    case DriftState::kSlight:
      return State::kNoticed;
    case DriftState::kDrifted:
      return State::kAlarm;
    case DriftState::kCouldNotTell:
      return State::kCouldNotTell;
  }
  return State::kCouldNotTell;
}

State state_of(EstimateState state) {
  switch (state) {
    case EstimateState::kHolds:
      return State::kHealthy;
    case EstimateState::kFell:
      return State::kAlarm;
    case EstimateState::kCouldNotTell:
      return State::kCouldNotTell;
  }
  return State::kCouldNotTell;
}

std::string name_of(const ColumnDrift& column) {
  return column.is_score ? "The score" : fmt::format("The column \"{}\"", column.column);
}

std::string sentence_of(const ColumnDrift& column, std::uint64_t rows) {
  if (column.figures.empty()) {
    return fmt::format("{} could not be told about: the window has {} rows", name_of(column), rows);
  }
  const DriftFigure& psi = column.figures.front();
  const std::string figures = fmt::format(
      "its stability index (PSI) is {:.3f}, which chance keeps under {:.3f} in 95 of 100 windows of {} rows; "
      "adjusted p {:.2g}",
      psi.measurement.value, psi.chance, psi.measurement.sample_size, column.adjusted_p_value);
  switch (column.state) {
    case DriftState::kDrifted:
      return fmt::format("{} drifted: {}", name_of(column), figures);
    case DriftState::kSlight:
      return fmt::format("{} moved a little: {}", name_of(column), figures);
    default:
      return fmt::format("{} is stable: {}", name_of(column), figures);
  }
}

stats::Measurement unknown(std::string name, std::uint64_t rows) {
  return {.name = std::move(name),
          .value = std::numeric_limits<double>::quiet_NaN(),
          .interval = stats::unbounded(stats::kConfidence95),
          .sample_size = rows,
          .method = "could not be told: too few rows"};
}

}  // namespace

std::string_view to_string(State state) {
  switch (state) {
    case State::kHealthy:
      return "healthy";
    case State::kNoticed:
      return "noticed";
    case State::kAlarm:
      return "alarm";
    case State::kCouldNotTell:
      return "could not tell";
  }
  return "could not tell";
}

std::vector<Observation> observe(const DriftReport& report) {
  std::vector<Observation> observations;
  for (const ColumnDrift& column : report.columns) {
    observations.push_back({.subject = column.column,
                            .state = state_of(column.state),
                            .measurement = column.figures.empty() ? unknown("psi", report.rows)
                                                                  : column.figures.front().measurement,
                            .sentence = sentence_of(column, report.rows),
                            .practices = {kDriftPractices.begin(), kDriftPractices.end()},
                            .risks = {kDriftRisks.begin(), kDriftRisks.end()}});
  }
  return observations;
}

Observation observe(const PerformanceEstimate& estimate) {
  const stats::Measurement& change = estimate.change;
  const std::string change_text =
      estimate.figures.empty()
          ? fmt::format("the window has {} scores", change.sample_size)
          : fmt::format("{:+.3f} ({:+.3f} to {:+.3f}) against {:.3f} at the release", change.value,
                        change.interval.low, change.interval.high, estimate.reference_accuracy.value);
  return {.subject = "performance",
          .state = state_of(estimate.state),
          .measurement = change,
          .sentence = fmt::format("The accuracy to be expected without labels {}: {}. {}",
                                  estimate.state == EstimateState::kCouldNotTell ? "could not be told"
                                                                                 : to_string(estimate.state),
                                  change_text, kEstimateAssumption),
          .practices = {kEstimatePractices.begin(), kEstimatePractices.end()},
          .risks = {kEstimateRisks.begin(), kEstimateRisks.end()}};
}

}  // namespace holdfast::monitor
