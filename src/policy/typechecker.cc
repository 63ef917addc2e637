#include "policy/typechecker.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace holdfast::policy {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using Kind = Type::Kind;

constexpr std::size_t kMaxShown = 200;  // bytes of an expression in a message

TypeRef bool_type(bool value) { return type_of(value ? Kind::kTrue : Kind::kFalse); }

}  // namespace

TypeRef common_type(const TypeRef& a, const TypeRef& b) {
  if (a == b) return a;
  if (is_bool(*a) && is_bool(*b)) return a->kind == b->kind ? a : type_of(Kind::kBool);
  if (a->kind != b->kind || a->entity != b->entity) return nullptr;
  if (a->kind == Kind::kSet) {
    TypeRef element = common_type(a->element, b->element);
    return element == nullptr ? nullptr : set_type(std::move(element));
  }
  if (a->kind != Kind::kRecord) return a;
  if (a->attributes.size() != b->attributes.size()) return nullptr;
  Attributes attributes;
  for (auto x = a->attributes.begin(), y = b->attributes.begin(); x != a->attributes.end(); ++x, ++y) {
    if (x->first != y->first || x->second.required != y->second.required) return nullptr;
    TypeRef inner = common_type(x->second.type, y->second.type);
    if (inner == nullptr) return nullptr;
    attributes.emplace(x->first, AttributeType{std::move(inner), x->second.required});
  }
  return record_type(std::move(attributes));
}

Typechecker::Typechecker(const Expression& expression, const Schema& schema)
    : expression_(expression), schema_(schema), numbers_(expression) {}

Typechecker::Capability Typechecker::capability(std::uint32_t target, Key key, std::uint32_t what) {
  return static_cast<Capability>(target) << 33 | static_cast<Capability>(key) << 32 | what;
}

void Typechecker::assume(const Capabilities& capabilities) {
  for (const Capability each : capabilities) ++known_[each];
}

void Typechecker::forget(const Capabilities& capabilities) {
  for (const Capability each : capabilities) {
    const auto at = known_.find(each);
    if (--at->second == 0) known_.erase(at);
  }
}

tl::unexpected<base::Error> Typechecker::wrong(NodeId id, std::string_view why) const {
  std::string text = expression_.text(id);
  if (text.size() > kMaxShown) text = text.substr(0, kMaxShown) + "...";
  return fail(ErrorCode::kInvalidArgument, fmt::format("`{}`: {}", text, why));
}

Result<Type::Kind> Typechecker::check(const std::vector<Condition>& conditions, const RequestType& request) {
  request_ = &request;
  known_.clear();
  bool always = true;
  for (const Condition& condition : conditions) {
    HF_TRY(const Answer answer, expect_bool(condition.root));
    if (answer.type->kind == (condition.unless ? Kind::kTrue : Kind::kFalse)) return Kind::kFalse;
    if (answer.type->kind == Kind::kBool) always = false;
    if (!condition.unless) assume(answer.known_when_true);
  }
  return always ? Kind::kTrue : Kind::kBool;
}

// Recursion is bounded by Expression::kMaxHeight.
Result<Typechecker::Answer> Typechecker::type_of(NodeId id) {
  const Node& node = expression_.node(id);
  switch (node.op) {
    case Op::kLiteral:
      return type_of_literal(id, node);
    case Op::kVariable:
      return type_of_variable(node);
    case Op::kIf:
      return type_of_if(id, node);
    case Op::kAnd:
      return type_of_and(node);
    case Op::kOr:
      return type_of_or(node);
    case Op::kNot:
    case Op::kNegate:
    case Op::kIsEmpty:
    case Op::kLike:
      return type_of_unary(node);
    case Op::kGetAttribute:
      return type_of_attribute(id, node);
    case Op::kHas:
      return type_of_has(id, node);
    case Op::kIs:
    case Op::kIsIn:
      return type_of_is(id, node);
    case Op::kSet:
      return type_of_set(id, node);
    case Op::kRecord:
      return type_of_record(node);
    case Op::kCall:
      return type_of_call(id, node);
    default:
      return type_of_binary(id, node);
  }
}

Result<Typechecker::Answer> Typechecker::expect(NodeId id, Type::Kind kind) {
  HF_TRY(Answer answer, type_of(id));
  if (answer.type->kind != kind) {
    const std::string wanted = kind == Kind::kSet      ? "a Set"
                               : kind == Kind::kEntity ? "an entity"
                                                       : to_string(Type{kind});
    return wrong(id, fmt::format("this must be {}, and is {}", wanted, to_string(*answer.type)));
  }
  return answer;
}

