#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "policy/parser.h"
#include "policy/value_json.h"

namespace holdfast::policy {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;

constexpr base::JsonLimits kLimits{.max_bytes = Lexer::kMaxBytes, .max_depth = 3 * kMaxNesting};

tl::unexpected<base::Error> wrong(std::string message) {
  return fail(ErrorCode::kInvalidArgument, std::move(message));
}

Result<std::string> text_of(const json& object, const char* member) {
  const auto at = object.find(member);
  const auto* text = at == object.end() ? nullptr : at->get_ptr<const std::string*>();
  if (text == nullptr) return wrong(fmt::format("the member \"{}\" must be a text", member));
  return *text;
}

Result<std::string> type_of(const json& object) {
  HF_TRY(std::string name, text_of(object, "entity_type"));
  if (!is_type_name(name)) return wrong(fmt::format("{} is not the name of an entity type", quote(name)));
  return name;
}

std::optional<Op> binary_operator(std::string_view key) {
  static constexpr std::array<std::pair<std::string_view, Op>, 15> kBinary{{{"==", Op::kEqual},
                                                                            {"!=", Op::kNotEqual},
                                                                            {"<", Op::kLess},
                                                                            {"<=", Op::kLessEqual},
                                                                            {">", Op::kGreater},
                                                                            {">=", Op::kGreaterEqual},
                                                                            {"+", Op::kAdd},
                                                                            {"-", Op::kSubtract},
                                                                            {"*", Op::kMultiply},
                                                                            {"in", Op::kIn},
                                                                            {"contains", Op::kContains},
                                                                            {"containsAll", Op::kContainsAll},
                                                                            {"containsAny", Op::kContainsAny},
                                                                            {"getTag", Op::kGetTag},
                                                                            {"hasTag", Op::kHasTag}}};
  const auto at =
      std::find_if(kBinary.begin(), kBinary.end(), [&](const auto& each) { return each.first == key; });
  if (at == kBinary.end()) return std::nullopt;
  return at->second;
}

// Expressions of docs.cedarpolicy.com, "JSON policy format". Recursion is bounded by kLimits.
class ExpressionReader {
 public:
  explicit ExpressionReader(ExpressionBuilder& builder) : builder_(builder) {}

  Result<NodeId> read(const json& value) {
    if (!value.is_object() || value.size() != 1)
      return wrong("an expression must be an object with one member");
    const std::string& key = value.begin().key();
    auto node = read_operation(key, value.begin().value());
    if (!node) return fail(std::move(node).error().within(key));
    return node;
  }

 private:
  Result<NodeId> read_operation(const std::string& key, const json& body) {
    if (key == "Value") {
      HF_TRY(const Value value, read_value(body, nullptr));
      return constant(value);
    }
    if (key == "Var") return read_variable(body);
    if (key == "Slot") return wrong("a slot may stand only in the scope of a template");
    if (key == "Set") {
      HF_TRY(const auto elements, read_list(body));
      return builder_.set(elements);
    }
    if (key == "Record") return read_record_of(body);
    if (key == "!") return read_unary(Op::kNot, body);
    if (key == "neg") return read_unary(Op::kNegate, body);
    if (key == "isEmpty") return read_unary(Op::kIsEmpty, body);
    if (key == "&&" || key == "||") {
      HF_TRY(const auto operands, read_operands(body, {"left", "right"}));
      return builder_.all_of(key == "&&" ? Op::kAnd : Op::kOr, operands);
    }
    if (const auto op = binary_operator(key)) {
      HF_TRY(const auto operands, read_operands(body, {"left", "right"}));
      return builder_.binary(*op, operands[0], operands[1]);
    }
    if (key == "if-then-else") {
      HF_TRY(const auto operands, read_operands(body, {"if", "then", "else"}));
      return builder_.conditional(operands[0], operands[1], operands[2]);
    }
    if (key == "." || key == "has" || key == "like" || key == "is") return read_test(key, body);
    return read_call(key, body);
  }

