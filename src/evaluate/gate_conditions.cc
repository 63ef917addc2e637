#include "evaluate/gate_conditions.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace holdfast::evaluate {
namespace {

using policy::Expression;
using policy::ExtensionFunction;
using policy::Node;
using policy::NodeId;
using policy::Op;
using Way = Comparison::Way;

Way opposite(Way way) {
  switch (way) {
    case Way::kAtLeast:
      return Way::kBelow;
    case Way::kAbove:
      return Way::kAtMost;
    case Way::kAtMost:
      return Way::kAbove;
    case Way::kBelow:
      return Way::kAtLeast;
  }
  return way;
}

// With the operands the other way round.
Way mirrored(Way way) {
  switch (way) {
    case Way::kAtLeast:
      return Way::kAtMost;
    case Way::kAbove:
      return Way::kBelow;
    case Way::kAtMost:
      return Way::kAtLeast;
    case Way::kBelow:
      return Way::kAbove;
  }
  return way;
}

std::optional<Way> way_of(ExtensionFunction function) {
  switch (function) {
    case ExtensionFunction::kGreaterThanOrEqual:
      return Way::kAtLeast;
    case ExtensionFunction::kGreaterThan:
      return Way::kAbove;
    case ExtensionFunction::kLessThanOrEqual:
      return Way::kAtMost;
    case ExtensionFunction::kLessThan:
      return Way::kBelow;
    default:
      return std::nullopt;
  }
}

std::optional<Way> way_of(Op op) {
  switch (op) {
    case Op::kGreaterEqual:
      return Way::kAtLeast;
    case Op::kGreater:
      return Way::kAbove;
    case Op::kLessEqual:
      return Way::kAtMost;
    case Op::kLess:
      return Way::kBelow;
    default:
      return std::nullopt;
  }
}

class Walk {
 public:
  Walk(const Expression& expression, std::vector<Comparison>& found)
      : expression_(expression), found_(found) {}

  // `wanted` is what the node must come to for the policy not to forbid.
  void walk(NodeId id, bool wanted) {
    if (found_.size() >= kMaxComparisons) return;
    const Node& node = expression_.node(id);
    switch (node.op) {
      case Op::kAnd:
      case Op::kOr:
        for (const NodeId operand : expression_.list(node.a, node.b)) walk(operand, wanted);
        return;
      case Op::kNot:
        return walk(node.a, !wanted);
      case Op::kIf:
        walk(node.b, wanted);
        return walk(node.c, wanted);
      case Op::kCall:
        if (const auto way = way_of(node.function)) {
          const auto operands = expression_.list(node.a, node.b);
          compare(operands[0], operands[1], wanted ? *way : opposite(*way));
        }
        return;
      default:
        if (const auto way = way_of(node.op)) compare(node.a, node.b, wanted ? *way : opposite(*way));
    }
  }

 private:
  void compare(NodeId left, NodeId right, Way way) {
    if (const auto threshold = literal(right)) return add(left, *threshold, way);
    if (const auto threshold = literal(left)) add(right, *threshold, mirrored(way));
  }

  void add(NodeId attribute, std::int64_t threshold, Way way) {
    std::vector<std::string> path = path_of(attribute);
    if (path.size() < 2) return;
    std::string part = std::move(path.back());
    path.pop_back();
    found_.push_back({.path = std::move(path), .part = std::move(part), .way = way, .threshold = threshold});
  }

  [[nodiscard]] std::optional<std::int64_t> literal(NodeId id) const {
    const Node& node = expression_.node(id);
    if (node.op != Op::kLiteral) return std::nullopt;
    const policy::Value& value = expression_.literal(node.a);
    if (const auto* decimal = value.as<policy::Decimal>()) return decimal->ten_thousandths;
    if (const auto* integer = value.as_integer()) return *integer;
    return std::nullopt;
  }

  // Below context.evidence; empty for anything else.
  [[nodiscard]] std::vector<std::string> path_of(NodeId id) const {
    std::vector<std::string> path;
    const Node* node = &expression_.node(id);
    for (; node->op == Op::kGetAttribute; node = &expression_.node(node->a)) {
      path.push_back(expression_.name(node->b));
    }
    const bool of_context =
        node->op == Op::kVariable && node->a == static_cast<std::uint32_t>(policy::Variable::kContext);
    if (!of_context || path.empty() || path.back() != "evidence") return {};
    path.pop_back();
    std::reverse(path.begin(), path.end());
    return path;
  }

  const Expression& expression_;
  std::vector<Comparison>& found_;
};

}  // namespace

bool Comparison::holds(std::int64_t left) const {
  switch (way) {
    case Way::kAtLeast:
      return left >= threshold;
    case Way::kAbove:
      return left > threshold;
    case Way::kAtMost:
      return left <= threshold;
    case Way::kBelow:
      return left < threshold;
  }
  return false;
}

std::string Comparison::text() const {
  constexpr std::string_view kWords[] = {"at least", "above", "at most", "below"};
  const std::string_view words = kWords[static_cast<std::size_t>(way)];
  if (of_rows()) return fmt::format("{} {} rows", words, threshold);
  return fmt::format("{} {}", words, policy::Decimal{threshold}.text());
}

std::vector<Comparison> comparisons_of(const policy::Policy& policy) {
  const bool forbids = policy.effect == policy::Effect::kForbid;
  std::vector<Comparison> found;
  for (const policy::Condition& condition : policy.conditions) {
    Walk(*policy.expression, found).walk(condition.root, condition.unless == forbids);
  }
  return found;
}

}  // namespace holdfast::evaluate