Result<Typechecker::Answer> Typechecker::expect_bool(NodeId id) {
  HF_TRY(Answer answer, type_of(id));
  if (!is_bool(*answer.type)) {
    return wrong(id, fmt::format("this must be Bool, and is {}", to_string(*answer.type)));
  }
  return answer;
}

Result<Typechecker::Answer> Typechecker::type_of_literal(NodeId id, const Node& node) {
  const Value& value = expression_.literal(node.a);
  if (const bool* truth = value.as_bool()) return Answer{bool_type(*truth)};
  if (value.as_integer() != nullptr) return Answer{policy::type_of(Kind::kLong)};
  if (value.as_text() != nullptr) return Answer{policy::type_of(Kind::kString)};
  if (const auto* uid = value.as<EntityUid>()) {
    if (!schema_.may_exist(*uid)) return wrong(id, "the schema knows no such entity");
    return Answer{entity_type(uid->type())};
  }
  if (value.as<Decimal>() != nullptr) return Answer{policy::type_of(Kind::kDecimal)};
  if (value.as<IpAddress>() != nullptr) return Answer{policy::type_of(Kind::kIpAddress)};
  return Answer{policy::type_of(value.as<Datetime>() != nullptr ? Kind::kDatetime : Kind::kDuration)};
}

Result<Typechecker::Answer> Typechecker::type_of_variable(const Node& node) {
  switch (static_cast<Variable>(node.a)) {
    case Variable::kPrincipal:
      return Answer{entity_type(*request_->principal)};
    case Variable::kAction:
      return Answer{entity_type(request_->action->type())};
    case Variable::kResource:
      return Answer{entity_type(*request_->resource)};
    default:
      return Answer{record_type(*request_->context)};
  }
}

Result<Typechecker::Answer> Typechecker::type_of_if(NodeId id, const Node& node) {
  HF_TRY(Answer condition, expect_bool(node.a));
  if (condition.type->kind == Kind::kFalse) return type_of(node.c);
  assume(condition.known_when_true);
  auto then_ = type_of(node.b);
  forget(condition.known_when_true);
  if (!then_) return then_;
  then_->known_when_true.insert(then_->known_when_true.end(), condition.known_when_true.begin(),
                                condition.known_when_true.end());
  if (condition.type->kind == Kind::kTrue) return then_;
  HF_TRY(const Answer else_, type_of(node.c));
  TypeRef type = common_type(then_->type, else_.type);
  if (type == nullptr) {
    return wrong(id, fmt::format("`then` gives {} and `else` gives {}; both must give the same",
                                 to_string(*then_->type), to_string(*else_.type)));
  }
  const std::set<Capability> in_else(else_.known_when_true.begin(), else_.known_when_true.end());
  Answer answer{std::move(type)};
  std::copy_if(then_->known_when_true.begin(), then_->known_when_true.end(),
               std::back_inserter(answer.known_when_true),
               [&](Capability each) { return in_else.contains(each); });
  return answer;
}

// An operand is looked at only if those before it can be true, with what they then tell.
Result<Typechecker::Answer> Typechecker::type_of_and(const Node& node) {
  Answer all{bool_type(true)};
  const auto finish = [&](Result<Answer> result) {
    forget(all.known_when_true);
    return result;
  };
  for (const NodeId operand : expression_.list(node.a, node.b)) {
    auto answer = expect_bool(operand);
    if (!answer) return finish(std::move(answer));
    if (answer->type->kind == Kind::kFalse) return finish(Answer{answer->type});
    if (answer->type->kind == Kind::kBool) all.type = answer->type;
    assume(answer->known_when_true);
    all.known_when_true.insert(all.known_when_true.end(), answer->known_when_true.begin(),
                               answer->known_when_true.end());
  }
  return finish(all);
}

// An operand is looked at only if those before it can be false. What is known afterwards is what every
// operand that can be true tells.
Result<Typechecker::Answer> Typechecker::type_of_or(const Node& node) {
  Answer any{bool_type(false)};
  for (const NodeId operand : expression_.list(node.a, node.b)) {
    HF_TRY(Answer answer, expect_bool(operand));
    if (answer.type->kind == Kind::kTrue) return Answer{answer.type};
    if (answer.type->kind == Kind::kFalse) continue;
    if (any.type->kind == Kind::kFalse) {
      any = std::move(answer);
      continue;
    }
    const std::set<Capability> here(answer.known_when_true.begin(), answer.known_when_true.end());
    std::erase_if(any.known_when_true, [&](Capability each) { return !here.contains(each); });
  }
  return any;
}

