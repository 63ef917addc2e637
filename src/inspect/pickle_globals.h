#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "inspect/pickle.h"

// The globals that one file names, each judged once.

namespace holdfast::inspect {

class PickleGlobals {
 public:
  // Past this many different names, any further one is the global kOverflow, which nothing allows.
  static constexpr std::size_t kMax = 4096;
  static constexpr std::uint32_t kOverflow = 0;

  PickleGlobals(const PickleAllowList& allow, PickleContainer container);

  // The index of the global of that name, judged at its first mention. `python2` where the protocol has
  // Python 2's names translated.
  std::uint32_t resolve(std::string_view module, std::string_view name, bool python2, std::uint64_t offset);

  // Nothing for a global that is not allowed at all.
  [[nodiscard]] std::optional<PickleRole> role(std::uint32_t index) const { return entries_[index].role; }
  [[nodiscard]] const PickleGlobal& global(std::uint32_t index) const { return entries_[index].global; }
  // Whether the list has "<owner's name>.<name>" in the owner's module.
  [[nodiscard]] bool allows_member(std::uint32_t owner, std::string_view name) const;
  [[nodiscard]] std::string dotted(std::uint32_t index) const;

  void count_call(std::uint32_t index) { ++entries_[index].global.calls; }
  // True for the first time.
  bool mark_misused(std::uint32_t index);

  // One finding for each global that is not allowed.
  void report(const std::string& path, Findings& findings) const;
  [[nodiscard]] std::vector<PickleGlobal> summary() const;

 private:
  struct Entry {
    PickleGlobal global;
    std::optional<PickleRole> role;
  };
  std::optional<PickleRole> judge(std::string_view module, std::string_view name) const;

  const PickleAllowList* allow_;
  PickleContainer container_;
  std::vector<Entry> entries_;
  std::unordered_map<std::string, std::uint32_t> index_;
  std::string key_;
};

}  // namespace holdfast::inspect
