#include "inspect/pickle_globals.h"

#include <fmt/format.h>

#include "inspect/pickle_names.h"
#include "inspect/pickle_text.h"

namespace holdfast::inspect {
namespace {

// TorchScript's own unpickler resolves these to classes that it compiles from the archive's code/; no Python
// module has such a name.
constexpr std::string_view kTorchScriptModule = "__torch__";

std::string calls_text(std::uint64_t calls) {
  if (calls == 0) return "names it";
  return calls == 1 ? "calls it" : fmt::format("calls it {} times", calls);
}

}  // namespace

PickleGlobals::PickleGlobals(const PickleAllowList& allow, PickleContainer container)
    : allow_(&allow), container_(container) {
  entries_.push_back(
      {.global = {.module = "?", .name = "?", .verdict = PickleVerdict::kUnknown}, .role = {}});
}

std::optional<PickleRole> PickleGlobals::judge(std::string_view module, std::string_view name) const {
  const bool script = module == kTorchScriptModule ||
                      (module.starts_with(kTorchScriptModule) && module[kTorchScriptModule.size()] == '.');
  if (script && container_ == PickleContainer::kTorchZip) return PickleRole::kNew;
  return allow_->find(module, name);
}

std::uint32_t PickleGlobals::resolve(std::string_view module, std::string_view name, bool python2,
                                     std::uint64_t offset) {
  key_.assign(1, python2 ? '2' : '3').append(module).append(1, '\0').append(name);
  if (const auto known = index_.find(key_); known != index_.end()) return known->second;
  if (entries_.size() >= kMax) return kOverflow;
  if (python2) std::tie(module, name) = python3_name(module, name);
  Entry entry{.global = {.module = std::string(module), .name = std::string(name), .offset = offset},
              .role = judge(module, name)};
  if (!entry.role) {
    entry.global.verdict =
        danger_of(module, name).empty() ? PickleVerdict::kUnknown : PickleVerdict::kDangerous;
  }
  const auto index = static_cast<std::uint32_t>(entries_.size());
  entries_.push_back(std::move(entry));
  index_.emplace(key_, index);
  return index;
}

std::string PickleGlobals::dotted(std::uint32_t index) const {
  const PickleGlobal& global = entries_[index].global;
  return fmt::format("{}.{}", printable(global.module), printable(global.name));
}

bool PickleGlobals::allows_member(std::uint32_t owner, std::string_view name) const {
  const PickleGlobal& global = entries_[owner].global;
  return allow_->find(global.module, fmt::format("{}.{}", global.name, name)).has_value();
}

bool PickleGlobals::mark_misused(std::uint32_t index) {
  PickleVerdict& verdict = entries_[index].global.verdict;
  if (verdict != PickleVerdict::kAllowed) return false;
  verdict = PickleVerdict::kMisused;
  return true;
}

void PickleGlobals::report(const std::string& path, Findings& findings) const {
  for (std::uint32_t i = 1; i < entries_.size(); ++i) {
    const PickleGlobal& global = entries_[i].global;
    if (global.verdict == PickleVerdict::kDangerous) {
      findings.add({.rule_id = "pickle.dangerous-global",
                    .severity = Severity::kCritical,
                    .path = path,
                    .offset = global.offset,
                    .message = fmt::format("{} {}; the pickle {}.", dotted(i),
                                           danger_of(global.module, global.name), calls_text(global.calls))});
    } else if (global.verdict == PickleVerdict::kUnknown) {
      findings.add(
          {.rule_id = "pickle.unknown-global",
           .severity = Severity::kHigh,
           .path = path,
           .offset = global.offset,
           .message = fmt::format(
               "{} is not on the list of known constructors; the pickle {}. To allow it, read what it does "
               "and list it as \"{} {} {}\".",
               dotted(i), calls_text(global.calls), global.calls == 0 ? "reference" : "construct",
               printable(global.module), printable(global.name))});
    }
  }
  if (entries_.size() >= kMax) {
    findings.add(
        {.rule_id = "pickle.too-large",
         .severity = Severity::kHigh,
         .path = path,
         .offset = {},
         .message = fmt::format("It names more than {} different globals; those beyond are refused.", kMax)});
  }
}

std::vector<PickleGlobal> PickleGlobals::summary() const {
  std::vector<PickleGlobal> globals;
  for (std::size_t i = 1; i < entries_.size(); ++i) globals.push_back(entries_[i].global);
  return globals;
}

}  // namespace holdfast::inspect
