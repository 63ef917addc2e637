#include "policy/authorizer.h"

#include <algorithm>
#include <utility>

namespace holdfast::policy {
namespace {

bool meets(const EntityConstraint& constraint, const EntityUid& uid, const Entities& entities) {
  using Kind = EntityConstraint::Kind;
  switch (constraint.kind) {
    case Kind::kAny:
      return true;
    case Kind::kEqual:
      return constraint.entity && uid == *constraint.entity;
    case Kind::kIn:
      return constraint.entity && entities.is_in(uid, *constraint.entity);
    case Kind::kIs:
      return uid.type() == constraint.type;
    case Kind::kIsIn:
      return uid.type() == constraint.type && constraint.entity && entities.is_in(uid, *constraint.entity);
  }
  return false;
}

bool meets(const ActionConstraint& constraint, const EntityUid& uid, const Entities& entities) {
  using Kind = ActionConstraint::Kind;
  if (constraint.kind == Kind::kAny) return true;
  return std::any_of(constraint.actions.begin(), constraint.actions.end(), [&](const EntityUid& action) {
    return constraint.kind == Kind::kEqual ? uid == action : entities.is_in(uid, action);
  });
}

template <typename Map, typename Key>
void append(const Map& map, const Key& key, std::vector<std::uint32_t>& places) {
  if (map.empty()) return;
  const auto at = map.find(key);
  if (at != map.end()) places.insert(places.end(), at->second.begin(), at->second.end());
}

}  // namespace

bool in_scope(const Policy& policy, const Request& request, const Entities& entities) {
  return meets(policy.action, request.action(), entities) &&
         meets(policy.principal, request.principal(), entities) &&
         meets(policy.resource, request.resource(), entities);
}

Outcome evaluate_conditions(const Policy& policy, Evaluator& evaluator) {
  for (const Condition& condition : policy.conditions) {
    const bool* truth = evaluator.evaluate_bool(*policy.expression, condition.root);
    if (truth == nullptr) return Outcome::kError;
    if (*truth == condition.unless) return Outcome::kUnsatisfied;
  }
  return Outcome::kSatisfied;
}

Authorizer::Authorizer(PolicySet policies) : policies_(std::move(policies)) {
  std::uint32_t place = 0;
  for (const Policy& policy : policies_.policies()) index(policy, place++);
}

// Under its strongest constraint alone: one entity before a group, a group before an action, an action before
// a type.
void Authorizer::index(const Policy& policy, std::uint32_t place) {
  using Kind = EntityConstraint::Kind;
  const auto in = [](const EntityConstraint& c) { return c.kind == Kind::kIn || c.kind == Kind::kIsIn; };
  if (policy.principal.kind == Kind::kEqual) {
    principal_is_entity_[*policy.principal.entity].push_back(place);
  } else if (policy.resource.kind == Kind::kEqual) {
    resource_is_entity_[*policy.resource.entity].push_back(place);
  } else if (in(policy.principal)) {
    principal_in_[*policy.principal.entity].push_back(place);
  } else if (in(policy.resource)) {
    resource_in_[*policy.resource.entity].push_back(place);
  } else if (policy.action.kind != ActionConstraint::Kind::kAny) {
    for (const EntityUid& action : policy.action.actions) action_[action].push_back(place);
  } else if (policy.principal.kind == Kind::kIs) {
    principal_is_[policy.principal.type].push_back(place);
  } else if (policy.resource.kind == Kind::kIs) {
    resource_is_[policy.resource.type].push_back(place);
  } else {
    others_.push_back(place);
  }
}

Authorizer::Places Authorizer::candidates(const Request& request, const Entities& entities) const {
  Places places = others_;
  append(principal_is_entity_, request.principal(), places);
  append(resource_is_entity_, request.resource(), places);
  append(principal_is_, request.principal().type(), places);
  append(resource_is_, request.resource().type(), places);
  const auto append_groups = [&](const ByEntity& map, const EntityUid& uid) {
    if (map.empty()) return;
    append(map, uid, places);
    for (const EntityUid& ancestor : entities.ancestors(uid)) append(map, ancestor, places);
  };
  append_groups(principal_in_, request.principal());
  append_groups(resource_in_, request.resource());
  append_groups(action_, request.action());
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  return places;
}

Decision Authorizer::decide(const Request& request, const Entities& entities, DecideOptions options) const {
  Decision decision;
  Evaluator evaluator(request, entities);
  std::vector<const Policy*> permits;
  std::vector<const Policy*> forbids;
  for (const std::uint32_t place : candidates(request, entities)) {
    const Policy& policy = policies_.policies()[place];
    if (!in_scope(policy, request, entities)) continue;
    switch (evaluate_conditions(policy, evaluator)) {
      case Outcome::kSatisfied:
        (policy.effect == Effect::kPermit ? permits : forbids).push_back(&policy);
        break;
      case Outcome::kError:
        decision.errors.push_back({policy.id, evaluator.error()});
        break;
      case Outcome::kUnsatisfied:
        break;
    }
  }
  const bool allowed = forbids.empty() && !permits.empty();
  decision.denied_by_error = allowed && options.deny_on_error && !decision.errors.empty();
  decision.verdict = allowed && !decision.denied_by_error ? Verdict::kAllow : Verdict::kDeny;
  if (decision.denied_by_error) return decision;
  for (const Policy* policy : allowed ? permits : forbids) decision.determining.push_back(policy->id);
  return decision;
}

}  // namespace holdfast::policy
