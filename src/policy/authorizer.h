#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "policy/entity.h"
#include "policy/evaluator.h"
#include "policy/policy.h"

namespace holdfast::policy {

enum class Verdict : std::uint8_t { kAllow, kDeny };

struct PolicyError {
  std::string policy;  // its id
  std::string message;
};

// Forbid beats permit, and what nothing permits is denied. A policy whose evaluation fails counts as not
// there and is listed; so a forbid that fails forbids nothing, unless deny_on_error was asked for.
struct Decision {
  Verdict verdict = Verdict::kDeny;
  std::vector<std::string>
      determining;  // ids of the satisfied policies of the deciding effect, in the set's order
  std::vector<PolicyError> errors;  // in the set's order
  bool denied_by_error = false;     // deny_on_error turned an allow into this denial
};

struct DecideOptions {
  // For dangerous actions: any error denies.
  bool deny_on_error = false;
};

// Decides requests by a set of policies. The policies are indexed by their scopes, so that a decision looks
// only at those whose strongest constraint the request meets. Immutable; safe to use from any thread.
class Authorizer {
 public:
  explicit Authorizer(PolicySet policies);

  [[nodiscard]] Decision decide(const Request& request, const Entities& entities,
                                DecideOptions options = {}) const;
  [[nodiscard]] const PolicySet& policies() const { return policies_; }

 private:
  using Places = std::vector<std::uint32_t>;  // in policies_.policies()
  using ByEntity = std::unordered_map<EntityUid, Places>;
  using ByType = std::unordered_map<std::string, Places>;
  void index(const Policy& policy, std::uint32_t place);
  [[nodiscard]] Places candidates(const Request& request, const Entities& entities) const;

  PolicySet policies_;
  ByEntity principal_is_entity_;
  ByEntity principal_in_;
  ByEntity resource_is_entity_;
  ByEntity resource_in_;
  ByEntity action_;
  ByType principal_is_;
  ByType resource_is_;
  Places others_;
};

// Whether the request meets the policy's scope. Never fails.
bool in_scope(const Policy& policy, const Request& request, const Entities& entities);

enum class Outcome : std::uint8_t { kSatisfied, kUnsatisfied, kError };
// What the conditions of a policy come to, for a request in its scope; evaluator.error() has the reason of
// kError.
Outcome evaluate_conditions(const Policy& policy, Evaluator& evaluator);

}  // namespace holdfast::policy
