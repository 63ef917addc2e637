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

// Practices and risks of practices.yaml that these figures are about.
inline constexpr std::array<std::string_view, 2> kDriftPractices{"P16", "P18"};
inline constexpr std::array<std::string_view, 2> kDriftRisks{"R09", "R10"};

struct DriftOptions {
  // The chance that a window without any drift raises an alarm in any column, at most: p-values are adjusted
  // over the columns and the score by Holm 1979.
  double false_alarms = 0.01;
  // Fewer rows than this, of the window or of the reference: could not tell.
  std::uint64_t minimum_rows = 200;
  // A difference that is no chance and yet smaller than this population stability index is slight.
  double smallest_psi = 0.1;
  stats::Confidence confidence = stats::kConfidence95;
  std::uint64_t seed = 0;
};

enum class DriftState { kStable, kSlight, kDrifted, kCouldNotTell };
std::string_view to_string(DriftState state);  // "stable", "slight", "drifted", "could not tell"

// One distance of a window from its reference.
struct DriftFigure {
  stats::Measurement measurement;  // "psi", "jensen_shannon" or "kolmogorov_smirnov"
  double chance;   // what 95 of 100 windows of this size stay under without any drift: the least that is told
  double p_value;  // the chance of a distance as large without any drift
};

struct ColumnDrift {
  std::string column;
  bool is_score = false;
  DriftState state = DriftState::kCouldNotTell;
  double p_value = 1;           // of this column: of Jensen-Shannon, for numbers twice the least with KS
  double adjusted_p_value = 1;  // compare with `false_alarms`
  std::vector<DriftFigure> figures;
};

struct DriftReport {
  DriftState state = DriftState::kCouldNotTell;  // the worst of the columns
  std::uint64_t rows = 0;
  std::vector<ColumnDrift> columns;  // those of the reference, then the score
  std::string procedure;             // how alarms are kept rare, in a sentence
};

// Distances in the reference's bins (the missing and what was never seen among them), and for numbers over
// fine buckets:
//   psi                 sum (r - c) ln(r / c), a share of 0 taken as 1e-4; its p-value is shown, not used
//   jensen_shannon      sqrt(KL(r | m) / 2 + KL(c | m) / 2) to base 2, in [0, 1]
//   kolmogorov_smirnov  the largest distance of the distribution functions, known to 0.78% of the value
// Without drift, both samples are draws from one distribution: the p-values of the first two come from
// drawing both again, at their sizes, from the counts of both together, until 20 draws were as far apart
// (Besag and Clifford 1991); that of the third is Kolmogorov's limit, which is conservative for values that
// repeat.
//
// Deterministic for a seed. kInvalidArgument for options out of range.
base::Result<DriftReport> measure_drift(const Window& window, const DriftOptions& options = {});

}  // namespace holdfast::monitor
