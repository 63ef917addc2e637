#include "inspect/rule_lists.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "inspect/pickle_allow.h"
#include "inspect/python_calls.h"
#include "inspect/tensorflow.h"
#include "inspect/torch_ops.h"
#include "patterns/secret_pattern_text.h"

namespace holdfast::inspect {

// Made from data/*.list by module.cmake, each with kBuiltinLines.
namespace pickle_allow_list {
#include "pickle_allow_list.inc"
}
namespace pickle_dangers_list {
#include "pickle_dangers_list.inc"
}
namespace keras_allow_list {
#include "keras_allow_list.inc"
}
namespace tensorflow_ops_list {
#include "tensorflow_ops_list.inc"
}
namespace torch_ops_list {
#include "torch_ops_list.inc"
}
namespace python_calls_list {
#include "python_calls_list.inc"
}

namespace {

using base::ErrorCode;
using base::fail;
using base::Result;

constexpr std::array<std::string_view, kRuleLists.size()> kNames{
    "pickle_allow.list", "pickle_dangers.list",  "keras_allow.list", "tensorflow_ops.list",
    "python_calls.list", "secret_patterns.list", "torch_ops.list"};

std::span<const std::string_view> builtin_lines(RuleList list) {
  switch (list) {
    case RuleList::kPickleAllow:
      return pickle_allow_list::kBuiltinLines;
    case RuleList::kPickleDangers:
      return pickle_dangers_list::kBuiltinLines;
    case RuleList::kKerasAllow:
      return keras_allow_list::kBuiltinLines;
    case RuleList::kTensorflowOps:
      return tensorflow_ops_list::kBuiltinLines;
    case RuleList::kPythonCalls:
      return python_calls_list::kBuiltinLines;
    case RuleList::kTorchOps:
      return torch_ops_list::kBuiltinLines;
    case RuleList::kSecretPatterns:
      break;  // patterns/ keeps its own
  }
  return {};
}

struct Lines {
  std::string text;
  std::vector<std::string_view> lines;  // into `text`
};

// By list; empty where the program's own is in force. Written by use_rule_lists alone.
std::array<Lines, kRuleLists.size()>& replaced() {
  static std::array<Lines, kRuleLists.size()> lists;
  return lists;
}

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view kSpace = " \t\r";
  line.remove_prefix(std::min(line.find_first_not_of(kSpace), line.size()));
  return line.substr(0, line.find_last_not_of(kSpace) + 1);
}

std::size_t words_in(std::string_view line) {
  std::size_t words = 0;
  while (!(line = trimmed(line)).empty()) {
    ++words;
    line.remove_prefix(std::min(line.find(' '), line.size()));
  }
  return words;
}

std::string_view first_word(std::string_view line) { return line.substr(0, line.find(' ')); }

// What is wrong with a line; empty where nothing is.
std::string_view fault_of(RuleList list, std::string_view line) {
  const std::size_t words = words_in(line);
  switch (list) {
    case RuleList::kPickleDangers:
      return words >= 3 ? "" : R"(it is not of the form "<module> <name> <what it does>")";
    case RuleList::kKerasAllow:
      return words == 2 ? "" : R"(it is not of the form "<module> <class or function>")";
    case RuleList::kTensorflowOps:
      if (words == 1 || (words == 2 && is_tensorflow_kind(first_word(line)))) return "";
      return R"(it is not of the form "<operation>" or "<kind> <operation>", with a kind that is known)";
    case RuleList::kPythonCalls:
      if (words == 2 && parse_python_call_kind(first_word(line))) return "";
      return R"(it is not of the form "<kind> <name>", with a kind that is known)";
    case RuleList::kTorchOps:
      if (words == 1 || (words == 2 && is_torch_kind(first_word(line)))) return "";
      return R"(it is not of the form "<operation>" or "<kind> <operation>", with a kind that is known)";
    case RuleList::kPickleAllow:
    case RuleList::kSecretPatterns:
      break;  // parsed as a whole
  }
  return "";
}

Result<> check_lines(RuleList list, std::string_view text) {
  for (const auto line : lines_of(list, text)) {
    if (const auto fault = fault_of(list, line); !fault.empty()) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("{}: the line \"{}\": {}", to_string(list), line.substr(0, 100), fault));
    }
  }
  return {};
}

Result<> parsed_whole(RuleList list, std::string_view text) {
  if (list == RuleList::kPickleAllow) {
    HF_CHECK(PickleAllowList::parse(text));
  } else if (list == RuleList::kSecretPatterns) {
    HF_CHECK(patterns::parse_secret_patterns(text));
  }
  return {};
}

}  // namespace

std::string_view to_string(RuleList list) { return kNames[static_cast<std::size_t>(list)]; }

std::optional<RuleList> parse_rule_list(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<RuleList>(found - kNames.begin());
}

std::vector<std::string_view> lines_of(RuleList list, std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::string_view whole = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(whole.size() + 1, text.size()));
    const bool patterns = list == RuleList::kSecretPatterns && !whole.starts_with('#');
    const auto line = trimmed(patterns ? whole : whole.substr(0, whole.find('#')));
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

Result<> check_rule_list(RuleList list, std::string_view text) {
  if (text.size() > kMaxRuleListBytes) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("{} has more than {} MiB", to_string(list), kMaxRuleListBytes >> 20));
  }
  if (text.find('\0') != std::string_view::npos) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("{} is no text", to_string(list)));
  }
  const auto lines = lines_of(list, text);
  if (lines.empty() || lines.size() > kMaxRuleListLines) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("{} has {} entries; it takes 1 to {}",
                                                         to_string(list), lines.size(), kMaxRuleListLines));
  }
  HF_CHECK(check_lines(list, text));
  if (auto parsed = parsed_whole(list, text); !parsed) {
    return fail(std::move(parsed).error().within(to_string(list)));
  }
  return {};
}

std::string builtin_rule_list(RuleList list) {
  if (list == RuleList::kSecretPatterns) return patterns::to_text(patterns::builtin_secret_patterns());
  std::string text;
  for (const auto line : builtin_lines(list)) text.append(line).push_back('\n');
  return text;
}

std::span<const std::string_view> rule_lines(RuleList list) {
  const auto& mine = replaced()[static_cast<std::size_t>(list)];
  return mine.lines.empty() ? builtin_lines(list) : std::span<const std::string_view>(mine.lines);
}

Result<> use_rule_lists(RuleLists lists) {
  for (auto& [list, text] : lists) {
    if (list == RuleList::kSecretPatterns) {
      HF_TRY(auto patterns, patterns::parse_secret_patterns(text));
      patterns::use_secret_patterns(std::move(patterns));
      continue;
    }
    auto& mine = replaced()[static_cast<std::size_t>(list)];
    mine.text = std::move(text);
    mine.lines = lines_of(list, mine.text);
  }
  return {};
}

}  // namespace holdfast::inspect
