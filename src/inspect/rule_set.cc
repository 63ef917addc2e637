#include "inspect/rule_set.h"

#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace holdfast::inspect {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;

constexpr std::size_t kMaxTextBytes = 4000;
constexpr int kMaxDepth = 4;

tl::unexpected<base::Error> wrong(std::string_view rule, std::string_view why) {
  return fail(ErrorCode::kInvalidArgument, fmt::format("rules.json: {}: {}", rule.substr(0, 100), why));
}

Result<> read_text(const std::string& id, const json& value, std::string& to) {
  if (!value.is_string()) return wrong(id, "an explanation or remedy is no text");
  to = value.get<std::string>();
  if (to.size() > kMaxTextBytes) return wrong(id, "an explanation or remedy is too long");
  return {};
}

Result<RuleChange> change_of(const std::string& id, const json& value) {
  if (find_rule(id) == nullptr) return wrong(id, "this program has no such rule; update the program first");
  if (!value.is_object()) return wrong(id, "it is no object");
  RuleChange change;
  for (const auto& [name, member] : value.items()) {
    if (name == "severity" && member.is_string()) {
      HF_TRY(change.severity, parse_severity(member.get_ref<const std::string&>()));
    } else if (name == "disabled" && member.is_boolean()) {
      change.disabled = member.get<bool>();
    } else if (name == "explanation") {
      HF_CHECK(read_text(id, member, change.explanation));
    } else if (name == "remedy") {
      HF_CHECK(read_text(id, member, change.remedy));
    } else {
      return wrong(id, "it has a member that is unknown or of the wrong type: " + name.substr(0, 100));
    }
  }
  return change;
}

}  // namespace

const RuleSet& builtin_rules() {
  static const RuleSet set = [] {
    RuleSet made;
    made.name = {.version = kBuiltinRulesVersion,
                 .issued_at = base::Timestamp::parse("2026-11-23T00:00:00Z").value_or(base::Timestamp()),
                 .signer = {}};
    return made;
  }();
  return set;
}

Result<RuleChanges> parse_rule_changes(std::string_view text) {
  HF_TRY(const json whole,
         base::parse_json(text, {.max_bytes = kMaxRuleChangesBytes, .max_depth = kMaxDepth}));
  if (!whole.is_object() || whole.size() != 1 || !whole.contains("rules") || !whole["rules"].is_object()) {
    return fail(ErrorCode::kInvalidArgument, R"(rules.json: it is not of the form {"rules":{...}})");
  }
  RuleChanges changes;
  for (const auto& [id, value] : whole["rules"].items()) {
    HF_TRY(auto change, change_of(id, value));
    changes.emplace(id, std::move(change));
  }
  return changes;
}

std::string builtin_rule_changes() {
  nlohmann::ordered_json rules = nlohmann::ordered_json::object();
  for (const auto& rule : all_rules()) {
    rules[std::string(rule.id)] = {{"severity", to_string(rule.severity)},
                                   {"disabled", false},
                                   {"explanation", rule.explanation},
                                   {"remedy", rule.remedy}};
  }
  return nlohmann::ordered_json{{"rules", std::move(rules)}}.dump(2) + "\n";
}

void apply(const RuleSet& set, Report& report) {
  report.rules = set.name;
  if (set.rules.empty()) return;
  const auto change_for = [&set](const Finding& finding) -> const RuleChange* {
    const auto found = set.rules.find(finding.rule_id);
    return found == set.rules.end() ? nullptr : &found->second;
  };
  for (auto& file : report.files) {
    std::erase_if(file.findings, [&](const Finding& finding) {
      const auto* change = change_for(finding);
      return change != nullptr && change->disabled;
    });
    for (auto& finding : file.findings) {
      const auto* change = change_for(finding);
      const auto* rule = find_rule(finding.rule_id);
      if (change == nullptr || rule == nullptr) continue;
      if (change->severity && finding.severity == rule->severity) finding.severity = *change->severity;
    }
  }
  for (const auto& [id, change] : set.rules) {
    const auto* rule = find_rule(id);
    if (rule == nullptr) continue;
    const bool says_more = !change.explanation.empty() || !change.remedy.empty();
    if (says_more) report.rule_texts[id] = {change.explanation, change.remedy};
  }
}

}  // namespace holdfast::inspect