  // Sets and records of a Value are written out, so that they print and validate as in a policy's text.
  Result<NodeId> constant(const Value& value) {
    if (const auto* set = value.as<ValueSet>()) {
      std::vector<NodeId> elements;
      for (const Value& element : set->elements()) {
        HF_TRY(elements.emplace_back(), constant(element));
      }
      return builder_.set(elements);
    }
    const auto* record = value.as<Record>();
    if (record == nullptr) return builder_.literal(value);
    std::vector<std::pair<std::string, NodeId>> fields;
    for (const Field& field : record->fields()) {
      HF_TRY(const NodeId inner, constant(field.value));
      fields.emplace_back(field.name, inner);
    }
    return builder_.record(fields);
  }

  Result<NodeId> read_variable(const json& body) {
    static constexpr std::array kVariables{Variable::kPrincipal, Variable::kAction, Variable::kResource,
                                           Variable::kContext};
    for (const Variable variable : kVariables) {
      if (body == to_string(variable)) return builder_.variable(variable);
    }
    return wrong("there are the variables principal, action, resource and context");
  }

  Result<std::vector<NodeId>> read_operands(const json& body, std::initializer_list<std::string_view> names) {
    HF_CHECK(check_members(body, "an operation", names, names));
    std::vector<NodeId> operands;
    for (const auto name : names) {
      HF_TRY(operands.emplace_back(), read(*body.find(name)));
    }
    return operands;
  }

  Result<NodeId> read_unary(Op op, const json& body) {
    HF_TRY(const auto operands, read_operands(body, {"arg"}));
    return builder_.unary(op, operands[0]);
  }

  Result<std::vector<NodeId>> read_list(const json& body) {
    if (!body.is_array()) return wrong("this must be a list of expressions");
    std::vector<NodeId> items;
    for (const json& item : body) {
      HF_TRY(items.emplace_back(), read(item));
    }
    return items;
  }

  Result<NodeId> read_record_of(const json& body) {
    if (!body.is_object()) return wrong("this must be an object of expressions");
    std::vector<std::pair<std::string, NodeId>> fields;
    for (const auto& [name, inner] : body.items()) {
      HF_TRY(const NodeId node, read(inner));
      fields.emplace_back(name, node);
    }
    return builder_.record(fields);
  }

  Result<NodeId> read_test(const std::string& key, const json& body) {
    HF_CHECK(check_members(body, "an operation", {"left", "attr", "pattern", "entity_type", "in"}, {"left"}));
    HF_TRY(const NodeId left, read(*body.find("left")));
    if (key == ".") {
      HF_TRY(const std::string name, text_of(body, "attr"));
      return builder_.attribute(left, name);
    }
    if (key == "has") return read_has(left, body);
    if (key == "like") {
      HF_TRY(Pattern pattern, read_pattern(body));
      return builder_.like(left, std::move(pattern));
    }
    HF_TRY(const std::string type, type_of(body));
    if (!body.contains("in")) return builder_.is(left, type);
    HF_TRY(const NodeId ancestor, read(*body.find("in")));
    return builder_.is_in(left, type, ancestor);
  }

  // "attr" is one name, or a list of them that must be identifiers.
  Result<NodeId> read_has(NodeId left, const json& body) {
    std::vector<std::string> path;
    const auto at = body.find("attr");
    if (at == body.end() || !at->is_array()) {
      HF_TRY(path.emplace_back(), text_of(body, "attr"));
      return builder_.has(left, path);
    }
    for (const json& name : *at) {
      const auto* text = name.get_ptr<const std::string*>();
      if (text == nullptr || !is_identifier(*text)) return wrong("\"attr\" must list identifiers");
      path.push_back(*text);
    }
    if (path.empty()) return wrong("\"attr\" must list an attribute at least");
    return builder_.has(left, path);
  }

