#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "monitor/window.h"
#include "stats/measurement.h"

namespace holdfast::monitor {

inline constexpr std::array<std::string_view, 2> kEstimatePractices{"P16", "P18"};
inline constexpr std::array<std::string_view, 1> kEstimateRisks{"R10"};

// What an estimate without labels rests on; to be shown wherever the figures are.
inline constexpr std::string_view kEstimateAssumption =
    "It holds only if scores mean the same as at the release: it sees a change of the inputs, and is blind "
    "to "
    "a change of what follows from them, which late labels tell";

enum class EstimateState { kHolds, kFell, kCouldNotTell };
std::string_view to_string(EstimateState state);  // "holds", "fell", "could not tell"

struct EstimateOptions {
  std::uint64_t minimum_rows = 200;  // with a score; below it, could not tell
  double tolerated_fall = 0.05;      // of accuracy, below that of the reference
  stats::Confidence confidence = stats::kConfidence95;
};

struct PerformanceEstimate {
  // By stats::judge() of `change`, which is to be at least -tolerated_fall.
  EstimateState state = EstimateState::kCouldNotTell;
  // expected_accuracy, expected_balanced_accuracy, expected_precision, expected_true_positive_rate,
  // and the selection_rate, which is counted. None below the minimum of rows.
  std::vector<stats::Measurement> figures;
  stats::Measurement reference_accuracy;  // counted, at the release
  stats::Measurement change;              // expected accuracy less that of the reference
};

// CBPE (NannyML): with p the calibrated probability of 1 of each row, the true positives to be expected are
// the sum of p over the rows answered 1, and so on. An accuracy or rate expected of n rows after a
// calibration on m has the interval of a proportion (Wilson) over 1 / (1/n + 1/m) rows: what sampling makes
// both vary by.
//
// kUnsupported where the reference has no calibration, kInvalidArgument for a tolerated fall outside of 0
// to 1.
base::Result<PerformanceEstimate> estimate_performance(const Window& window,
                                                       const EstimateOptions& options = {});

}  // namespace holdfast::monitor
