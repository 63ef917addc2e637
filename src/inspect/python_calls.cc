#include "inspect/python_calls.h"

#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>

#include "base/assert.h"
#include "inspect/rule_lists.h"

namespace holdfast::inspect {
namespace {

using Kind = PythonCallKind;

// In the order of PythonCallKind, from kExecutesText on.
constexpr std::array<std::string_view, 15> kKindNames{
    "executes-text", "shell",       "process",    "unpickles", "torch-load",
    "numpy-load",    "yaml-load",   "keras-load", "imports",   "network",
    "native",        "remote-code", "decodes",    "template",  "prompt-template"};

struct Alias {
  std::string_view from;
  std::string_view to;
};

// Modules that are other modules.
constexpr std::array<Alias, 7> kSame{{{"builtins.", ""},
                                      {"__builtins__.", ""},
                                      {"__builtin__.", ""},
                                      {"six.moves.", ""},
                                      {"tf.", "tensorflow."},
                                      {"tensorflow.compat.v1.", "tensorflow."},
                                      {"np.", "numpy."}}};

const std::unordered_map<std::string_view, Kind>& by_name() {
  static const auto map = [] {
    std::unordered_map<std::string_view, Kind> names;
    for (const auto line : rule_lines(RuleList::kPythonCalls)) {
      const auto space = line.find(' ');
      const auto kind = parse_python_call_kind(line.substr(0, space));
      HF_ASSERT(kind.has_value());
      names.emplace(line.substr(line.find_last_of(' ') + 1), *kind);
    }
    return names;
  }();
  return map;
}

}  // namespace

std::optional<PythonCallKind> parse_python_call_kind(std::string_view word) {
  const auto found = std::ranges::find(kKindNames, word);
  if (found == kKindNames.end()) return std::nullopt;
  return static_cast<Kind>(found - kKindNames.begin() + 1);
}

PythonCallKind python_call_kind(std::string_view name) {
  std::string plain(name);
  for (const auto& alias : kSame) {
    if (plain.starts_with(alias.from)) plain.replace(0, alias.from.size(), alias.to);
  }
  if (const auto known = by_name().find(plain); known != by_name().end()) return known->second;
  for (std::size_t dot = plain.rfind('.'); dot != std::string::npos && dot > 0;
       dot = plain.rfind('.', dot - 1)) {
    const auto family = by_name().find(std::string_view(plain).substr(0, dot + 1));
    if (family != by_name().end()) return family->second;
  }
  const std::string_view last = std::string_view(plain).substr(plain.rfind('.') + 1);
  if (last == "PromptTemplate" || last == "ChatPromptTemplate" ||
      plain.ends_with("PromptTemplate.from_template")) {
    return Kind::kPromptTemplate;
  }
  return Kind::kNone;
}

}  // namespace holdfast::inspect
