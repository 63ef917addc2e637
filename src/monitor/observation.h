#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "monitor/drift.h"
#include "monitor/estimate.h"
#include "stats/measurement.h"

namespace holdfast::monitor {

// What a window came to, one row a figure, in one shape for whatever tells people about it: alerts, metrics,
// posture. A value.
struct Observation {
  enum class State : std::uint8_t { kHealthy, kNoticed, kAlarm, kCouldNotTell };

  std::string subject;  // the column, "score", or "performance"
  State state = State::kCouldNotTell;
  stats::Measurement measurement;           // of drift, the index (PSI) where it is known
  std::string sentence;                     // for a person: "The column \"amount\" drifted: ..."
  std::vector<std::string_view> practices;  // of practices.yaml
  std::vector<std::string_view> risks;
};

std::string_view to_string(Observation::State state);  // "healthy", "noticed", "alarm", "could not tell"

// One for each column and the score: stable is healthy, slight noticed, drifted an alarm.
std::vector<Observation> observe(const DriftReport& report);
// One, of the change of accuracy: holds is healthy, fell an alarm.
Observation observe(const PerformanceEstimate& estimate);

}  // namespace holdfast::monitor
