#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "base/time.h"

namespace holdfast::base {
namespace {

struct Log {
  std::shared_ptr<spdlog::logger> sink;
  LogFormat format = LogFormat::kLogfmt;
};

Log& the_log() {
  static Log log = [] {
    auto sink = spdlog::stderr_logger_mt("holdfast");
    sink->set_pattern("%v");
    sink->set_level(spdlog::level::warn);
    sink->flush_on(spdlog::level::trace);
    return Log{std::move(sink), LogFormat::kLogfmt};
  }();
  return log;
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

// A value as JSON text, so that a quote or a line break from outside can't forge a field or a line.
std::string quoted(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

bool needs_quotes(std::string_view text) {
  return text.empty() ||
         text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:/@+") !=
             std::string_view::npos;
}

std::string as_logfmt(LogLevel level, std::string_view event, const LogFields& fields) {
  std::string line = "time=" + system_clock().now().text();
  const auto add = [&line](std::string_view name, std::string_view value) {
    line.append(" ").append(name).append("=").append(needs_quotes(value) ? quoted(value)
                                                                         : std::string(value));
  };
  add("level", name_of(level));
  add("event", event);
  for (const auto& [name, value] : fields) add(name, value);
  return line;
}

std::string as_json(LogLevel level, std::string_view event, const LogFields& fields) {
  nlohmann::ordered_json line{
      {"time", system_clock().now().text()}, {"level", name_of(level)}, {"event", event}};
  for (const auto& [name, value] : fields) line[std::string(name)] = value;
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

void configure_log(LogLevel threshold, LogFormat format) {
  the_log().sink->set_level(spdlog_level(threshold));
  the_log().format = format;
}

void log(LogLevel level, std::string_view event, const LogFields& fields) {
  auto& target = the_log();
  if (!target.sink->should_log(spdlog_level(level))) return;
  const auto line =
      target.format == LogFormat::kJson ? as_json(level, event, fields) : as_logfmt(level, event, fields);
  target.sink->log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace holdfast::base
