#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "inspect/artefact.h"
#include "inspect/dismissal.h"
#include "inspect/finding.h"

// What inspecting one or more artefacts gave, and its three forms: text for people, JSON, and SARIF 2.1.0.

namespace holdfast::inspect {

// One file that was looked at.
struct FileReport {
  std::string path;
  std::string format;  // "pickle", "pytorch zip", ...; empty where it was not told
  std::uint64_t size_bytes = 0;
  // Why part of it could not be looked at; empty when all of it was.
  std::vector<std::string> not_looked_at;
  std::vector<Finding> findings;
  std::size_t findings_dropped = 0;  // over Findings::kMax
  std::vector<Dismissed> dismissed;  // counted nowhere
  std::vector<Program> programs;     // its pickles, where they were asked for
};

// Which rule set was used (rule_set.h).
struct RuleSetName {
  std::int64_t version = 0;  // 0: it is not told
  base::Timestamp issued_at;
  std::string signer;  // the id of the key that signed it; empty for the program's own

  friend bool operator==(const RuleSetName&, const RuleSetName&) = default;
};

// What a rule set says of a rule in place of the program's text; empty where it says nothing.
struct RuleText {
  std::string explanation;
  std::string remedy;
};

struct Report {
  std::vector<FileReport> files;
  RuleSetName rules = {};
  std::map<std::string, RuleText, std::less<>> rule_texts = {};  // by the rule's id

  // At or above the severity, over all files.
  [[nodiscard]] std::size_t count_at_least(Severity severity) const;
  [[nodiscard]] bool complete() const;
  // A rule as the set tells it, for as long as the report lives. Absent for an id that no rule has.
  [[nodiscard]] std::optional<Rule> rule(std::string_view id) const;
};

// The exit codes of `holdfast inspect`: 0, 1 and 2. Findings come before gaps: a file that is known to be bad
// is bad whatever else could not be read.
enum class Outcome { kClean = 0, kFindings = 1, kCouldNotLook = 2 };
Outcome judge(const Report& report, Severity fail_on);

std::string to_text(const Report& report, bool colour);
std::string to_json(const Report& report);
// OASIS SARIF 2.1.0; paths become URIs, gaps tool notifications, and what was set aside suppressed results.
std::string to_sarif(const Report& report, std::string_view tool_version);

}  // namespace holdfast::inspect
