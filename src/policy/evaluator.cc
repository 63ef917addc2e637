#include "policy/evaluator.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace holdfast::policy {
namespace {

const Value* as_value(bool value) {
  static const Value kTrue = Value::boolean(true);
  static const Value kFalse = Value::boolean(false);
  return value ? &kTrue : &kFalse;
}

template <typename T>
bool ordered(Op op, const T& a, const T& b) {
  switch (op) {
    case Op::kLess:
      return a < b;
    case Op::kLessEqual:
      return a <= b;
    case Op::kGreater:
      return a > b;
    default:
      return a >= b;
  }
}

}  // namespace

const Value& Request::variable(Variable variable) const {
  switch (variable) {
    case Variable::kPrincipal:
      return principal_;
    case Variable::kAction:
      return action_;
    case Variable::kResource:
      return resource_;
    default:
      return context_;
  }
}

bool matches(const Pattern& pattern, std::string_view text) {
  const std::string& first = pattern.front();
  if (pattern.size() == 1) return text == first;
  const std::string& last = pattern.back();
  if (text.size() < first.size() + last.size() || !text.starts_with(first) || !text.ends_with(last))
    return false;
  text = text.substr(first.size(), text.size() - first.size() - last.size());
  // Each part between two wildcards at its earliest place leaves the most for the others. memmem is linear
  // (glibc: two-way), which find() is not.
  for (std::size_t i = 1; i + 1 < pattern.size(); ++i) {
    const void* at = ::memmem(text.data(), text.size(), pattern[i].data(), pattern[i].size());
    if (at == nullptr) return false;
    text.remove_prefix(static_cast<std::size_t>(static_cast<const char*>(at) - text.data()) +
                       pattern[i].size());
  }
  return true;
}

const Value* Evaluator::keep(Value value) { return &made_.emplace_front(std::move(value)); }

const Value* Evaluator::fail(std::string why) {
  error_ = std::move(why);
  return nullptr;
}

const Value* Evaluator::mismatch(std::string_view wanted, const Value& found) {
  return fail(fmt::format("expected {}, found a value of type {}", wanted, found.type_name()));
}

const bool* Evaluator::evaluate_bool(const Expression& expression, NodeId id) {
  const Value* value = evaluate(expression, id);
  if (value == nullptr) return nullptr;
  const bool* truth = value->as_bool();
  if (truth == nullptr) mismatch("a Bool", *value);
  return truth;
}

const Value* Evaluator::evaluate(const Expression& expression, NodeId id) {
  const Node& node = expression.node(id);
  switch (node.op) {
    case Op::kLiteral:
      return &expression.literal(node.a);
    case Op::kVariable:
      return &request_.variable(static_cast<Variable>(node.a));
    case Op::kIf: {
      const bool* condition = evaluate_bool(expression, node.a);
      return condition == nullptr ? nullptr : evaluate(expression, *condition ? node.b : node.c);
    }
    case Op::kAnd:
    case Op::kOr:
      return evaluate_chain(expression, node);
    case Op::kNot:
    case Op::kNegate:
    case Op::kIsEmpty:
      return evaluate_sign(expression, node);
    case Op::kGetAttribute: {
      const Value* target = evaluate(expression, node.a);
      return target == nullptr ? nullptr : attribute(*target, expression.name(node.b));
    }
    case Op::kHas:
      return evaluate_has(expression, node);
    case Op::kLike: {
      const Value* target = evaluate(expression, node.a);
      if (target == nullptr) return nullptr;
      const std::string* text = target->as_text();
      return text == nullptr ? mismatch("a String before `like`", *target)
                             : as_value(matches(expression.pattern(node.b), *text));
    }
    case Op::kIs:
    case Op::kIsIn:
      return evaluate_is(expression, node);
    case Op::kSet:
      return evaluate_set(expression, node);
    case Op::kRecord:
      return evaluate_record(expression, node);
    case Op::kCall:
      return evaluate_call(expression, node);
    default:
      return evaluate_binary(expression, node);
  }
}

const Value* Evaluator::evaluate_chain(const Expression& expression, const Node& node) {
  const bool decisive = node.op == Op::kOr;
  for (const NodeId operand : expression.list(node.a, node.b)) {
    const bool* truth = evaluate_bool(expression, operand);
    if (truth == nullptr) return nullptr;
    if (*truth == decisive) return as_value(decisive);
  }
  return as_value(!decisive);
}

