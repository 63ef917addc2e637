#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "alerts/message.h"
#include "base/json.h"

namespace holdfast::alerts {
namespace {

using nlohmann::json;

// What this module stored was an object; should a row have been changed behind its back, the text shows as
// text.
json parsed(const std::string& details) {
  auto value = base::parse_json(details);
  return value ? *std::move(value) : json(details);
}

json to_json(const NamedSignal& signal) {
  return {{"name", signal.name},
          {"severity", to_string(signal.severity)},
          {"summary", signal.summary},
          {"details", parsed(signal.details)},
          {"count", signal.count},
          {"first_at", signal.first_at.text()},
          {"last_at", signal.last_at.text()}};
}

json to_json(const Transition& transition) {
  return {{"number", transition.number},   {"event", to_string(transition.event)},
          {"at", transition.at.text()},    {"who", transition.who},
          {"comment", transition.comment}, {"record", transition.record.prefixed()}};
}

json list_of(const auto& items) {
  json list = json::array();
  for (const auto& item : items) list.push_back(to_json(item));
  return list;
}

}  // namespace

json to_json(const Alert& alert) {
  return {{"workspace", alert.workspace.value()},
          {"id", alert.id.value()},
          {"source", alert.source},
          {"subject", alert.subject},
          {"state", to_string(alert.state)},
          {"severity", to_string(alert.severity)},
          {"summary", alert.summary},
          {"practice", alert.practice},
          {"risk", alert.risk},
          {"runbook", alert.runbook},
          {"count", alert.count},
          {"reopened", alert.reopened},
          {"quiet_windows", alert.quiet_windows},
          {"opened_at", alert.opened_at.text()},
          {"last_at", alert.last_at.text()},
          {"resolved_at", alert.resolved_at ? json(alert.resolved_at->text()) : json(nullptr)},
          {"record", alert.record.prefixed()}};
}

json to_json(const AlertDetails& details) {
  json value = to_json(details.alert);
  value["signals"] = list_of(details.signals);
  value["history"] = list_of(details.history);
  return value;
}

std::string message_body(const Alert& alert, const std::vector<NamedSignal>& signals,
                         const Transition& transition) {
  json shown = to_json(alert);
  shown["signals"] = list_of(signals);
  const json body{
      {"version", 1},
      {"id", fmt::format("{}/{}/{}", alert.workspace.value(), alert.id.value(), transition.number)},
      {"event", to_string(transition.event)},
      {"at", transition.at.text()},
      {"who", transition.who},
      {"comment", transition.comment},
      {"alert", std::move(shown)}};
  // What was stored is UTF-8; a row changed behind this module's back must not throw here.
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace holdfast::alerts
