#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "inspect/finding.h"

// Findings that somebody looked at and set aside: for a reason, by name, and until a day. A baseline is the
// same for all that a first look found.

namespace holdfast::inspect {

struct Report;

struct Dismissal {
  std::string fingerprint;  // which finding
  std::string rule_id;      // what it was when it was set aside, for people
  std::string path;
  std::string message;
  std::string reason;
  std::string reviewer;
  base::Timestamp expires;
};

// A finding that was set aside, and by what.
struct Dismissed {
  Finding finding;
  Dismissal dismissal;
};

// What names a finding over several runs: 32 hexadecimal digits of SHA-256 over its rule, path and message.
// The path is the one that was given to the command, so look from the same folder each time.
std::string fingerprint(const Finding& finding);

// The file of them: {"dismissals": [...]}, each with all of a Dismissal's members. kInvalidArgument names the
// entry and the member that is missing, empty, too long, unknown or not what it must be.
base::Result<std::vector<Dismissal>> parse_dismissals(std::string_view json);
std::string to_json(std::span<const Dismissal> dismissals);

// One for every finding of the report, in the report's order.
std::vector<Dismissal> dismiss_all(const Report& report, std::string_view reason, std::string_view reviewer,
                                   base::Timestamp expires);

// Moves what was set aside from each file's findings to its `dismissed`. One that has expired sets nothing
// aside; its finding then says so.
void apply(std::span<const Dismissal> dismissals, base::Timestamp now, Report& report);

}  // namespace holdfast::inspect
