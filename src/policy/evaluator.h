#pragma once

#include <forward_list>
#include <string>
#include <string_view>
#include <utility>

#include "policy/entity.h"
#include "policy/expression.h"
#include "policy/value.h"

namespace holdfast::policy {

// What is asked: may this principal take this action on this resource, in this context?
class Request {
 public:
  Request(EntityUid principal, EntityUid action, EntityUid resource, Record context = {})
      : principal_(std::move(principal)),
        action_(std::move(action)),
        resource_(std::move(resource)),
        context_(std::move(context)) {}

  [[nodiscard]] const EntityUid& principal() const { return *principal_.as<EntityUid>(); }
  [[nodiscard]] const EntityUid& action() const { return *action_.as<EntityUid>(); }
  [[nodiscard]] const EntityUid& resource() const { return *resource_.as<EntityUid>(); }
  [[nodiscard]] const Record& context() const { return *context_.as<Record>(); }
  [[nodiscard]] const Value& variable(Variable variable) const;

 private:
  Value principal_;
  Value action_;
  Value resource_;
  Value context_;
};

// Evaluates nodes of expressions for one request. Borrows the request and the entities. Values that it gives
// live as long as it, the expression, the request and the entities do. Not thread-safe.
class Evaluator {
 public:
  Evaluator(const Request& request, const Entities& entities) : request_(request), entities_(entities) {}

  // Null when evaluation failed; error() then says why.
  const Value* evaluate(const Expression& expression, NodeId id);
  // As evaluate(), of a node that must come to a Bool.
  const bool* evaluate_bool(const Expression& expression, NodeId id);
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  const Value* evaluate_chain(const Expression& expression, const Node& node);
  const Value* evaluate_binary(const Expression& expression, const Node& node);
  const Value* evaluate_sign(const Expression& expression, const Node& node);
  const Value* evaluate_has(const Expression& expression, const Node& node);
  const Value* evaluate_is(const Expression& expression, const Node& node);
  const Value* evaluate_set(const Expression& expression, const Node& node);
  const Value* evaluate_record(const Expression& expression, const Node& node);
  const Value* evaluate_call(const Expression& expression, const Node& node);
  const Value* arithmetic(Op op, const Value& left, const Value& right);
  const Value* ordering(Op op, const Value& left, const Value& right);
  const Value* in(const Value& left, const Value& right);
  const Value* set_test(Op op, const Value& left, const Value& right);
  const Value* tag(Op op, const Value& left, const Value& right);
  const Value* attribute(const Value& target, const std::string& name);
  const Value* keep(Value value);
  const Value* fail(std::string why);
  const Value* mismatch(std::string_view wanted, const Value& found);

  const Request& request_;
  const Entities& entities_;
  std::forward_list<Value> made_;  // values that stand nowhere else
  std::string error_;
};

// Whether the text matches; linear in its length for each part of the pattern.
bool matches(const Pattern& pattern, std::string_view text);

}  // namespace holdfast::policy
