#pragma once

#include <string>
#include <vector>

#include "alerts/alerts.h"

// For alerts/ alone: what a webhook is told.

namespace holdfast::alerts {

// The gravest signals of an alert stand in a message; the API gives all.
inline constexpr std::int64_t kMaxTold = 16;

// Compact JSON, as docs/alerts.md describes it.
std::string message_body(const Alert& alert, const std::vector<NamedSignal>& signals,
                         const Transition& transition);

}  // namespace holdfast::alerts
