#include "policy/validator.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "policy/typechecker.h"

namespace holdfast::policy {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;

constexpr std::size_t kMaxShown = 200;  // bytes of a value in a message

// Checks one policy for every request type of the schema that its scope lets through.
class PolicyValidator {
 public:
  PolicyValidator(const Policy& policy, const Schema& schema, ValidationReport& report)
      : policy_(policy), schema_(schema), report_(report), typechecker_(*policy.expression, schema) {}

  void validate() {
    check_names();
    bool reachable = false;
    bool satisfiable = false;
    for (const auto& [uid, action] : schema_.actions()) {
      if (!may_meet(policy_.action, uid, action)) continue;
      for (const std::string& principal : action.principals) {
        if (!may_meet(policy_.principal, principal)) continue;
        for (const std::string& resource : action.resources) {
          if (!may_meet(policy_.resource, resource)) continue;
          reachable = true;
          satisfiable |= check_conditions({&principal, &uid, &resource, &action.context});
        }
      }
    }
    if (!reachable) {
      error(
          "its scope fits no action: the schema lets no such principal take such an action on such a "
          "resource");
    } else if (!satisfiable) {
      report_.warnings.push_back({policy_.id, "its conditions can never be met"});
    }
  }

 private:
  // Once for each message, however many request types give it.
  void error(std::string message) {
    if (seen_.insert(message).second) report_.errors.push_back({policy_.id, std::move(message)});
  }

  void check_uid(const EntityUid& uid) {
    if (!schema_.may_exist(uid)) error(fmt::format("the schema knows no entity {}", uid.text()));
  }

  void check_type(const std::string& type) {
    if (schema_.find_entity_type(type) == nullptr && !schema_.is_action_type(type)) {
      error(fmt::format("the schema knows no entity type {}", type));
    }
  }

  // Also in parts that no request type reaches.
  void check_names() {
    for (const EntityConstraint* constraint : {&policy_.principal, &policy_.resource}) {
      if (constraint->entity) check_uid(*constraint->entity);
      if (!constraint->type.empty()) check_type(constraint->type);
    }
    for (const EntityUid& action : policy_.action.actions) check_uid(action);
    for (NodeId id = 0; id < policy_.expression->size(); ++id) {
      const Node& node = policy_.expression->node(id);
      if (node.op == Op::kIs || node.op == Op::kIsIn) check_type(policy_.expression->name(node.b));
      if (node.op != Op::kLiteral) continue;
      if (const auto* uid = policy_.expression->literal(node.a).as<EntityUid>()) check_uid(*uid);
    }
  }

  [[nodiscard]] bool may_meet(const EntityConstraint& constraint, const std::string& type) const {
    using Kind = EntityConstraint::Kind;
    if ((constraint.kind == Kind::kIs || constraint.kind == Kind::kIsIn) && type != constraint.type)
      return false;
    if (!constraint.entity) return true;  // none asked for, or a slot, which may become any
    if (constraint.kind == Kind::kEqual) return type == constraint.entity->type();
    return schema_.may_be_in(type, constraint.entity->type());
  }

  static bool may_meet(const ActionConstraint& constraint, const EntityUid& uid, const ActionType& action) {
    using Kind = ActionConstraint::Kind;
    if (constraint.kind == Kind::kAny) return true;
    return std::any_of(constraint.actions.begin(), constraint.actions.end(), [&](const EntityUid& wanted) {
      return uid == wanted || (constraint.kind == Kind::kIn && action.ancestors.contains(wanted));
    });
  }

  // Whether the conditions may be met.
  bool check_conditions(const RequestType& request) {
    auto kind = typechecker_.check(policy_.conditions, request);
    if (kind) return *kind != Type::Kind::kFalse;
    error(std::move(kind).error().message);
    return true;
  }

