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
  struct Bucket {
    std::size_t sharing = 0;  // policies that could be indexed here
    Places places;            // those that are
  };
  using ByEntity = std::unordered_map<EntityUid, Bucket>;
  using ByType = std::unordered_map<std::string, Bucket>;
  struct Index {
    ByEntity principal_is_entity;
    ByEntity principal_in;
    ByEntity resource_is_entity;
    ByEntity resource_in;
    ByEntity action;
    ByType principal_type;
    ByType resource_type;
    Places unconstrained;
  };

  // Every way to index the policy: under all the buckets of one element.
  std::vector<std::vector<Bucket*>> ways(const Policy& policy);
  [[nodiscard]] Places in_scope(const Request& request, const Entities& entities) const;

  PolicySet policies_;
  Index index_;
};

// Whether the request meets the policy's scope. Never fails.
bool in_scope(const Policy& policy, const Request& request, const Entities& entities);

enum class Outcome : std::uint8_t { kSatisfied, kUnsatisfied, kError };
// What the conditions of a policy come to, for a request in its scope; evaluator.error() has the reason of
// kError.
Outcome evaluate_conditions(const Policy& policy, Evaluator& evaluator);

}  // namespace holdfast::policy
