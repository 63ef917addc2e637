#include "supply/advisory_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include <nlohmann/json.hpp>

#include "base/uri.h"

namespace holdfast::supply {
namespace {

using Json = nlohmann::ordered_json;

std::string score_text(const Match& match) {
  if (!match.score_tenths) return std::string(to_string(match.severity));
  return fmt::format("{} {}.{}", to_string(match.severity), *match.score_tenths / 10,
                     *match.score_tenths % 10);
}

// "0.94358": a probability of hundred-thousandths.
std::string share_text(std::uint32_t share) {
  return fmt::format("{}.{:05}", share / 100'000, share % 100'000);
}

std::string day_text(base::Timestamp moment) { return moment.text().substr(0, 10); }

std::string exploited_text(const Match& match) {
  return fmt::format("known to be exploited since {}{}", day_text(*match.exploitation->known_since),
                     match.exploitation->by_ransomware ? ", by ransomware too" : "");
}

std::string sentence_of(const Match& match) {
  auto sentence = fmt::format("{} has {}", match.purl, match.id);
  if (!match.summary.empty()) sentence += ": " + match.summary;
  sentence += match.upgrade.empty() ? "; no version is known to fix it" : "; upgrade to " + match.upgrade;
  if (match.known_exploited()) sentence += "; it is " + exploited_text(match);
  return sentence;
}

// What a terminal would obey is no text.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : text) out.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c);
  return out;
}

std::string whole(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string_view level_of(Severity severity) {
  if (severity >= Severity::kHigh || severity == Severity::kUnknown) return "error";
  return severity == Severity::kMedium ? "warning" : "note";
}

Json exploitation_json(const Exploitation& exploitation) {
  Json json = Json::object();
  if (exploitation.probability) {
    json["epss"] = share_text(*exploitation.probability);
    json["epss_percentile"] = share_text(exploitation.percentile);
  }
  if (exploitation.known_since) {
    json["known_exploited_since"] = day_text(*exploitation.known_since);
    json["known_ransomware"] = exploitation.by_ransomware;
  }
  return json;
}

Json result_of(const Match& match) {
  Json result{{"ruleId", match.id},
              {"level", level_of(match.severity)},
              {"message", {{"text", sentence_of(match)}}},
              {"locations",
               Json::array({{{"physicalLocation",
                              {{"artifactLocation", {{"uri", base::uri_of_path(match.found_in)}}}}},
                             {"logicalLocations", Json::array({{{"fullyQualifiedName", match.purl}}})}}})},
              {"partialFingerprints", {{"advisory/v1", match.id + " " + match.purl}}}};
  if (match.exploitation) result["properties"] = exploitation_json(*match.exploitation);
  if (!match.set_aside.empty()) {
    result["suppressions"] =
        Json::array({{{"kind", "external"}, {"status", "accepted"}, {"justification", match.set_aside}}});
  }
  return result;
}

}  // namespace

bool fails(const Match& match, Severity fail_on, base::Timestamp now) {
  if (!match.set_aside.empty() || (match.due && now < *match.due)) return false;
  return match.severity == Severity::kUnknown || match.known_exploited() || match.severity >= fail_on;
}

std::string to_text(const MatchResult& result) {
  std::string out;
  std::size_t standing = 0;
  for (const auto& match : result.matches) {
    if (match.set_aside.empty()) ++standing;
    out += fmt::format("{} {}\n", score_text(match), match.purl);
    out += fmt::format("  {}{}{}\n", match.id, match.aliases.empty() ? "" : ", ",
                       fmt::join(match.aliases, ", "));
    if (!match.summary.empty()) out += fmt::format("  {}\n", plain(match.summary));
    if (match.known_exploited()) out += fmt::format("  EXPLOITED: {}\n", exploited_text(match));
    if (match.exploitation && match.exploitation->probability) {
      out += fmt::format("  likelihood of exploitation: {} (EPSS), above {} of all\n",
                         share_text(*match.exploitation->probability),
                         share_text(match.exploitation->percentile));
    }
    if (!match.found_in.empty()) out += fmt::format("  in {}\n", plain(match.found_in));
    out += match.upgrade.empty() ? std::string("  no version is known that fixes it\n")
                                 : fmt::format("  do: upgrade to {}\n", match.upgrade);
    if (match.due) out += fmt::format("  due: {}\n", match.due->text());
    if (!match.set_aside.empty()) out += fmt::format("  set aside: {}\n", plain(match.set_aside));
  }
  for (const auto& gap : result.gaps) out += fmt::format("NOT TOLD: {}\n", plain(gap));
  out += fmt::format("{} package{} checked, {} advisor{} stand{}\n", result.components,
                     result.components == 1 ? "" : "s", standing, standing == 1 ? "y" : "ies",
                     standing == 1 ? "s" : "");
  return out;
}

std::string to_json(const MatchResult& result) {
  Json matches = Json::array();
  for (const auto& match : result.matches) {
    Json one{{"purl", match.purl},       {"found_in", match.found_in},
             {"id", match.id},           {"aliases", match.aliases},
             {"summary", match.summary}, {"severity", to_string(match.severity)}};
    if (match.score_tenths) {
      one["score"] = fmt::format("{}.{}", *match.score_tenths / 10, *match.score_tenths % 10);
      one["vector"] = match.vector;
    }
    if (!match.upgrade.empty()) one["upgrade"] = match.upgrade;
    if (match.published != base::Timestamp()) one["published"] = match.published.text();
    if (match.exploitation) one["exploitation"] = exploitation_json(*match.exploitation);
    if (match.due) one["due"] = match.due->text();
    if (!match.set_aside.empty()) one["set_aside"] = match.set_aside;
    matches.push_back(std::move(one));
  }
  return whole(
      {{"components", result.components}, {"matches", std::move(matches)}, {"not_told", result.gaps}});
}

std::string to_sarif(const MatchResult& result, std::string_view tool_version) {
  Json rules = Json::array();
  Json results = Json::array();
  Json notifications = Json::array();
  std::set<std::string> known;
  for (const auto& match : result.matches) {
    results.push_back(result_of(match));
    if (!known.insert(match.id).second) continue;
    Json rule{{"id", match.id},
              {"shortDescription", {{"text", match.summary.empty() ? match.id : match.summary}}},
              {"helpUri", "https://osv.dev/vulnerability/" + base::uri_of_path(match.id)},
              {"properties", {{"tags", Json::array({"security", "P23"})}}}};
    if (match.score_tenths) {
      rule["properties"]["security-severity"] =
          fmt::format("{}.{}", *match.score_tenths / 10, *match.score_tenths % 10);
    }
    rules.push_back(std::move(rule));
  }
  for (const auto& gap : result.gaps) {
    notifications.push_back({{"level", "error"}, {"message", {{"text", gap}}}});
  }
  Json run{
      {"tool", {{"driver", {{"name", "Holdfast"}, {"version", tool_version}, {"rules", std::move(rules)}}}}},
      {"invocations", Json::array({{{"executionSuccessful", result.gaps.empty()},
                                    {"toolExecutionNotifications", std::move(notifications)}}})},
      {"results", std::move(results)}};
  return whole({{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                {"version", "2.1.0"},
                {"runs", Json::array({std::move(run)})}});
}

}  // namespace holdfast::supply
