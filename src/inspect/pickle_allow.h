#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

// Which globals a pickle may name, and what it may do with each.

namespace holdfast::inspect {

// What a global is allowed for. Each role includes being mentioned; those up to kCallData, being held by an
// object.
enum class PickleRole : std::uint8_t {
  kReference,      // mentioned only
  kNew,            // a class: made without its constructor and without arguments, then given a state
  kConstruct,      // a class: also called with any arguments
  kEnum,           // kConstruct, and its members by getattr
  kDtype,          // kConstruct: numpy.dtype, whose item size is followed
  kArray,          // kNew: joblib's array wrapper, behind which raw data stands in the stream
  kCall,           // a function, called with any arguments
  kCallData,       // a function, called with no global but kConstruct classes and functions of this role
  kCallClass,      // a function, called with a class first and no global but kConstruct classes after it
  kCallCallable,   // a function, called with a kCall function and a class as its first arguments
  kCallEncode,     // a function, called with a string and the name of the Latin-1 encoding
  kCallNested,     // a function that loads its bytes as a pickle: where those were inspected and are clean
  kCallGetattr,    // getattr, called with a kEnum class and a name
  kCallConstruct,  // a function that calls its first argument: a class, with arguments only where kConstruct
  kCallValues,     // a function that may give back what it is given: called with no global
  kSubclass,       // a class of arrays: made empty by numpy's _reconstruct, or for joblib; else not even held
};

std::string_view to_string(PickleRole role);  // as the list writes it: "call-class"

// True for the roles of classes, whose instances a pickle may make.
bool is_class(PickleRole role);

// Immutable; thread-safe.
class PickleAllowList {
 public:
  static constexpr std::size_t kMaxEntries = 100'000;

  // The list in force: this program's own, src/inspect/data/pickle_allow.list, or a rule set's
  // (rule_lists.h).
  static const PickleAllowList& builtin();
  // One entry a line: "<role> <module> <name>", "#" begins a comment. A name of "*" stands for every name
  // without a dot, a module that ends in ".*" for every module below it. kInvalidArgument names the line.
  static base::Result<PickleAllowList> parse(std::string_view text);
  // The entries of both; those of `more` go first.
  [[nodiscard]] PickleAllowList extended_by(const PickleAllowList& more) const;

  [[nodiscard]] std::optional<PickleRole> find(std::string_view module, std::string_view name) const;
  [[nodiscard]] std::size_t size() const { return entries_.size() + patterns_.size(); }

 private:
  struct Entry {
    std::string module;
    std::string name;
    PickleRole role = PickleRole::kReference;
  };
  static bool before(const Entry& a, const Entry& b);
  void sort();

  std::vector<Entry> entries_;   // sorted, the first of equals counts
  std::vector<Entry> patterns_;  // in their order
};

}  // namespace holdfast::inspect
