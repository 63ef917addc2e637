#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

// What inspection sees. A Rule says what kind of problem it is and what to do; a Finding is one case of it at
// a place.

namespace holdfast::inspect {

enum class Severity { kInfo, kLow, kMedium, kHigh, kCritical };

std::string_view to_string(Severity severity);  // "info" .. "critical"
base::Result<Severity> parse_severity(std::string_view text);

// One kind of problem. The texts are whole sentences for the person who must act. Ids are stable, of the form
// "<format>.<problem>", e.g. "pickle.unknown-global".
struct Rule {
  std::string_view id;
  Severity severity;             // the usual one; a Finding may differ
  std::string_view title;        // a few words
  std::string_view explanation;  // what it means and why it matters
  std::string_view remedy;
  std::string_view practice;  // "P05": practices.yaml's ids
  std::string_view risk;      // "R12"
  std::string_view atlas;     // MITRE ATLAS technique, "AML.T0011.000"; empty where none fits
};

// Every rule of this program, in the order of their ids. find_rule gives null for an id that no rule has.
std::span<const Rule> all_rules();
const Rule* find_rule(std::string_view id);

struct Finding {
  std::string rule_id;
  Severity severity = Severity::kInfo;
  // The file, and where it lies inside archives after a "!": "model.pt!archive/data.pkl".
  std::string path;
  std::optional<std::uint64_t> offset;  // byte in the innermost file
  std::string message;                  // this case: names what was seen; at most kMaxMessageBytes

  static constexpr std::size_t kMaxMessageBytes = 2000;
};

// Collects findings of one artefact, with a bound: past kMax of one file the rest are counted, not kept.
class Findings {
 public:
  static constexpr std::size_t kMax = 10'000;

  void add(Finding finding);
  // With the rule's usual severity.
  void add(std::string_view rule_id, std::string path, std::optional<std::uint64_t> offset,
           std::string message);

  [[nodiscard]] const std::vector<Finding>& items() const { return items_; }
  [[nodiscard]] std::size_t dropped() const { return dropped_; }
  [[nodiscard]] std::vector<Finding> take() { return std::move(items_); }

 private:
  std::vector<Finding> items_;
  std::size_t dropped_ = 0;
};

}  // namespace holdfast::inspect
