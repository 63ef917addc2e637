#include "policy/expression_numbers.h"

#include <fmt/format.h>

namespace holdfast::policy {
namespace {

// What of a node is not in its children.
std::string own_shape(const Expression& expression, const Node& node) {
  std::string shape = fmt::format("{}.{}", static_cast<int>(node.op), static_cast<int>(node.function));
  switch (node.op) {
    case Op::kLiteral:
      return shape + expression.literal(node.a).type_name() + expression.literal(node.a).to_cedar();
    case Op::kVariable:
      return shape + fmt::format(",{}", node.a);
    case Op::kIs:
    case Op::kIsIn:
      return shape + fmt::format(",{}", node.b);
    case Op::kHas:
      for (const std::uint32_t name : expression.list(node.b, node.c)) shape += fmt::format(".{}", name);
      return shape;
    case Op::kLike:
      for (const std::string& part : expression.pattern(node.b)) shape += fmt::format("*{}", quote(part));
      return shape;
    case Op::kRecord: {
      const auto pairs = expression.list(node.a, 2 * node.b);
      for (std::size_t i = 0; i < pairs.size(); i += 2) shape += fmt::format(".{}", pairs[i]);
      return shape;
    }
    default:
      return shape;
  }
}

}  // namespace

// Children come before parents, so one pass is enough.
ExpressionNumbers::ExpressionNumbers(const Expression& expression) {
  numbers_.reserve(expression.size());
  for (NodeId id = 0; id < expression.size(); ++id) {
    const Node& node = expression.node(id);
    if (node.op == Op::kGetAttribute) {
      numbers_.push_back(of_attribute(numbers_[node.a], node.b));
      continue;
    }
    std::string shape = own_shape(expression, node);
    for (const NodeId child : expression.children(id)) shape += fmt::format(" {}", numbers_[child]);
    numbers_.push_back(number(shape));
  }
}

std::uint32_t ExpressionNumbers::of_attribute(std::uint32_t target, std::uint32_t name) {
  return number(fmt::format("attribute {}.{}", target, name));
}

std::uint32_t ExpressionNumbers::number(const std::string& shape) {
  return shapes_.try_emplace(shape, static_cast<std::uint32_t>(shapes_.size())).first->second;
}

}  // namespace holdfast::policy