Result<Typechecker::Answer> Typechecker::type_of_unary(const Node& node) {
  switch (node.op) {
    case Op::kNot: {
      HF_TRY(const Answer operand, expect_bool(node.a));
      if (operand.type->kind == Kind::kBool) return Answer{operand.type};
      return Answer{bool_type(operand.type->kind == Kind::kFalse)};
    }
    case Op::kNegate:
      HF_CHECK(expect(node.a, Kind::kLong));
      return Answer{policy::type_of(Kind::kLong)};
    case Op::kIsEmpty:
      HF_CHECK(expect(node.a, Kind::kSet));
      return Answer{policy::type_of(Kind::kBool)};
    default:
      HF_CHECK(expect(node.a, Kind::kString));
      return Answer{policy::type_of(Kind::kBool)};
  }
}

Result<Typechecker::Answer> Typechecker::type_of_binary(NodeId id, const Node& node) {
  switch (node.op) {
    case Op::kAdd:
    case Op::kSubtract:
    case Op::kMultiply:
      HF_CHECK(expect(node.a, Kind::kLong));
      return expect(node.b, Kind::kLong);
    case Op::kGetTag:
    case Op::kHasTag: {
      HF_TRY(const Answer left, expect(node.a, Kind::kEntity));
      HF_CHECK(expect(node.b, Kind::kString));
      return type_of_tag(id, node, left);
    }
    default:
      break;
  }
  HF_TRY(const Answer left, type_of(node.a));
  HF_TRY(const Answer right, type_of(node.b));
  switch (node.op) {
    case Op::kEqual:
    case Op::kNotEqual:
      return type_of_equal(id, node, left, right);
    case Op::kIn:
      if (left.type->kind != Kind::kEntity) {
        return wrong(node.a, fmt::format("this must be an entity, and is {}", to_string(*left.type)));
      }
      return type_of_in(node.b, left, right, entity_literal(node.a));
    case Op::kContains:
    case Op::kContainsAll:
    case Op::kContainsAny:
      return type_of_set_test(id, node, left, right);
    default:
      return type_of_ordering(node, left, right);
  }
}

Result<Typechecker::Answer> Typechecker::type_of_equal(NodeId id, const Node& node, const Answer& left,
                                                       const Answer& right) {
  const bool equal = node.op == Op::kEqual;
  if (is_primitive_literal(node.a) && is_primitive_literal(node.b)) {
    const auto a = entity_literal(node.a);
    const auto b = entity_literal(node.b);
    const bool same = a || b ? a == b
                             : expression_.literal(expression_.node(node.a).a) ==
                                   expression_.literal(expression_.node(node.b).a);
    return Answer{bool_type(same == equal)};
  }
  if (common_type(left.type, right.type) != nullptr) return Answer{policy::type_of(Kind::kBool)};
  if (left.type->kind == Kind::kEntity && right.type->kind == Kind::kEntity) return Answer{bool_type(!equal)};
  return wrong(id, fmt::format("{} and {} are never equal", to_string(*left.type), to_string(*right.type)));
}

Result<Typechecker::Answer> Typechecker::type_of_in(NodeId right_id, const Answer& left, const Answer& right,
                                                    std::optional<EntityUid> left_uid) {
  const bool set = right.type->kind == Kind::kSet;
  const Type& ancestor = set ? *right.type->element : *right.type;
  if (ancestor.kind != Kind::kEntity) {
    return wrong(right_id, fmt::format("this must be an entity or a Set of entities, and is {}",
                                       to_string(*right.type)));
  }
  const ActionType* action = left_uid ? schema_.find_action(*left_uid) : nullptr;
  std::optional<std::vector<EntityUid>> uids;
  if (set) uids = entity_literals(right_id);
  if (const auto uid = entity_literal(right_id)) uids = std::vector{*uid};
  if (action != nullptr && uids) {
    return Answer{bool_type(std::any_of(uids->begin(), uids->end(), [&](const EntityUid& uid) {
      return uid == *left_uid || action->ancestors.contains(uid);
    }))};
  }
  const bool may_be = schema_.may_be_in(left.type->entity, ancestor.entity);
  return Answer{policy::type_of(may_be ? Kind::kBool : Kind::kFalse)};
}

