#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "policy/extensions.h"
#include "policy/lexer.h"
#include "policy/value.h"

// Cedar expressions as a flat tree: nodes in one array, naming each other by index, with names, literals and
// patterns in arrays beside it. Immutable once built; safe to read from any thread.

namespace holdfast::policy {

using NodeId = std::uint32_t;

enum class Variable : std::uint8_t { kPrincipal, kAction, kResource, kContext };
std::string_view to_string(Variable variable);

enum class Op : std::uint8_t {
  kLiteral,   // a: literal
  kVariable,  // a: Variable
  kIf,        // a, b, c: if a then b else c
  kAnd,       // list a, of b operands
  kOr,        // list a, of b operands
  kNot,       // a
  kNegate,    // a
  kEqual,     // a, b; so are the next eleven
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kAdd,
  kSubtract,
  kMultiply,
  kIn,
  kContains,
  kContainsAll,
  kContainsAny,
  kGetTag,
  kHasTag,
  kIsEmpty,       // a
  kGetAttribute,  // a: target; b: name
  kHas,           // a: target; list b, of c names: a has x.y.z
  kLike,          // a: target; b: pattern
  kIs,            // a: target; b: name of the type
  kIsIn,          // a: target; b: name of the type; c: what it is in
  kSet,           // list a, of b elements; c: literal with the whole set where all are literals, else kNone
  kRecord,        // list a, of b pairs: name, node
  kCall,          // function; list a, of b arguments
};

struct Node {
  Op op;
  ExtensionFunction function = {};
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  std::uint32_t c = 0;
};

class Expression {
 public:
  static constexpr std::uint32_t kNone = static_cast<std::uint32_t>(-1);
  // The longest path from a node to a leaf, so that recursion over an expression is bounded.
  static constexpr std::uint32_t kMaxHeight = 1'000;

  [[nodiscard]] const Node& node(NodeId id) const { return nodes_[id]; }
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  [[nodiscard]] std::span<const std::uint32_t> list(std::uint32_t begin, std::uint32_t count) const {
    return std::span(lists_).subspan(begin, count);
  }
  [[nodiscard]] const Value& literal(std::uint32_t index) const { return literals_[index]; }
  [[nodiscard]] const std::string& name(std::uint32_t index) const { return names_[index]; }
  [[nodiscard]] const Pattern& pattern(std::uint32_t index) const { return patterns_[index]; }

  // The nodes right below this one, in the order in which they are evaluated.
  [[nodiscard]] std::vector<NodeId> children(NodeId id) const;

  // The node as Cedar text, which parses to an equal node.
  [[nodiscard]] std::string text(NodeId id) const;

 private:
  friend class ExpressionBuilder;
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> lists_;
  std::vector<Value> literals_;
  std::vector<std::string> names_;
  std::vector<Pattern> patterns_;
};

// Makes the nodes of one Expression, children before parents. Every maker gives kLimitExceeded where the node
// would be higher than Expression::kMaxHeight.
class ExpressionBuilder {
 public:
  base::Result<NodeId> literal(Value value);
  base::Result<NodeId> variable(Variable variable);
  base::Result<NodeId> unary(Op op, NodeId operand);
  base::Result<NodeId> binary(Op op, NodeId left, NodeId right);
  base::Result<NodeId> conditional(NodeId condition, NodeId then_, NodeId else_);
  base::Result<NodeId> all_of(Op op, std::span<const NodeId> operands);  // kAnd or kOr
  base::Result<NodeId> attribute(NodeId target, std::string_view name);
  base::Result<NodeId> has(NodeId target, std::span<const std::string> path);
  base::Result<NodeId> like(NodeId target, Pattern pattern);
  base::Result<NodeId> is(NodeId target, std::string_view type);
  base::Result<NodeId> is_in(NodeId target, std::string_view type, NodeId ancestor);
  base::Result<NodeId> set(std::span<const NodeId> elements);
  base::Result<NodeId> record(std::span<const std::pair<std::string, NodeId>> fields);
  // A constructor with a literal text that it can read becomes the literal it makes.
  base::Result<NodeId> call(ExtensionFunction function, std::span<const NodeId> arguments);

  [[nodiscard]] const Node& node(NodeId id) const { return made_.nodes_[id]; }
  [[nodiscard]] const Value& literal_of(NodeId id) const { return made_.literals_[made_.nodes_[id].a]; }
  Expression finish() && { return std::move(made_); }

 private:
  base::Result<NodeId> add(Node node, std::span<const NodeId> children);
  std::uint32_t intern(std::string_view name);
  std::uint32_t keep(std::span<const std::uint32_t> list);

  Expression made_;
  std::vector<std::uint32_t> heights_;
  std::map<std::string, std::uint32_t, std::less<>> interned_;
};

}  // namespace holdfast::policy