const Value* Evaluator::evaluate_binary(const Expression& expression, const Node& node) {
  const Value* left = evaluate(expression, node.a);
  if (left == nullptr) return nullptr;
  const Value* right = evaluate(expression, node.b);
  if (right == nullptr) return nullptr;
  switch (node.op) {
    case Op::kEqual:
      return as_value(*left == *right);
    case Op::kNotEqual:
      return as_value(!(*left == *right));
    case Op::kAdd:
    case Op::kSubtract:
    case Op::kMultiply:
      return arithmetic(node.op, *left, *right);
    case Op::kIn:
      return in(*left, *right);
    case Op::kContains:
    case Op::kContainsAll:
    case Op::kContainsAny:
      return set_test(node.op, *left, *right);
    case Op::kGetTag:
    case Op::kHasTag:
      return tag(node.op, *left, *right);
    default:
      return ordering(node.op, *left, *right);
  }
}

const Value* Evaluator::evaluate_sign(const Expression& expression, const Node& node) {
  const Value* operand = evaluate(expression, node.a);
  if (operand == nullptr) return nullptr;
  if (node.op == Op::kNot) {
    const bool* truth = operand->as_bool();
    return truth == nullptr ? mismatch("a Bool after `!`", *operand) : as_value(!*truth);
  }
  if (node.op == Op::kIsEmpty) {
    const auto* set = operand->as<ValueSet>();
    return set == nullptr ? mismatch("a Set before isEmpty", *operand) : as_value(set->elements().empty());
  }
  const std::int64_t* number = operand->as_integer();
  if (number == nullptr) return mismatch("a Long after `-`", *operand);
  std::int64_t result = 0;
  if (__builtin_sub_overflow(std::int64_t{0}, *number, &result))
    return fail(fmt::format("-({}) overflows", *number));
  return keep(Value::integer(result));
}

const Value* Evaluator::arithmetic(Op op, const Value& left, const Value& right) {
  const std::int64_t* a = left.as_integer();
  const std::int64_t* b = right.as_integer();
  const char sign = op == Op::kAdd ? '+' : op == Op::kSubtract ? '-' : '*';
  if (a == nullptr || b == nullptr) {
    return mismatch(fmt::format("a Long on both sides of `{}`", sign), a == nullptr ? left : right);
  }
  std::int64_t result = 0;
  const bool overflow = op == Op::kAdd        ? __builtin_add_overflow(*a, *b, &result)
                        : op == Op::kSubtract ? __builtin_sub_overflow(*a, *b, &result)
                                              : __builtin_mul_overflow(*a, *b, &result);
  if (overflow) return fail(fmt::format("{} {} {} overflows", *a, sign, *b));
  return keep(Value::integer(result));
}

const Value* Evaluator::ordering(Op op, const Value& left, const Value& right) {
  const auto compare = [&](const auto* a, const auto* b) -> const Value* {
    return b == nullptr ? mismatch("values of one type on both sides of a comparison", right)
                        : as_value(ordered(op, *a, *b));
  };
  if (const auto* a = left.as_integer()) return compare(a, right.as_integer());
  if (const auto* a = left.as<Datetime>()) return compare(a, right.as<Datetime>());
  if (const auto* a = left.as<Duration>()) return compare(a, right.as<Duration>());
  return mismatch("a Long, a datetime or a duration in a comparison", left);
}

// Every element of a set must be an entity, even when an earlier one already decides.
const Value* Evaluator::in(const Value& left, const Value& right) {
  const auto* uid = left.as<EntityUid>();
  if (uid == nullptr) return mismatch("an entity before `in`", left);
  if (const auto* ancestor = right.as<EntityUid>()) return as_value(entities_.is_in(*uid, *ancestor));
  const auto* set = right.as<ValueSet>();
  if (set == nullptr) return mismatch("an entity or a set of entities after `in`", right);
  bool found = false;
  for (const Value& element : set->elements()) {
    const auto* ancestor = element.as<EntityUid>();
    if (ancestor == nullptr) return mismatch("only entities in the set after `in`", element);
    found = found || entities_.is_in(*uid, *ancestor);
  }
  return as_value(found);
}

const Value* Evaluator::set_test(Op op, const Value& left, const Value& right) {
  const auto* set = left.as<ValueSet>();
  if (set == nullptr) return mismatch("a Set before contains, containsAll or containsAny", left);
  if (op == Op::kContains) return as_value(set->contains(right));
  const auto* other = right.as<ValueSet>();
  if (other == nullptr) return mismatch("a Set as the argument of containsAll or containsAny", right);
  return as_value(op == Op::kContainsAll ? set->contains_all(*other) : set->contains_any(*other));
}