Result<Typechecker::Answer> Typechecker::type_of_set_test(NodeId id, const Node& node, const Answer& left,
                                                          const Answer& right) {
  const auto must_be_set = [&](NodeId of, const Answer& answer) {
    return wrong(of, fmt::format("this must be a Set, and is {}", to_string(*answer.type)));
  };
  if (left.type->kind != Kind::kSet) return must_be_set(node.a, left);
  TypeRef other = right.type;
  if (node.op != Op::kContains) {
    if (other->kind != Kind::kSet) return must_be_set(node.b, right);
    other = other->element;
  }
  if (common_type(left.type->element, other) == nullptr) {
    return wrong(id, fmt::format("a {} can't hold {}", to_string(*left.type), to_string(*other)));
  }
  return Answer{policy::type_of(Kind::kBool)};
}

Result<Typechecker::Answer> Typechecker::type_of_ordering(const Node& node, const Answer& left,
                                                          const Answer& right) {
  const Kind kind = left.type->kind;
  if (kind != Kind::kLong && kind != Kind::kDatetime && kind != Kind::kDuration) {
    return wrong(node.a,
                 fmt::format("this must be Long, datetime or duration, and is {}{}", to_string(*left.type),
                             kind == Kind::kDecimal ? "; decimals have lessThan() and its like" : ""));
  }
  if (right.type->kind != kind) {
    return wrong(node.b,
                 fmt::format("this must be {}, and is {}", to_string(*left.type), to_string(*right.type)));
  }
  return Answer{policy::type_of(Kind::kBool)};
}

Result<Typechecker::Answer> Typechecker::type_of_tag(NodeId id, const Node& node, const Answer& left) {
  const std::string& name = left.type->entity;
  const EntityType* type = schema_.find_entity_type(name);
  const Capability has = capability(numbers_.of(node.a), Key::kTag, numbers_.of(node.b));
  if (type == nullptr && (node.op == Op::kGetTag || !schema_.is_action_type(name))) {
    return wrong(id, fmt::format("{} has no tags", name));
  }
  const bool tagged = type != nullptr && type->tags != nullptr;
  if (node.op == Op::kHasTag) {
    if (!tagged || known(has)) return Answer{bool_type(tagged)};
    return Answer{policy::type_of(Kind::kBool), {has}};
  }
  if (!tagged) return wrong(id, fmt::format("entities of type {} have no tags", name));
  if (!known(has)) return wrong(id, "the tag may be missing; ask for it with hasTag() first");
  return Answer{type->tags};
}

Result<const Attributes*> Typechecker::attributes_of(NodeId id, const Type& type) {
  if (type.kind == Kind::kRecord) return &type.attributes;
  if (type.kind != Kind::kEntity) {
    return wrong(id, fmt::format("this must be an entity or a record, and is {}", to_string(type)));
  }
  if (const EntityType* known = schema_.find_entity_type(type.entity)) return &known->attributes;
  return nullptr;
}

Result<Typechecker::Answer> Typechecker::type_of_attribute(NodeId id, const Node& node) {
  HF_TRY(const Answer target, type_of(node.a));
  HF_TRY(const Attributes* attributes, attributes_of(node.a, *target.type));
  const std::string& name = expression_.name(node.b);
  if (attributes == nullptr || !attributes->contains(name)) {
    return wrong(id, fmt::format("{} has no attribute {}", to_string(*target.type), quote(name)));
  }
  const AttributeType& attribute = attributes->at(name);
  if (!attribute.required && !known(capability(numbers_.of(node.a), Key::kAttribute, node.b))) {
    return wrong(id,
                 fmt::format("the attribute {} may be missing; ask for it with `has` first", quote(name)));
  }
  return Answer{attribute.type};
}

// x has a.b is x has a && x.a has b.
Result<Typechecker::Answer> Typechecker::type_of_has(NodeId id, const Node& node) {
  HF_TRY(const Answer target, type_of(node.a));
  Answer answer{bool_type(true)};
  TypeRef type = target.type;
  std::uint32_t number = numbers_.of(node.a);
  for (const std::uint32_t name : expression_.list(node.b, node.c)) {
    HF_TRY(const Attributes* attributes, attributes_of(type == target.type ? node.a : id, *type));
    if (attributes == nullptr || !attributes->contains(expression_.name(name))) {
      return Answer{bool_type(false)};
    }
    const AttributeType& attribute = attributes->at(expression_.name(name));
    const Capability has = capability(number, Key::kAttribute, name);
    // An entity that is not known has no attributes at all, so there `required` proves nothing.
    const bool certain = known(has) || (attribute.required && type->kind == Kind::kRecord);
    if (!certain) {
      answer.type = policy::type_of(Kind::kBool);
      answer.known_when_true.push_back(has);
    }
    type = attribute.type;
    number = numbers_.of_attribute(number, name);
  }
  return answer;
}

