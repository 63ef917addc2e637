#include <fmt/format.h>

#include <array>

#include "policy/expression.h"

namespace holdfast::policy {
namespace {

// How tightly an expression binds, from the grammar (docs.cedarpolicy.com, "Grammar"): an operand that binds
// less tightly than its place asks for is put in parentheses.
enum class Binding : std::uint8_t {
  kExpression,
  kOr,
  kAnd,
  kRelation,
  kSum,
  kProduct,
  kSign,
  kMember,
  kNothing
};

constexpr int kMaxSigns = 4;  // in a row

Binding binding_of(const Expression& expression, NodeId id) {
  const Node& node = expression.node(id);
  switch (node.op) {
    case Op::kIf:
      return Binding::kExpression;
    case Op::kOr:
      return Binding::kOr;
    case Op::kAnd:
      return Binding::kAnd;
    case Op::kEqual:
    case Op::kNotEqual:
    case Op::kLess:
    case Op::kLessEqual:
    case Op::kGreater:
    case Op::kGreaterEqual:
    case Op::kIn:
    case Op::kHas:
    case Op::kLike:
    case Op::kIs:
    case Op::kIsIn:
      return Binding::kRelation;
    case Op::kAdd:
    case Op::kSubtract:
      return Binding::kSum;
    case Op::kMultiply:
      return Binding::kProduct;
    case Op::kNot:
    case Op::kNegate:
      return Binding::kSign;
    case Op::kLiteral: {
      const auto* number = expression.literal(node.a).as_integer();
      return number != nullptr && *number < 0 ? Binding::kSign : Binding::kMember;
    }
    default:
      return Binding::kMember;
  }
}

std::string_view infix(Op op) {
  switch (op) {
    case Op::kEqual:
      return "==";
    case Op::kNotEqual:
      return "!=";
    case Op::kLess:
      return "<";
    case Op::kLessEqual:
      return "<=";
    case Op::kGreater:
      return ">";
    case Op::kGreaterEqual:
      return ">=";
    case Op::kIn:
      return "in";
    case Op::kAdd:
      return "+";
    case Op::kSubtract:
      return "-";
    case Op::kMultiply:
      return "*";
    case Op::kAnd:
      return "&&";
    default:
      return "||";
  }
}

std::string_view method(Op op) {
  switch (op) {
    case Op::kContains:
      return "contains";
    case Op::kContainsAll:
      return "containsAll";
    case Op::kContainsAny:
      return "containsAny";
    case Op::kGetTag:
      return "getTag";
    case Op::kHasTag:
      return "hasTag";
    default:
      return "isEmpty";
  }
}

class Printer {
 public:
  explicit Printer(const Expression& expression) : expression_(expression) {}

  std::string take() && { return std::move(out_); }

  void print(NodeId id) {
    const Node& node = expression_.node(id);
    switch (node.op) {
      case Op::kLiteral:
        out_ += expression_.literal(node.a).to_cedar();
        return;
      case Op::kVariable:
        out_ += to_string(static_cast<Variable>(node.a));
        return;
      case Op::kIf:
        return print_if(node);
      case Op::kAnd:
      case Op::kOr:
        return print_chain(node);
      case Op::kNot:
      case Op::kNegate:
        return print_sign(node);
      case Op::kContains:
      case Op::kContainsAll:
      case Op::kContainsAny:
      case Op::kGetTag:
      case Op::kHasTag:
        return print_method(node.a, method(node.op), std::array{node.b});
      case Op::kIsEmpty:
        return print_method(node.a, method(node.op), {});
      case Op::kGetAttribute:
        return print_attribute(node);
      case Op::kHas:
      case Op::kLike:
      case Op::kIs:
      case Op::kIsIn:
        return print_test(node);
      case Op::kSet:
        return print_list("[", expression_.list(node.a, node.b), "]");
      case Op::kRecord:
        return print_record(node);
      case Op::kCall:
        return print_call(node);
      default:
        return print_infix(node);
    }
  }

 private:
  void operand(NodeId id, Binding least) {
    const bool bare = binding_of(expression_, id) >= least;
    if (!bare) out_ += '(';
    print(id);
    if (!bare) out_ += ')';
  }

  void print_if(const Node& node) {
    out_ += "if ";
    print(node.a);
    out_ += " then ";
    print(node.b);
    out_ += " else ";
    print(node.c);
  }

