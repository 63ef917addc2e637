#include <fmt/format.h>

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "base/uri.h"
#include "inspect/report.h"

// SARIF 2.1.0: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html

namespace holdfast::inspect {
namespace {

using Json = nlohmann::ordered_json;

// Section 3.58.6: a level for consumers that know no more; security-severity is what code hosts sort by.
std::string_view level_of(Severity severity) {
  if (severity >= Severity::kHigh) return "error";
  return severity == Severity::kMedium ? "warning" : "note";
}

std::string_view security_severity(Severity severity) {
  switch (severity) {
    case Severity::kCritical:
      return "9.5";
    case Severity::kHigh:
      return "8.0";
    case Severity::kMedium:
      return "5.5";
    case Severity::kLow:
      return "2.0";
    case Severity::kInfo:
      return "0.0";
  }
  return "0.0";
}

Json rules_of(const Report& report) {
  std::set<std::string_view> used;
  for (const auto& file : report.files) {
    for (const auto& finding : file.findings) used.insert(finding.rule_id);
    for (const auto& dismissed : file.dismissed) used.insert(dismissed.finding.rule_id);
  }
  Json rules = Json::array();
  for (const auto& own : all_rules()) {
    if (!used.contains(own.id)) continue;
    const Rule rule = report.rule(own.id).value_or(own);
    Json tags = Json::array({"security", rule.practice, rule.risk});
    if (!rule.atlas.empty()) tags.push_back(rule.atlas);
    rules.push_back({{"id", rule.id},
                     {"shortDescription", {{"text", rule.title}}},
                     {"fullDescription", {{"text", rule.explanation}}},
                     {"help", {{"text", rule.remedy}}},
                     {"defaultConfiguration", {{"level", level_of(rule.severity)}}},
                     {"properties",
                      {{"tags", std::move(tags)}, {"security-severity", security_severity(rule.severity)}}}});
  }
  return rules;
}

Json result_of(const FileReport& file, const Finding& finding) {
  Json physical{{"artifactLocation", {{"uri", base::uri_of_path(file.path)}}}};
  // A byte inside an archive's member is no byte of the file itself: the member's name goes into the logical
  // location.
  const bool innermost = finding.path == file.path;
  if (innermost && finding.offset) physical["region"] = {{"byteOffset", *finding.offset}, {"byteLength", 1}};
  Json location{{"physicalLocation", std::move(physical)}};
  if (!innermost) {
    location["logicalLocations"] = Json::array({{{"fullyQualifiedName", finding.path}, {"kind", "member"}}});
  }
  Json result{{"ruleId", finding.rule_id},
              {"level", level_of(finding.severity)},
              {"message", {{"text", finding.message}}},
              {"locations", Json::array({std::move(location)})},
              {"partialFingerprints", {{"holdfast/v1", fingerprint(finding)}}},
              {"properties", {{"severity", to_string(finding.severity)}}}};
  if (!innermost && finding.offset) result["properties"]["offset"] = *finding.offset;
  return result;
}

// Section 3.35: "external", since it stands in no source but in a file beside it.
Json result_of(const FileReport& file, const Dismissed& dismissed) {
  auto result = result_of(file, dismissed.finding);
  result["suppressions"] = Json::array(
      {{{"kind", "external"},
        {"status", "accepted"},
        {"justification", dismissed.dismissal.reason},
        {"properties",
         {{"reviewer", dismissed.dismissal.reviewer}, {"expires", dismissed.dismissal.expires.text()}}}}});
  return result;
}

}  // namespace

std::string to_sarif(const Report& report, std::string_view tool_version) {
  Json results = Json::array();
  Json artifacts = Json::array();
  Json notifications = Json::array();
  for (const auto& file : report.files) {
    artifacts.push_back({{"location", {{"uri", base::uri_of_path(file.path)}}}, {"length", file.size_bytes}});
    for (const auto& finding : file.findings) results.push_back(result_of(file, finding));
    for (const auto& dismissed : file.dismissed) results.push_back(result_of(file, dismissed));
    for (const auto& gap : file.not_looked_at) {
      notifications.push_back(
          {{"level", "error"},
           {"message", {{"text", fmt::format("{}: not looked at: {}", file.path, gap)}}}});
    }
  }
  Json driver{{"name", "Holdfast"}, {"version", tool_version}, {"rules", rules_of(report)}};
  if (report.rules.version != 0) {
    // Section 3.19.12: the version of what the tool judges by is part of what it is.
    driver["semanticVersion"] = fmt::format("{}+rules.{}", tool_version, report.rules.version);
    driver["properties"] = {{"rulesVersion", report.rules.version},
                            {"rulesIssuedAt", report.rules.issued_at.text()}};
  }
  Json run{{"tool", {{"driver", std::move(driver)}}},
           {"invocations", Json::array({{{"executionSuccessful", report.complete()},
                                         {"toolExecutionNotifications", std::move(notifications)}}})},
           {"artifacts", std::move(artifacts)},
           {"results", std::move(results)}};
  const Json whole{{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                   {"version", "2.1.0"},
                   {"runs", Json::array({std::move(run)})}};
  return whole.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace holdfast::inspect