  const Policy& policy_;
  const Schema& schema_;
  ValidationReport& report_;
  Typechecker typechecker_;
  std::set<std::string> seen_;
};

// What is wrong with these attributes, or nothing.
std::optional<std::string> mismatch(const Record& record, const Attributes& attributes,
                                    const Schema& schema) {
  for (const Field& field : record.fields()) {
    const auto at = attributes.find(field.name);
    if (at == attributes.end())
      return fmt::format("the attribute {} is not in the schema", quote(field.name));
    if (!schema.is_instance(field.value, *at->second.type)) {
      return fmt::format("the attribute {} must be {}, and is {}", quote(field.name),
                         to_string(*at->second.type), field.value.to_cedar(kMaxShown));
    }
  }
  for (const auto& [name, attribute] : attributes) {
    if (attribute.required && record.find(name) == nullptr) {
      return fmt::format("the attribute {} is missing", quote(name));
    }
  }
  return std::nullopt;
}

Result<> wrong(const EntityUid& uid, std::string_view why) {
  return fail(ErrorCode::kInvalidArgument, fmt::format("{}: {}", uid.text(), why));
}

Result<> validate_action_entity(const Entity& entity, const Entities& entities, const Schema& schema) {
  const ActionType* action = schema.find_action(entity.uid);
  if (action == nullptr) return wrong(entity.uid, "the schema knows no such entity");
  if (!entity.attributes.fields().empty() || !entity.tags.fields().empty()) {
    return wrong(entity.uid, "an action has no attributes and no tags");
  }
  const auto& found = entities.ancestors(entity.uid);
  if (std::set(found.begin(), found.end()) != action->ancestors) {
    return wrong(entity.uid, "its ancestors are not those of the schema");
  }
  return {};
}

Result<> validate_entity(const Entity& entity, const Entities& entities, const Schema& schema) {
  const EntityType* type = schema.find_entity_type(entity.uid.type());
  if (type == nullptr) return validate_action_entity(entity, entities, schema);
  if (!schema.may_exist(entity.uid))
    return wrong(entity.uid, "its id is not one that its enumerated type lists");
  if (const auto why = mismatch(entity.attributes, type->attributes, schema)) return wrong(entity.uid, *why);
  for (const EntityUid& ancestor : entities.ancestors(entity.uid)) {
    if (!type->ancestors.contains(ancestor.type()) || !schema.may_exist(ancestor)) {
      return wrong(entity.uid, fmt::format("it may not be in {}", ancestor.text()));
    }
  }
  for (const Field& tag : entity.tags.fields()) {
    if (type->tags == nullptr) return wrong(entity.uid, "its type has no tags");
    if (!schema.is_instance(tag.value, *type->tags)) {
      return wrong(entity.uid, fmt::format("the tag {} must be {}, and is {}", quote(tag.name),
                                           to_string(*type->tags), tag.value.to_cedar(kMaxShown)));
    }
  }
  return {};
}

}  // namespace

ValidationReport validate_policies(const PolicySet& policies, const Schema& schema) {
  ValidationReport report;
  for (const auto* list : {&policies.policies(), &policies.templates()}) {
    for (const Policy& policy : *list) PolicyValidator(policy, schema, report).validate();
  }
  return report;
}

Result<> validate_entities(const Entities& entities, const Schema& schema) {
  for (const Entity* entity : entities.all()) HF_CHECK(validate_entity(*entity, entities, schema));
  for (const auto& [uid, action] : schema.actions()) {
    if (entities.find(uid) == nullptr)
      return wrong(uid, "this action of the schema is not among the entities");
  }
  return {};
}

Result<> validate_request(const Request& request, const Schema& schema) {
  const ActionType* action = schema.find_action(request.action());
  if (action == nullptr) return wrong(request.action(), "the schema knows no such action");
  const auto check = [&](const EntityUid& uid, const auto& types, std::string_view role) -> Result<> {
    if (types.contains(uid.type()) && schema.may_exist(uid)) return {};
    return wrong(uid, fmt::format("this can't be the {} of {}", role, request.action().text()));
  };
  HF_CHECK(check(request.principal(), action->principals, "principal"));
  HF_CHECK(check(request.resource(), action->resources, "resource"));
  if (const auto why = mismatch(request.context(), action->context, schema)) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("the context of {}: {}", request.action().text(), *why));
  }
  return {};
}

}  // namespace holdfast::policy
