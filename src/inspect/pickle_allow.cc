#include "inspect/pickle_allow.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <tuple>

#include "base/assert.h"
#include "inspect/rule_lists.h"

namespace holdfast::inspect {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;

constexpr std::array<std::string_view, 16> kRoleNames{
    "reference",   "new",         "construct",    "enum",           "dtype",
    "array",       "call",        "call-data",    "call-class",     "call-callable",
    "call-encode", "call-nested", "call-getattr", "call-construct", "call-values",
    "subclass"};

std::optional<PickleRole> parse_role(std::string_view text) {
  const auto found = std::find(kRoleNames.begin(), kRoleNames.end(), text);
  if (found == kRoleNames.end()) return std::nullopt;
  return static_cast<PickleRole>(found - kRoleNames.begin());
}

std::string_view next_word(std::string_view& line) {
  constexpr std::string_view kSpace = " \t\r";
  line.remove_prefix(std::min(line.find_first_not_of(kSpace), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(kSpace));
  line.remove_prefix(word.size());
  return word;
}

struct Line {
  std::string_view role, module, name;
};

// Nothing for an empty line or a comment; `rest` is what stands there beyond an entry.
std::optional<Line> split(std::string_view line, std::string_view& rest) {
  line = line.substr(0, line.find('#'));
  Line entry{.role = next_word(line), .module = {}, .name = {}};
  entry.module = next_word(line);
  entry.name = next_word(line);
  rest = next_word(line);
  if (entry.role.empty()) return std::nullopt;
  return entry;
}

bool is_below(std::string_view module, std::string_view pattern) {
  pattern.remove_suffix(1);  // the star
  return module.size() > pattern.size() && module.starts_with(pattern);
}

}  // namespace

std::string_view to_string(PickleRole role) { return kRoleNames[static_cast<std::size_t>(role)]; }

bool is_class(PickleRole role) { return role >= PickleRole::kNew && role <= PickleRole::kArray; }

bool PickleAllowList::before(const Entry& a, const Entry& b) {
  return std::tie(a.module, a.name) < std::tie(b.module, b.name);
}

void PickleAllowList::sort() { std::stable_sort(entries_.begin(), entries_.end(), before); }

const PickleAllowList& PickleAllowList::builtin() {
  static const PickleAllowList list = [] {
    std::string text;
    for (const std::string_view line : rule_lines(RuleList::kPickleAllow)) text.append(line).push_back('\n');
    auto parsed = parse(text);
    HF_ASSERT(parsed.has_value());
    return *std::move(parsed);
  }();
  return list;
}

Result<PickleAllowList> PickleAllowList::parse(std::string_view text) {
  PickleAllowList list;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    ++number;
    std::string_view rest;
    const auto entry = split(line, rest);
    if (!entry) continue;
    const auto role = parse_role(entry->role);
    if (!role) {
      return fail(
          ErrorCode::kInvalidArgument,
          fmt::format(
              "line {} of the pickle allow list begins with \"{}\", which is no role; the roles are {}",
              number, entry->role.substr(0, 40), fmt::join(kRoleNames, ", ")));
    }
    if (entry->name.empty() || !rest.empty()) {
      return fail(
          ErrorCode::kInvalidArgument,
          fmt::format("line {} of the pickle allow list is not of the form \"<role> <module> <name>\"",
                      number));
    }
    if (list.size() >= kMaxEntries) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("the pickle allow list has more than {} entries", kMaxEntries));
    }
    const bool pattern = entry->name == "*" || entry->module.ends_with(".*");
    (pattern ? list.patterns_ : list.entries_)
        .push_back({.module = std::string(entry->module), .name = std::string(entry->name), .role = *role});
  }
  list.sort();
  return list;
}

PickleAllowList PickleAllowList::extended_by(const PickleAllowList& more) const {
  PickleAllowList both = more;
  both.entries_.insert(both.entries_.end(), entries_.begin(), entries_.end());
  both.patterns_.insert(both.patterns_.end(), patterns_.begin(), patterns_.end());
  both.sort();
  return both;
}

std::optional<PickleRole> PickleAllowList::find(std::string_view module, std::string_view name) const {
  const auto key = std::tie(module, name);
  const auto found =
      std::lower_bound(entries_.begin(), entries_.end(), key, [](const Entry& entry, const auto& wanted) {
        return std::tuple<std::string_view, std::string_view>(entry.module, entry.name) < wanted;
      });
  if (found != entries_.end() && found->module == module && found->name == name) return found->role;
  for (const Entry& pattern : patterns_) {
    const bool in_module =
        pattern.module.ends_with(".*") ? is_below(module, pattern.module) : module == pattern.module;
    const bool named = pattern.name == "*" ? name.find('.') == std::string_view::npos : pattern.name == name;
    if (in_module && named) return pattern.role;
  }
  return std::nullopt;
}

}  // namespace holdfast::inspect
