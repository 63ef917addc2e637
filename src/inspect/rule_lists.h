#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

// The lists of names by which inspection decides, as text: the program's own, from src/inspect/data, or those
// of a rule set that were put in their place.

namespace holdfast::inspect {

enum class RuleList : std::uint8_t {
  kPickleAllow,     // "<role> <module> <name>": pickle_allow.h
  kPickleDangers,   // "<module> <name> <what it does>"
  kKerasAllow,      // "<module> <class or function>"
  kTensorflowOps,   // "<operation>", or "<kind> <operation>" for one that reaches beyond the graph
  kPythonCalls,     // "<kind> <name>": python_calls.h
  kSecretPatterns,  // patterns/secret_pattern_text.h
  kTorchOps,        // "<operation>", or "<kind> <operation>" for one that reaches beyond tensors
};
inline constexpr std::array<RuleList, 7> kRuleLists{
    RuleList::kPickleAllow, RuleList::kPickleDangers,  RuleList::kKerasAllow, RuleList::kTensorflowOps,
    RuleList::kPythonCalls, RuleList::kSecretPatterns, RuleList::kTorchOps};

std::string_view to_string(RuleList list);  // "pickle_allow.list"
std::optional<RuleList> parse_rule_list(std::string_view name);

// Text by list; the program's own stands for what is not there.
using RuleLists = std::map<RuleList, std::string>;

inline constexpr std::size_t kMaxRuleListBytes = 8UL << 20;
inline constexpr std::size_t kMaxRuleListLines = 100'000;

// The lines of a text, without comments ("#" to the line's end, but for kSecretPatterns, where only whole
// lines are) and empty ones. Views into it.
std::vector<std::string_view> lines_of(RuleList list, std::string_view text);

// Whether every line of the text says something: the error names the list and what is wrong with it.
base::Result<> check_rule_list(RuleList list, std::string_view text);

// The program's own.
std::string builtin_rule_list(RuleList list);

// In force in this process.
std::span<const std::string_view> rule_lines(RuleList list);

// For the life of this process, which has one thread and has inspected nothing: readers keep what they made
// of the lists. They were checked (check_rule_list) when they were signed and installed, which would take
// longer than a small file: a line that says nothing ends the process that comes to read it.
base::Result<> use_rule_lists(RuleLists lists);

}  // namespace holdfast::inspect
