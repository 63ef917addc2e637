#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "policy/expression_numbers.h"
#include "policy/policy.h"
#include "policy/schema.h"

namespace holdfast::policy {

// The types of a request: of whom, what and where.
struct RequestType {
  const std::string* principal;
  const EntityUid* action;
  const std::string* resource;
  const Attributes* context;
};

// Cedar's strict type rules (docs.cedarpolicy.com, "Validation"; Cedar/Validation/Typechecker.lean of
// cedar-policy/cedar-spec). Borrows the expression and the schema. Not thread-safe.
class Typechecker {
 public:
  Typechecker(const Expression& expression, const Schema& schema);

  // The type of each condition, given those before it, as one Bool: kFalse when a condition can't be met.
  // Every condition is a Bool then; kInvalidArgument says which part is wrong and why.
  base::Result<Type::Kind> check(const std::vector<Condition>& conditions, const RequestType& request);

 private:
  // That an expression has an attribute or a tag, known once a `has` or hasTag() on it was true: the
  // canonical numbers of both, and which of the two it is.
  using Capability = std::uint64_t;
  using Capabilities = std::vector<Capability>;
  struct Answer {
    TypeRef type;
    Capabilities known_when_true = {};
  };
  enum class Key : std::uint8_t { kAttribute, kTag };

  base::Result<Answer> type_of(NodeId id);
  base::Result<Answer> type_of_literal(NodeId id, const Node& node);
  base::Result<Answer> type_of_variable(const Node& node);
  base::Result<Answer> type_of_if(NodeId id, const Node& node);
  base::Result<Answer> type_of_and(const Node& node);
  base::Result<Answer> type_of_or(const Node& node);
  base::Result<Answer> type_of_unary(const Node& node);
  base::Result<Answer> type_of_binary(NodeId id, const Node& node);
  base::Result<Answer> type_of_equal(NodeId id, const Node& node, const Answer& left, const Answer& right);
  base::Result<Answer> type_of_in(NodeId right_id, const Answer& left, const Answer& right,
                                  std::optional<EntityUid> left_uid);
  base::Result<Answer> type_of_set_test(NodeId id, const Node& node, const Answer& left, const Answer& right);
  base::Result<Answer> type_of_ordering(const Node& node, const Answer& left, const Answer& right);
  base::Result<Answer> type_of_tag(NodeId id, const Node& node, const Answer& left);
  base::Result<Answer> type_of_attribute(NodeId id, const Node& node);
  base::Result<Answer> type_of_has(NodeId id, const Node& node);
  base::Result<Answer> type_of_is(NodeId id, const Node& node);
  base::Result<Answer> type_of_set(NodeId id, const Node& node);
  base::Result<Answer> type_of_record(const Node& node);
  base::Result<Answer> type_of_call(NodeId id, const Node& node);

  base::Result<Answer> expect(NodeId id, Type::Kind kind);
  base::Result<Answer> expect_bool(NodeId id);
  // The attributes of a record or an entity; null for an action, which has none.
  base::Result<const Attributes*> attributes_of(NodeId id, const Type& type);
  [[nodiscard]] std::optional<EntityUid> entity_literal(NodeId id) const;
  [[nodiscard]] std::optional<std::vector<EntityUid>> entity_literals(NodeId id) const;
  [[nodiscard]] bool is_primitive_literal(NodeId id) const;
  [[nodiscard]] tl::unexpected<base::Error> wrong(NodeId id, std::string_view why) const;

  static Capability capability(std::uint32_t target, Key key, std::uint32_t what);
  void assume(const Capabilities& capabilities);
  void forget(const Capabilities& capabilities);
  [[nodiscard]] bool known(Capability capability) const { return known_.contains(capability); }

  const Expression& expression_;
  const Schema& schema_;
  const RequestType* request_ = nullptr;
  ExpressionNumbers numbers_;
  std::unordered_map<Capability, std::size_t> known_;  // how often assumed
};

// The least type that both belong to, or null (Cedar/Validation/Subtyping.lean).
TypeRef common_type(const TypeRef& a, const TypeRef& b);

}  // namespace holdfast::policy
