#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Structured logs: one line of logfmt (or JSON) a message on standard error, the event's name first and its
// fields after. Never a secret, never a request's values. Thread-safe.

namespace holdfast::base {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kLogfmt, kJson };
using LogFields = std::vector<std::pair<std::string_view, std::string>>;

// Once, before threads start. Until then: warnings and errors, as logfmt.
void configure_log(LogLevel threshold, LogFormat format);

void log(LogLevel level, std::string_view event, const LogFields& fields = {});

}  // namespace holdfast::base
