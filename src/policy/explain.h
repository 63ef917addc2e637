#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "policy/authorizer.h"

// Why a decision came out as it did: for each policy that mattered, which of its conditions held, on which
// values, and what its annotations say (@figure, @remedy). Texts are bounded; a value is cut after
// kMaxValueBytes.

namespace holdfast::policy {

inline constexpr std::size_t kMaxValueBytes = 200;
inline constexpr std::size_t kMaxChecks = 100;            // of one policy
inline constexpr std::size_t kMaxSeen = 16;               // of one check
inline constexpr std::size_t kMaxExplainedPolicies = 50;  // in each list

enum class Truth : std::uint8_t { kTrue, kFalse, kError, kNotReached };

// An attribute, a tag or a variable, and what it was.
struct SeenValue {
  std::string expression;  // resource.evidence.gap
  std::string value;       // decimal("0.0812"), or why it could not be had
};

// One test that a condition is made of, between its &&, ||, ! and if.
struct Check {
  std::string text;
  Truth truth = Truth::kNotReached;
  std::string error;  // kError
  std::vector<SeenValue> seen;
};

struct ExplainedCondition {
  bool unless = false;
  Truth truth = Truth::kNotReached;  // of the expression in the braces
  std::vector<Check> checks;
};

struct ExplainedPolicy {
  std::string id;
  Effect effect = Effect::kForbid;
  Outcome outcome = Outcome::kUnsatisfied;
  std::map<std::string, std::string, std::less<>> annotations;
  std::vector<ExplainedCondition> conditions;
};

struct Explanation {
  std::vector<ExplainedPolicy> determining;
  std::vector<ExplainedPolicy> errors;
  // When nothing permitted: the permits whose scope fits and whose conditions were not met.
  std::vector<ExplainedPolicy> unmet;
};

// `decision` is what the authorizer gave for the same request and entities.
Explanation explain(const Authorizer& authorizer, const Request& request, const Entities& entities,
                    const Decision& decision);

}  // namespace holdfast::policy