  static Result<Pattern> read_pattern(const json& body) {
    const auto at = body.find("pattern");
    if (at == body.end() || !at->is_array()) return wrong("\"pattern\" must be a list");
    Pattern pattern(1);
    for (const json& element : *at) {
      if (element == "Wildcard") {
        pattern.emplace_back();
        continue;
      }
      HF_CHECK(check_members(element, "an element of \"pattern\"", {"Literal"}, {"Literal"}));
      HF_TRY(const std::string text, text_of(element, "Literal"));
      pattern.back() += text;
    }
    return pattern;
  }

  Result<NodeId> read_call(const std::string& name, const json& body) {
    auto function = find_extension_function(name, /*method=*/false);
    if (!function) function = find_extension_function(name, /*method=*/true);
    if (!function) return wrong("there is no such operation or function");
    HF_TRY(const auto arguments, read_list(body));
    if (arguments.empty()) return wrong("a function takes one argument at least");
    return builder_.call(*function, arguments);
  }

  ExpressionBuilder& builder_;
};

// {"entity": ...}, or {"slot": "?principal"}, which leaves the entity out.
Result<std::optional<EntityUid>> read_reference(const json& value, std::string_view slot) {
  if (const auto at = value.find("entity"); at != value.end()) {
    HF_TRY(EntityUid uid, read_uid(*at));
    return std::optional(std::move(uid));
  }
  const auto at = value.find("slot");
  if (at == value.end() || *at != slot)
    return wrong(fmt::format("an \"entity\", or the \"slot\" {}, is missing", slot));
  return std::optional<EntityUid>();
}

Result<EntityConstraint> read_constraint(const json& value, std::string_view slot) {
  using Kind = EntityConstraint::Kind;
  HF_CHECK(check_members(value, "a constraint", {"op", "entity", "slot", "entity_type", "in"}, {"op"}));
  HF_TRY(const std::string op, text_of(value, "op"));
  EntityConstraint constraint;
  if (op == "All") return constraint;
  if (op == "==" || op == "in") {
    constraint.kind = op == "in" ? Kind::kIn : Kind::kEqual;
    HF_TRY(constraint.entity, read_reference(value, slot));
    return constraint;
  }
  if (op != "is") return wrong("\"op\" must be All, ==, in or is");
  constraint.kind = Kind::kIs;
  HF_TRY(constraint.type, type_of(value));
  const auto in = value.find("in");
  if (in == value.end()) return constraint;
  constraint.kind = Kind::kIsIn;
  HF_CHECK(check_members(*in, "\"in\"", {"entity", "slot"}, {}));
  HF_TRY(constraint.entity, read_reference(*in, slot));
  return constraint;
}

Result<ActionConstraint> read_action(const json& value) {
  using Kind = ActionConstraint::Kind;
  HF_CHECK(check_members(value, "a constraint", {"op", "entity", "entities"}, {"op"}));
  HF_TRY(const std::string op, text_of(value, "op"));
  ActionConstraint constraint;
  if (op == "All") return constraint;
  if (op != "==" && op != "in") return wrong("\"op\" must be All, == or in");
  constraint.kind = op == "in" ? Kind::kIn : Kind::kEqual;
  const auto many = value.find("entities");
  const auto one = value.find("entity");
  if (op == "in" && many != value.end() && many->is_array()) {
    for (const json& each : *many) {
      HF_TRY(EntityUid uid, read_uid(each));
      constraint.actions.push_back(std::move(uid));
    }
  } else if (one != value.end()) {
    HF_TRY(EntityUid uid, read_uid(*one));
    constraint.actions.push_back(std::move(uid));
  } else {
    return wrong("an \"entity\" is missing");
  }
  for (const EntityUid& uid : constraint.actions) HF_CHECK(check_action_type(uid));
  return constraint;
}

Result<> read_annotations(const json& value, Policy& policy) {
  if (!value.is_object()) return wrong("\"annotations\" must be an object");
  for (const auto& [name, text] : value.items()) {
    const auto* given = text.get_ptr<const std::string*>();
    if (given == nullptr && !text.is_null())
      return wrong(fmt::format("the annotation {} must be a text", quote(name)));
    policy.annotations[name] = given == nullptr ? std::string() : *given;
  }
  return {};
}

Result<Policy> read_policy(const json& value) {
  HF_CHECK(check_members(value, "a policy",
                         {"effect", "principal", "action", "resource", "conditions", "annotations"},
                         {"effect", "principal", "action", "resource", "conditions"}));
  Policy policy;
  HF_TRY(const std::string effect, text_of(value, "effect"));
  if (effect != "permit" && effect != "forbid") return wrong("\"effect\" must be permit or forbid");
  policy.effect = effect == "permit" ? Effect::kPermit : Effect::kForbid;
  HF_TRY(policy.principal, read_constraint(*value.find("principal"), "?principal"));
  HF_TRY(policy.action, read_action(*value.find("action")));
  HF_TRY(policy.resource, read_constraint(*value.find("resource"), "?resource"));
  if (const auto at = value.find("annotations"); at != value.end()) HF_CHECK(read_annotations(*at, policy));
  const json& conditions = *value.find("conditions");
  if (!conditions.is_array()) return wrong("\"conditions\" must be a list");
  ExpressionBuilder builder;
  for (const json& condition : conditions) {
    HF_CHECK(check_members(condition, "a condition", {"kind", "body"}, {"kind", "body"}));
    HF_TRY(const std::string kind, text_of(condition, "kind"));
    if (kind != "when" && kind != "unless") return wrong("\"kind\" must be when or unless");
    HF_TRY(const NodeId root, ExpressionReader(builder).read(*condition.find("body")));
    policy.conditions.push_back({.unless = kind == "unless", .root = root});
  }
  policy.expression = std::make_shared<const Expression>(std::move(builder).finish());
  return policy;
}

Result<> add_policies(const json& root, const char* member, bool templates, PolicySet& policies) {
  const auto at = root.find(member);
  if (at == root.end()) return {};
  if (!at->is_object()) return wrong(fmt::format("\"{}\" must be an object", member));
  for (const auto& [id, value] : at->items()) {
    auto policy = read_policy(value);
    if (!policy) return fail(std::move(policy).error().within("policy " + quote(id)));
    if (policy->is_template() != templates) {
      return wrong(fmt::format("the policy {} does not belong in \"{}\"", quote(id), member));
    }
    policy->id = id;
    HF_CHECK(policies.add(*std::move(policy)));
  }
  return {};
}

Result<> add_link(const json& link, PolicySet& policies) {
  HF_CHECK(check_members(link, "a template link", {"templateId", "newId", "values"},
                         {"templateId", "newId", "values"}));
  HF_TRY(const std::string from, text_of(link, "templateId"));
  HF_TRY(std::string id, text_of(link, "newId"));
  const json& values = *link.find("values");
  HF_CHECK(check_members(values, "\"values\"", {"?principal", "?resource"}, {}));
  std::array<std::optional<EntityUid>, 2> slots;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const auto at = values.find(i == 0 ? "?principal" : "?resource");
    if (at == values.end()) continue;
    HF_TRY(slots.at(i), read_uid(*at));
  }
  return policies.link(from, std::move(id), std::move(slots[0]), std::move(slots[1]));
}

}  // namespace

Result<PolicySet> parse_policies_json(std::string_view text) {
  HF_TRY(const json root, base::parse_json(text, kLimits));
  HF_CHECK(check_members(root, "a policy set", {"staticPolicies", "templates", "templateLinks"}, {}));
  PolicySet policies;
  HF_CHECK(add_policies(root, "staticPolicies", /*templates=*/false, policies));
  HF_CHECK(add_policies(root, "templates", /*templates=*/true, policies));
  const auto links = root.find("templateLinks");
  if (links == root.end()) return policies;
  if (!links->is_array()) return wrong("\"templateLinks\" must be a list");
  for (const json& link : *links) HF_CHECK(add_link(link, policies));
  return policies;
}

}  // namespace holdfast::policy