const Value* Evaluator::tag(Op op, const Value& left, const Value& right) {
  const auto* uid = left.as<EntityUid>();
  if (uid == nullptr) return mismatch("an entity before getTag or hasTag", left);
  const std::string* name = right.as_text();
  if (name == nullptr) return mismatch("a String as the argument of getTag or hasTag", right);
  const Entity* entity = entities_.find(*uid);
  const Value* value = entity == nullptr ? nullptr : entity->tags.find(*name);
  if (op == Op::kHasTag) return as_value(value != nullptr);
  if (entity == nullptr) return fail(fmt::format("nothing is known of {}", uid->text()));
  return value == nullptr ? fail(fmt::format("{} has no tag {}", uid->text(), quote(*name))) : value;
}

const Value* Evaluator::attribute(const Value& target, const std::string& name) {
  if (const auto* record = target.as<Record>()) {
    const Value* value = record->find(name);
    return value == nullptr ? fail(fmt::format("the record has no attribute {}", quote(name))) : value;
  }
  const auto* uid = target.as<EntityUid>();
  if (uid == nullptr)
    return mismatch(fmt::format("an entity or a record with the attribute {}", quote(name)), target);
  const Entity* entity = entities_.find(*uid);
  if (entity == nullptr) return fail(fmt::format("nothing is known of {}", uid->text()));
  const Value* value = entity->attributes.find(name);
  return value == nullptr ? fail(fmt::format("{} has no attribute {}", uid->text(), quote(name))) : value;
}

const Value* Evaluator::evaluate_has(const Expression& expression, const Node& node) {
  const Value* target = evaluate(expression, node.a);
  if (target == nullptr) return nullptr;
  for (const std::uint32_t index : expression.list(node.b, node.c)) {
    const auto* record = target->as<Record>();
    if (const auto* uid = target->as<EntityUid>()) {
      const Entity* entity = entities_.find(*uid);
      if (entity == nullptr) return as_value(false);
      record = &entity->attributes;
    }
    if (record == nullptr) return mismatch("an entity or a record before `has`", *target);
    target = record->find(expression.name(index));
    if (target == nullptr) return as_value(false);
  }
  return as_value(true);
}

const Value* Evaluator::evaluate_is(const Expression& expression, const Node& node) {
  const Value* target = evaluate(expression, node.a);
  if (target == nullptr) return nullptr;
  const auto* uid = target->as<EntityUid>();
  if (uid == nullptr) return mismatch("an entity before `is`", *target);
  if (uid->type() != expression.name(node.b)) return as_value(false);
  if (node.op == Op::kIs) return as_value(true);
  const Value* ancestor = evaluate(expression, node.c);
  return ancestor == nullptr ? nullptr : in(*target, *ancestor);
}

const Value* Evaluator::evaluate_set(const Expression& expression, const Node& node) {
  if (node.c != Expression::kNone) return &expression.literal(node.c);
  std::vector<Value> elements;
  elements.reserve(node.b);
  for (const NodeId element : expression.list(node.a, node.b)) {
    const Value* value = evaluate(expression, element);
    if (value == nullptr) return nullptr;
    elements.push_back(*value);
  }
  return keep(Value::set(std::move(elements)));
}

const Value* Evaluator::evaluate_record(const Expression& expression, const Node& node) {
  const auto pairs = expression.list(node.a, 2 * node.b);
  std::vector<Field> fields;
  fields.reserve(node.b);
  for (std::size_t i = 0; i < pairs.size(); i += 2) {
    const Value* value = evaluate(expression, pairs[i + 1]);
    if (value == nullptr) return nullptr;
    fields.push_back({expression.name(pairs[i]), *value});
  }
  return keep(Value(Record(std::move(fields))));
}

const Value* Evaluator::evaluate_call(const Expression& expression, const Node& node) {
  std::vector<const Value*> arguments;
  arguments.reserve(node.b);
  for (const NodeId argument : expression.list(node.a, node.b)) {
    arguments.push_back(evaluate(expression, argument));
    if (arguments.back() == nullptr) return nullptr;
  }
  auto result = call_extension(node.function, arguments);
  return result ? keep(*std::move(result)) : fail(std::move(result).error().message);
}

}  // namespace holdfast::policy
