#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "evaluate/figure.h"
#include "policy/authorizer.h"

// From measurements to a decision. A gate is Cedar text: one permit, and one forbid for each requirement:
//
//   @id("balanced-accuracy") @figure("balanced accuracy, at least 0.66") @remedy("train longer")
//   forbid(principal, action == Action::"register", resource)
//   unless { context has evidence.balanced_accuracy.lower &&
//            context.evidence.balanced_accuracy.lower.greaterThanOrEqual(decimal("0.66")) };
//
// A floor asks for the lower end of the interval and a ceiling for the upper, so that a requirement passes
// only if the whole interval is on the right side.

namespace holdfast::evaluate {

// The figures as a record for a request's context, each at
//   [over.<over>.][under.<under>.][by.<by>.][groups.<group>.]<name>
// with what is known of {value, lower, upper: decimal, n: Long}. `lower` is rounded down and `upper` up to
// four digits, `value` to the nearest: no gate should ask for that. An end that is not known, or does not
// fit a decimal, is not there.
policy::Record evidence_of(const std::vector<Figure>& figures);

// Ten-thousandths, rounded down, up or to the nearest, of the number as its shortest decimal text says it;
// nothing for what is not finite or does not fit.
std::optional<policy::Decimal> decimal_below(double value);
std::optional<policy::Decimal> decimal_above(double value);
std::optional<policy::Decimal> decimal_nearest(double value);

enum class GateOutcome {
  kPassed,
  kFellShort,     // no point of the interval satisfies it
  kCouldNotTell,  // some do and some do not, or the interval is not known
  kMissing,       // there is no such figure
  kRefused,       // by a condition that is not about a figure
  kError,         // the policy could not be evaluated
};
std::string_view to_string(GateOutcome outcome);  // "passed", "fell short", "could not tell", ...

// What one forbid of the gate came to.
struct GateRequirement {
  std::string id;
  std::string figure;  // @figure, else what the evidence is called: "by.sex.equalized_odds_difference"
  std::string remedy;  // @remedy; may be empty
  GateOutcome outcome = GateOutcome::kError;
  std::string threshold;  // "at least 0.6600"; empty for a condition that is not about a figure
  // Of the figure that the outcome is about, where it is there.
  std::optional<stats::Measurement> measurement;
  // With kCouldNotTell: how many rows would do (stats::judge), if the figure stays what it is.
  std::optional<std::uint64_t> rows_needed;
  std::string error;  // with kError
};

struct GateReport {
  bool passed = false;
  std::vector<GateRequirement> requirements;  // in the order of the policies
  std::vector<std::string> permitted_by;      // ids of the permits that were satisfied
};

// Decides `request` with the figures added to its context as `evidence`. Passes only if a permit is
// satisfied, no forbid is, and no policy that applies fails to evaluate. kInvalidArgument where the context
// has an `evidence` of its own, or check_figure() fails.
base::Result<GateReport> decide_gate(const policy::Authorizer& gate, const policy::Request& request,
                                     const policy::Entities& entities, const std::vector<Figure>& figures);

// One sentence for a person: "could not tell: balanced accuracy is 0.67 (0.64 to 0.70 at 95% confidence, 900
// rows) and must be at least 0.6600; about 5200 rows would do".
std::string sentence(const GateRequirement& requirement);

}  // namespace holdfast::evaluate
