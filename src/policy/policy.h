#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policy/expression.h"
#include "policy/value.h"

// Policies, templates and sets of them, as parsed. Values; safe to read from any thread.

namespace holdfast::policy {

enum class Effect : std::uint8_t { kPermit, kForbid };

// What a policy's scope asks of the principal or the resource.
struct EntityConstraint {
  enum class Kind : std::uint8_t { kAny, kEqual, kIn, kIs, kIsIn };
  Kind kind = Kind::kAny;
  std::string type;                 // kIs, kIsIn
  std::optional<EntityUid> entity;  // kEqual, kIn, kIsIn; nothing where a template has a slot
};

struct ActionConstraint {
  enum class Kind : std::uint8_t { kAny, kEqual, kIn };
  Kind kind = Kind::kAny;
  std::vector<EntityUid> actions;  // one for kEqual; any number for kIn
};

struct Condition {
  bool unless = false;  // otherwise when
  NodeId root = 0;
};

// kInvalidArgument unless the type of the entity is `Action`, in any namespace.
base::Result<> check_action_type(const EntityUid& uid);

// One policy, or a template when a constraint of its scope asks for an entity that is not given.
struct Policy {
  std::string id;
  Effect effect = Effect::kForbid;
  std::map<std::string, std::string, std::less<>> annotations;
  EntityConstraint principal;
  ActionConstraint action;
  EntityConstraint resource;
  std::vector<Condition> conditions;
  std::shared_ptr<const Expression> expression;  // of the conditions; shared by a template and its links

  [[nodiscard]] bool has_principal_slot() const { return has_slot(principal); }
  [[nodiscard]] bool has_resource_slot() const { return has_slot(resource); }
  [[nodiscard]] bool is_template() const { return has_principal_slot() || has_resource_slot(); }
  // The text of an annotation, or nothing: annotation("remedy").
  [[nodiscard]] std::optional<std::string_view> annotation(std::string_view name) const;
  // As Cedar text, which parses to an equal policy.
  [[nodiscard]] std::string text() const;

 private:
  static bool has_slot(const EntityConstraint& constraint) {
    return !constraint.entity && constraint.kind != EntityConstraint::Kind::kAny &&
           constraint.kind != EntityConstraint::Kind::kIs;
  }
};

// Policies and templates under distinct ids, in the order in which they were added.
class PolicySet {
 public:
  static constexpr std::size_t kMaxPolicies = 100'000;

  [[nodiscard]] const std::vector<Policy>& policies() const { return policies_; }
  [[nodiscard]] const std::vector<Policy>& templates() const { return templates_; }
  [[nodiscard]] const Policy* find(std::string_view id) const;  // null when there is none

  // kAlreadyExists when the id is taken, kLimitExceeded over kMaxPolicies.
  base::Result<> add(Policy policy);
  // Adds the policy `id` that the template makes with these entities: one for each slot that it has, none for
  // others.
  base::Result<> link(std::string_view template_id, std::string id, std::optional<EntityUid> principal,
                      std::optional<EntityUid> resource);

 private:
  std::vector<Policy> policies_;
  std::vector<Policy> templates_;
  std::map<std::string, std::size_t, std::less<>> index_;  // templates count from the end: ~index
};

}  // namespace holdfast::policy
