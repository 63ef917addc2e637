#include "policy/expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace holdfast::policy {

using base::ErrorCode;
using base::fail;
using base::Result;

std::string_view to_string(Variable variable) {
  static constexpr std::array<std::string_view, 4> kNames{"principal", "action", "resource", "context"};
  return kNames.at(static_cast<std::size_t>(variable));
}

std::vector<NodeId> Expression::children(NodeId id) const {
  const Node& node = nodes_[id];
  switch (node.op) {
    case Op::kLiteral:
    case Op::kVariable:
      return {};
    case Op::kNot:
    case Op::kNegate:
    case Op::kIsEmpty:
    case Op::kGetAttribute:
    case Op::kHas:
    case Op::kLike:
    case Op::kIs:
      return {node.a};
    case Op::kIsIn:
      return {node.a, node.c};
    case Op::kIf:
      return {node.a, node.b, node.c};
    case Op::kAnd:
    case Op::kOr:
    case Op::kSet:
    case Op::kCall: {
      const auto items = list(node.a, node.b);
      return {items.begin(), items.end()};
    }
    case Op::kRecord: {
      const auto pairs = list(node.a, 2 * node.b);
      std::vector<NodeId> values;
      for (std::size_t i = 1; i < pairs.size(); i += 2) values.push_back(pairs[i]);
      return values;
    }
    default:
      return {node.a, node.b};
  }
}

Result<NodeId> ExpressionBuilder::add(Node node, std::span<const NodeId> children) {
  std::uint32_t height = 0;
  for (const NodeId child : children) height = std::max(height, heights_[child] + 1);
  if (height > Expression::kMaxHeight) {
    return fail(
        ErrorCode::kLimitExceeded,
        fmt::format("an expression is nested deeper than {}; split the policy", Expression::kMaxHeight));
  }
  made_.nodes_.push_back(node);
  heights_.push_back(height);
  return static_cast<NodeId>(made_.nodes_.size() - 1);
}

std::uint32_t ExpressionBuilder::intern(std::string_view name) {
  const auto at = interned_.find(name);
  if (at != interned_.end()) return at->second;
  const auto index = static_cast<std::uint32_t>(made_.names_.size());
  made_.names_.emplace_back(name);
  interned_.emplace(name, index);
  return index;
}

std::uint32_t ExpressionBuilder::keep(std::span<const std::uint32_t> list) {
  const auto begin = static_cast<std::uint32_t>(made_.lists_.size());
  made_.lists_.insert(made_.lists_.end(), list.begin(), list.end());
  return begin;
}

Result<NodeId> ExpressionBuilder::literal(Value value) {
  made_.literals_.push_back(std::move(value));
  return add({.op = Op::kLiteral, .a = static_cast<std::uint32_t>(made_.literals_.size() - 1)}, {});
}

Result<NodeId> ExpressionBuilder::variable(Variable variable) {
  return add({.op = Op::kVariable, .a = static_cast<std::uint32_t>(variable)}, {});
}

Result<NodeId> ExpressionBuilder::unary(Op op, NodeId operand) {
  return add({.op = op, .a = operand}, std::array{operand});
}

Result<NodeId> ExpressionBuilder::binary(Op op, NodeId left, NodeId right) {
  return add({.op = op, .a = left, .b = right}, std::array{left, right});
}

Result<NodeId> ExpressionBuilder::conditional(NodeId condition, NodeId then_, NodeId else_) {
  return add({.op = Op::kIf, .a = condition, .b = then_, .c = else_}, std::array{condition, then_, else_});
}

Result<NodeId> ExpressionBuilder::all_of(Op op, std::span<const NodeId> operands) {
  return add({.op = op, .a = keep(operands), .b = static_cast<std::uint32_t>(operands.size())}, operands);
}

Result<NodeId> ExpressionBuilder::attribute(NodeId target, std::string_view name) {
  return add({.op = Op::kGetAttribute, .a = target, .b = intern(name)}, std::array{target});
}

Result<NodeId> ExpressionBuilder::has(NodeId target, std::span<const std::string> path) {
  std::vector<std::uint32_t> names;
  for (const std::string& name : path) names.push_back(intern(name));
  return add({.op = Op::kHas, .a = target, .b = keep(names), .c = static_cast<std::uint32_t>(names.size())},
             std::array{target});
}

Result<NodeId> ExpressionBuilder::like(NodeId target, Pattern pattern) {
  made_.patterns_.push_back(std::move(pattern));
  const auto index = static_cast<std::uint32_t>(made_.patterns_.size() - 1);
  return add({.op = Op::kLike, .a = target, .b = index}, std::array{target});
}

Result<NodeId> ExpressionBuilder::is(NodeId target, std::string_view type) {
  return add({.op = Op::kIs, .a = target, .b = intern(type)}, std::array{target});
}

Result<NodeId> ExpressionBuilder::is_in(NodeId target, std::string_view type, NodeId ancestor) {
  return add({.op = Op::kIsIn, .a = target, .b = intern(type), .c = ancestor}, std::array{target, ancestor});
}

Result<NodeId> ExpressionBuilder::set(std::span<const NodeId> elements) {
  std::uint32_t whole = Expression::kNone;
  const bool constant = std::all_of(elements.begin(), elements.end(),
                                    [this](NodeId element) { return node(element).op == Op::kLiteral; });
  if (constant) {
    std::vector<Value> values;
    values.reserve(elements.size());
    for (const NodeId element : elements) values.push_back(literal_of(element));
    whole = static_cast<std::uint32_t>(made_.literals_.size());
    made_.literals_.push_back(Value::set(std::move(values)));
  }
  return add(
      {.op = Op::kSet, .a = keep(elements), .b = static_cast<std::uint32_t>(elements.size()), .c = whole},
      elements);
}

Result<NodeId> ExpressionBuilder::record(std::span<const std::pair<std::string, NodeId>> fields) {
  std::vector<std::uint32_t> pairs;
  std::vector<NodeId> children;
  for (const auto& [name, child] : fields) {
    pairs.push_back(intern(name));
    pairs.push_back(child);
    children.push_back(child);
  }
  return add({.op = Op::kRecord, .a = keep(pairs), .b = static_cast<std::uint32_t>(fields.size())}, children);
}

Result<NodeId> ExpressionBuilder::call(ExtensionFunction function, std::span<const NodeId> arguments) {
  if (signature(function).is_constructor() && arguments.size() == 1 &&
      node(arguments[0]).op == Op::kLiteral) {
    const Value* argument = &literal_of(arguments[0]);
    if (auto value = call_extension(function, std::span(&argument, 1))) return literal(*std::move(value));
  }
  return add({.op = Op::kCall,
              .function = function,
              .a = keep(arguments),
              .b = static_cast<std::uint32_t>(arguments.size())},
             arguments);
}

}  // namespace holdfast::policy
