#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "inspect/report.h"
#include "inspect/rule_lists.h"

// What inspection judges by that can change without the program: the lists of names, and of each rule how
// severe it is, what is said of it and whether it counts at all. A plain value.

namespace holdfast::inspect {

struct RuleChange {
  std::optional<Severity> severity;  // in place of the rule's usual one
  bool disabled = false;             // its findings are left out
  std::string explanation;           // empty: the program's
  std::string remedy;

  friend bool operator==(const RuleChange&, const RuleChange&) = default;
};
using RuleChanges = std::map<std::string, RuleChange, std::less<>>;  // by the rule's id

struct RuleSet {
  RuleSetName name;
  std::optional<base::Timestamp> expires_at;
  RuleLists lists;  // the program's own where one is not there
  RuleChanges rules;
};

// Of the program's own lists: the day on which they last changed, and two digits.
inline constexpr std::int64_t kBuiltinRulesVersion = 2026112400;
const RuleSet& builtin_rules();

inline constexpr std::size_t kMaxRuleChangesBytes = 4UL << 20;

// {"rules":{"<id>":{"severity":"high","disabled":false,"explanation":"...","remedy":"..."}}}, each member of
// a rule optional. Strict: kInvalidArgument names an unknown rule, member or severity.
base::Result<RuleChanges> parse_rule_changes(std::string_view json);
// Every rule of this program as such text, for a person to change.
std::string builtin_rule_changes();

// What a set says of what the worker found: drops disabled rules' findings, sets severities (but where a
// finding had another than the rule's usual one), and names the set.
void apply(const RuleSet& set, Report& report);

}  // namespace holdfast::inspect