  void print_chain(const Node& node) {
    const Binding tighter = node.op == Op::kOr ? Binding::kAnd : Binding::kRelation;
    std::string_view between;
    for (const NodeId child : expression_.list(node.a, node.b)) {
      out_ += between;
      operand(child, tighter);
      between = node.op == Op::kOr ? " || " : " && ";
    }
  }

  // Up to four equal signs may stand in a row. A minus before a bare number would be read as part of it.
  void print_sign(const Node& node) {
    out_ += node.op == Op::kNot ? '!' : '-';
    const Node& child = expression_.node(node.a);
    const bool number = child.op == Op::kLiteral && expression_.literal(child.a).as_integer() != nullptr;
    if (child.op == node.op && signs_ < kMaxSigns) {
      ++signs_;
      print_sign(child);
      return;
    }
    signs_ = 1;
    operand(node.a, number ? Binding::kNothing : Binding::kMember);
  }

  void print_infix(const Node& node) {
    // Sums and products group to the left; relations don't chain.
    Binding left = Binding::kSum;
    Binding right = Binding::kSum;
    if (node.op == Op::kAdd || node.op == Op::kSubtract) right = Binding::kProduct;
    if (node.op == Op::kMultiply) {
      left = Binding::kProduct;
      right = Binding::kSign;
    }
    operand(node.a, left);
    out_ += fmt::format(" {} ", infix(node.op));
    operand(node.b, right);
  }

  void print_test(const Node& node) {
    operand(node.a, Binding::kSum);
    if (node.op == Op::kHas) {
      out_ += " has ";
      print_path(expression_.list(node.b, node.c));
    } else if (node.op == Op::kLike) {
      out_ += " like ";
      print_pattern(expression_.pattern(node.b));
    } else {
      out_ += fmt::format(" is {}", expression_.name(node.b));
      if (node.op == Op::kIs) return;
      out_ += " in ";
      operand(node.c, Binding::kSum);
    }
  }

  void print_path(std::span<const std::uint32_t> names) {
    if (names.size() == 1 && !is_identifier(expression_.name(names[0]))) {
      out_ += quote(expression_.name(names[0]));
      return;
    }
    std::string_view between;
    for (const std::uint32_t name : names) {
      out_ += between;
      out_ += expression_.name(name);
      between = ".";
    }
  }

  void print_pattern(const Pattern& pattern) {
    std::string text;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      if (i > 0) text += '*';
      const std::string part = quote(pattern[i]);
      for (const char c : std::string_view(part).substr(1, part.size() - 2)) {
        if (c == '*') text += '\\';
        text += c;
      }
    }
    out_ += fmt::format("\"{}\"", text);
  }

  void print_attribute(const Node& node) {
    operand(node.a, Binding::kMember);
    const std::string& name = expression_.name(node.b);
    out_ += is_identifier(name) ? "." + name : "[" + quote(name) + "]";
  }

  void print_method(NodeId target, std::string_view name, std::span<const NodeId> arguments) {
    operand(target, Binding::kMember);
    out_ += fmt::format(".{}", name);
    print_list("(", arguments, ")");
  }

  void print_call(const Node& node) {
    const auto arguments = expression_.list(node.a, node.b);
    const ExtensionSignature& called = signature(node.function);
    if (called.is_method) return print_method(arguments[0], called.name, arguments.subspan(1));
    out_ += called.name;
    print_list("(", arguments, ")");
  }

  void print_list(std::string_view open, std::span<const NodeId> items, std::string_view close) {
    out_ += open;
    std::string_view between;
    for (const NodeId item : items) {
      out_ += between;
      print(item);
      between = ", ";
    }
    out_ += close;
  }

  void print_record(const Node& node) {
    out_ += '{';
    const auto pairs = expression_.list(node.a, 2 * node.b);
    for (std::size_t i = 0; i < pairs.size(); i += 2) {
      const std::string& name = expression_.name(pairs[i]);
      out_ += fmt::format("{}{}: ", i == 0 ? "" : ", ", is_identifier(name) ? name : quote(name));
      print(pairs[i + 1]);
    }
    out_ += '}';
  }

  const Expression& expression_;
  std::string out_;
  int signs_ = 1;  // how many equal ones stand in a row
};

}  // namespace

std::string Expression::text(NodeId id) const {
  Printer printer(*this);
  printer.print(id);
  return std::move(printer).take();
}

}  // namespace holdfast::policy
