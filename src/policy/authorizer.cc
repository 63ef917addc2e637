#include "policy/authorizer.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace holdfast::policy {
namespace {

bool meets(const EntityConstraint& constraint, const Lineage& entity) {
  using Kind = EntityConstraint::Kind;
  const bool right_type = entity.uid().type() == constraint.type;
  switch (constraint.kind) {
    case Kind::kAny:
      return true;
    case Kind::kEqual:
      return constraint.entity && entity.uid() == *constraint.entity;
    case Kind::kIn:
      return constraint.entity && entity.is_in(*constraint.entity);
    case Kind::kIs:
      return right_type;
    case Kind::kIsIn:
      return right_type && constraint.entity && entity.is_in(*constraint.entity);
  }
  return false;
}

bool meets(const ActionConstraint& constraint, const Lineage& action) {
  using Kind = ActionConstraint::Kind;
  if (constraint.kind == Kind::kAny) return true;
  return std::any_of(constraint.actions.begin(), constraint.actions.end(), [&](const EntityUid& wanted) {
    return constraint.kind == Kind::kEqual ? action.uid() == wanted : action.is_in(wanted);
  });
}

// The three entities of a request, each looked up once.
struct Asked {
  Lineage principal;
  Lineage action;
  Lineage resource;

  Asked(const Request& request, const Entities& entities)
      : principal(entities.lineage(request.principal())),
        action(entities.lineage(request.action())),
        resource(entities.lineage(request.resource())) {}

  [[nodiscard]] bool meets_scope(const Policy& policy) const {
    return meets(policy.action, action) && meets(policy.principal, principal) &&
           meets(policy.resource, resource);
  }
};

template <typename Map, typename Key>
void append(const Map& map, const Key& key, std::vector<std::uint32_t>& places) {
  if (map.empty()) return;
  const auto at = map.find(key);
  if (at != map.end()) places.insert(places.end(), at->second.places.begin(), at->second.places.end());
}

template <typename Map>
void append_lineage(const Map& map, const Lineage& entity, std::vector<std::uint32_t>& places) {
  if (map.empty()) return;
  append(map, entity.uid(), places);
  for (const EntityUid& ancestor : entity.ancestors()) append(map, ancestor, places);
}

}  // namespace

bool in_scope(const Policy& policy, const Request& request, const Entities& entities) {
  return Asked(request, entities).meets_scope(policy);
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
  for (const Policy& policy : policies_.policies()) {
    for (const auto& way : ways(policy)) {
      for (Bucket* bucket : way) ++bucket->sharing;
    }
  }
  const auto sharing = [](const std::vector<Bucket*>& way) {
    return std::accumulate(way.begin(), way.end(), std::size_t{0},
                           [](std::size_t sum, const Bucket* bucket) { return sum + bucket->sharing; });
  };
  std::uint32_t place = 0;
  for (const Policy& policy : policies_.policies()) {
    const auto possible = ways(policy);
    const auto best = std::min_element(possible.begin(), possible.end(),
                                       [&](const auto& a, const auto& b) { return sharing(a) < sharing(b); });
    if (best == possible.end()) {
      index_.unconstrained.push_back(place);
    } else {
      for (Bucket* bucket : *best) bucket->places.push_back(place);
    }
    ++place;
  }
  const auto drop_unused = [](auto& map) {
    std::erase_if(map, [](const auto& each) { return each.second.places.empty(); });
  };
  for (ByEntity* map : {&index_.principal_is_entity, &index_.principal_in, &index_.resource_is_entity,
                        &index_.resource_in, &index_.action}) {
    drop_unused(*map);
  }
  for (ByType* map : {&index_.principal_type, &index_.resource_type}) drop_unused(*map);
}

std::vector<std::vector<Authorizer::Bucket*>> Authorizer::ways(const Policy& policy) {
  using Kind = EntityConstraint::Kind;
  std::vector<std::vector<Bucket*>> ways;
  const auto add = [&](const EntityConstraint& constraint, ByEntity& equal, ByEntity& in, ByType& type) {
    if (constraint.kind == Kind::kEqual) ways.push_back({&equal[*constraint.entity]});
    if (constraint.kind == Kind::kIn || constraint.kind == Kind::kIsIn)
      ways.push_back({&in[*constraint.entity]});
    if (constraint.kind == Kind::kIs || constraint.kind == Kind::kIsIn)
      ways.push_back({&type[constraint.type]});
  };
  add(policy.principal, index_.principal_is_entity, index_.principal_in, index_.principal_type);
  add(policy.resource, index_.resource_is_entity, index_.resource_in, index_.resource_type);
  if (policy.action.kind != ActionConstraint::Kind::kAny) {
    auto& way = ways.emplace_back();  // stays empty for `action in []`, which nothing meets
    for (const EntityUid& action : policy.action.actions) way.push_back(&index_.action[action]);
  }
  return ways;
}

Authorizer::Places Authorizer::in_scope(const Request& request, const Entities& entities) const {
  const Asked asked(request, entities);
  Places places = index_.unconstrained;
  append(index_.principal_is_entity, request.principal(), places);
  append(index_.resource_is_entity, request.resource(), places);
  append(index_.principal_type, request.principal().type(), places);
  append(index_.resource_type, request.resource().type(), places);
  append_lineage(index_.principal_in, asked.principal, places);
  append_lineage(index_.resource_in, asked.resource, places);
  append_lineage(index_.action, asked.action, places);
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  // Now those whose whole scope is met.
  std::erase_if(places, [&](std::uint32_t place) { return !asked.meets_scope(policies_.policies()[place]); });
  return places;
}

Decision Authorizer::decide(const Request& request, const Entities& entities, DecideOptions options) const {
  Decision decision;
  Evaluator evaluator(request, entities);
  std::vector<const Policy*> permits;
  std::vector<const Policy*> forbids;
  for (const std::uint32_t place : in_scope(request, entities)) {
    const Policy& policy = policies_.policies()[place];
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