// x is T in y is x is T && x in y.
Result<Typechecker::Answer> Typechecker::type_of_is(NodeId id, const Node& node) {
  HF_TRY(const Answer target, expect(node.a, Kind::kEntity));
  const std::string& name = expression_.name(node.b);
  if (schema_.find_entity_type(name) == nullptr && !schema_.is_action_type(name)) {
    return wrong(id, fmt::format("the schema knows no entity type {}", name));
  }
  if (target.type->entity != name) return Answer{bool_type(false)};
  if (node.op == Op::kIs) return Answer{bool_type(true)};
  HF_TRY(const Answer ancestor, type_of(node.c));
  return type_of_in(node.c, target, ancestor, entity_literal(node.a));
}

Result<Typechecker::Answer> Typechecker::type_of_set(NodeId id, const Node& node) {
  TypeRef element;
  for (const NodeId each : expression_.list(node.a, node.b)) {
    HF_TRY(const Answer answer, type_of(each));
    TypeRef joined = element == nullptr ? answer.type : common_type(element, answer.type);
    if (joined == nullptr) {
      return wrong(
          id, fmt::format("a Set can't hold both {} and {}", to_string(*element), to_string(*answer.type)));
    }
    element = std::move(joined);
  }
  if (element == nullptr) return wrong(id, "an empty Set has no type; ask with isEmpty()");
  return Answer{set_type(std::move(element))};
}

Result<Typechecker::Answer> Typechecker::type_of_record(const Node& node) {
  Attributes attributes;
  const auto pairs = expression_.list(node.a, 2 * node.b);
  for (std::size_t i = 0; i < pairs.size(); i += 2) {
    HF_TRY(Answer answer, type_of(pairs[i + 1]));
    attributes.emplace(expression_.name(pairs[i]), AttributeType{std::move(answer.type)});
  }
  return Answer{record_type(std::move(attributes))};
}

Result<Typechecker::Answer> Typechecker::type_of_call(NodeId id, const Node& node) {
  const ExtensionSignature& called = signature(node.function);
  const auto arguments = expression_.list(node.a, node.b);
  for (const NodeId argument : arguments) HF_CHECK(type_of(argument));
  if (called.is_constructor()) {
    // One that could be read is a literal by now (ExpressionBuilder::call).
    return wrong(id, fmt::format("{} takes one text in quotes that it can read", called.name));
  }
  if (arguments.size() != called.arguments.size()) {
    return wrong(id, fmt::format("{} takes {} argument(s)", called.name, called.arguments.size() - 1));
  }
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    HF_CHECK(expect(arguments[i], policy::type_of(called.arguments[i])->kind));
  }
  return Answer{policy::type_of(called.result)};
}

// The variable `action` is as good as the literal that it stands for in this request type.
std::optional<EntityUid> Typechecker::entity_literal(NodeId id) const {
  const Node& node = expression_.node(id);
  if (node.op == Op::kVariable && static_cast<Variable>(node.a) == Variable::kAction)
    return *request_->action;
  if (node.op != Op::kLiteral) return std::nullopt;
  const auto* uid = expression_.literal(node.a).as<EntityUid>();
  if (uid == nullptr) return std::nullopt;
  return *uid;
}

std::optional<std::vector<EntityUid>> Typechecker::entity_literals(NodeId id) const {
  const Node& node = expression_.node(id);
  if (node.op != Op::kSet) return std::nullopt;
  std::vector<EntityUid> uids;
  for (const NodeId element : expression_.list(node.a, node.b)) {
    auto uid = entity_literal(element);
    if (!uid) return std::nullopt;
    uids.push_back(*std::move(uid));
  }
  return uids;
}

bool Typechecker::is_primitive_literal(NodeId id) const {
  if (entity_literal(id)) return true;
  const Node& node = expression_.node(id);
  if (node.op != Op::kLiteral) return false;
  const Value& value = expression_.literal(node.a);
  return value.as_bool() != nullptr || value.as_integer() != nullptr || value.as_text() != nullptr;
}

}  // namespace holdfast::policy
