#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "policy/expression.h"
#include "policy/lexer.h"
#include "policy/value.h"

namespace holdfast::policy {

// a::b::c, every part an identifier that is not reserved. Stops before a "::" that is followed by no
// identifier, and says in `before_id` whether there was one: then the id of an entity comes next.
base::Result<std::string> parse_path(Lexer& lexer, std::string_view what, bool& before_id);
// An identifier that is not reserved.
base::Result<std::string> parse_identifier(Lexer& lexer, std::string_view what);
// Path::"id".
base::Result<EntityUid> parse_entity_uid(Lexer& lexer, std::string_view what);

// Reads expressions from a lexer into a builder, both of which outlive it. Not thread-safe.
class ExpressionParser {
 public:
  ExpressionParser(Lexer& lexer, ExpressionBuilder& builder) : lexer_(lexer), builder_(builder) {}

  base::Result<NodeId> parse();

 private:
  base::Result<NodeId> parse_if();
  base::Result<NodeId> parse_chain(Op op);
  base::Result<NodeId> parse_relation();
  base::Result<NodeId> parse_has(NodeId target);
  base::Result<NodeId> parse_like(NodeId target);
  base::Result<NodeId> parse_is(NodeId target);
  base::Result<NodeId> parse_sum();
  base::Result<NodeId> parse_product();
  base::Result<NodeId> parse_unary();
  base::Result<NodeId> parse_negated(int signs);
  base::Result<std::uint64_t> parse_number();
  base::Result<NodeId> positive(std::uint64_t magnitude, std::size_t offset);
  base::Result<NodeId> parse_member();
  base::Result<NodeId> parse_accesses(NodeId target);
  base::Result<NodeId> parse_primary();
  base::Result<NodeId> parse_name();
  base::Result<NodeId> parse_function(const std::string& name, std::size_t offset);
  base::Result<NodeId> parse_method(NodeId target, const std::string& name, std::size_t offset);
  base::Result<NodeId> parse_record();
  base::Result<std::vector<NodeId>> parse_items(std::string_view close);
  [[nodiscard]] bool at_access() const { return lexer_.at(".") || lexer_.at("[") || lexer_.at("("); }

  Lexer& lexer_;
  ExpressionBuilder& builder_;
  int nesting_ = 0;
};

}  // namespace holdfast::policy
