#include "policy/expression_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <set>

#include "policy/parser.h"

namespace holdfast::policy {
namespace {

using base::Result;

constexpr int kMaxSigns = 4;  // the grammar allows no more

std::optional<Op> relation(const Lexer& lexer) {
  static constexpr std::array<std::pair<std::string_view, Op>, 7> kRelations{{{"==", Op::kEqual},
                                                                              {"!=", Op::kNotEqual},
                                                                              {"<", Op::kLess},
                                                                              {"<=", Op::kLessEqual},
                                                                              {">", Op::kGreater},
                                                                              {">=", Op::kGreaterEqual},
                                                                              {"in", Op::kIn}}};
  for (const auto& [text, op] : kRelations) {
    if (lexer.at(text)) return op;
  }
  return std::nullopt;
}

// Methods of the language itself, with the number of their arguments.
struct Method {
  std::string_view name;
  Op op;
  std::size_t arguments;
};
constexpr std::array<Method, 6> kMethods{{{"contains", Op::kContains, 1},
                                          {"containsAll", Op::kContainsAll, 1},
                                          {"containsAny", Op::kContainsAny, 1},
                                          {"isEmpty", Op::kIsEmpty, 0},
                                          {"getTag", Op::kGetTag, 1},
                                          {"hasTag", Op::kHasTag, 1}}};

const Method* find_method(std::string_view name) {
  const auto at =
      std::find_if(kMethods.begin(), kMethods.end(), [&](const Method& m) { return m.name == name; });
  return at == kMethods.end() ? nullptr : at;
}

}  // namespace

Result<std::string> parse_identifier(Lexer& lexer, std::string_view what) {
  const Token token = lexer.token();
  if (token.kind != Token::Kind::kIdentifier) return lexer.unexpected(what);
  if (!is_identifier(token.text)) {
    return lexer.fail_at(token.offset, fmt::format("`{}` is reserved and can't be {}", token.text, what));
  }
  lexer.advance();
  return std::string(token.text);
}

Result<std::string> parse_path(Lexer& lexer, std::string_view what, bool& before_id) {
  HF_TRY(std::string path, parse_identifier(lexer, what));
  while ((before_id = lexer.take("::")) && lexer.token().kind == Token::Kind::kIdentifier) {
    HF_TRY(const std::string part, parse_identifier(lexer, what));
    path += "::" + part;
  }
  return path;
}

Result<EntityUid> parse_entity_uid(Lexer& lexer, std::string_view what) {
  bool before_id = false;
  HF_TRY(std::string type, parse_path(lexer, what, before_id));
  if (!before_id) return lexer.unexpected("`::` and the id of an entity in quotes");
  const Token id = lexer.token();
  if (id.kind != Token::Kind::kString) return lexer.unexpected("the id of an entity in quotes");
  HF_TRY(std::string text, lexer.text_of(id));
  lexer.advance();
  return EntityUid(std::move(type), std::move(text));
}

// Every way down into an inner expression comes through here.
Result<NodeId> ExpressionParser::parse() {
  if (nesting_ == kMaxNesting) {
    return lexer_.fail_at(lexer_.token().offset,
                          fmt::format("expressions are nested deeper than {}", kMaxNesting));
  }
  ++nesting_;
  auto result = lexer_.take("if") ? parse_if() : parse_chain(Op::kOr);
  --nesting_;
  return result;
}

Result<NodeId> ExpressionParser::parse_if() {
  HF_TRY(const NodeId condition, parse());
  HF_CHECK(lexer_.expect("then", "after the condition of `if`"));
  HF_TRY(const NodeId then_, parse());
  HF_CHECK(lexer_.expect("else", "after the expression of `then`"));
  HF_TRY(const NodeId else_, parse());
  return builder_.conditional(condition, then_, else_);
}

Result<NodeId> ExpressionParser::parse_chain(Op op) {
  const bool outer = op == Op::kOr;
  std::vector<NodeId> operands;
  do {
    HF_TRY(const NodeId operand, outer ? parse_chain(Op::kAnd) : parse_relation());
    operands.push_back(operand);
  } while (lexer_.take(outer ? "||" : "&&"));
  if (operands.size() == 1) return operands[0];
  return builder_.all_of(op, operands);
}

Result<NodeId> ExpressionParser::parse_relation() {
  HF_TRY(NodeId left, parse_sum());
  if (const auto op = relation(lexer_)) {
    lexer_.advance();
    HF_TRY(const NodeId right, parse_sum());
    HF_TRY(left, builder_.binary(*op, left, right));
  } else if (lexer_.take("has")) {
    HF_TRY(left, parse_has(left));
  } else if (lexer_.take("like")) {
    HF_TRY(left, parse_like(left));
  } else if (lexer_.take("is")) {
    HF_TRY(left, parse_is(left));
  } else if (lexer_.at("=")) {
    return lexer_.fail_at(lexer_.token().offset, "`=` is no operator; `==` compares");
  } else {
    return left;
  }
  if (relation(lexer_) || lexer_.at("has") || lexer_.at("like") || lexer_.at("is")) {
    return lexer_.fail_at(lexer_.token().offset,
                          fmt::format("`{}` follows another comparison; comparisons don't "
                                      "chain, so join two with `&&` or use parentheses",
                                      lexer_.token().text));
  }
  return left;
}

Result<NodeId> ExpressionParser::parse_has(NodeId target) {
  const Token token = lexer_.token();
  std::vector<std::string> path;
  if (token.kind == Token::Kind::kString) {
    HF_TRY(path.emplace_back(), lexer_.text_of(token));
    lexer_.advance();
    return builder_.has(target, path);
  }
  do {
    HF_TRY(path.emplace_back(), parse_identifier(lexer_, "the name of an attribute"));
  } while (lexer_.take("."));
  return builder_.has(target, path);
}

Result<NodeId> ExpressionParser::parse_like(NodeId target) {
  const Token token = lexer_.token();
  if (token.kind != Token::Kind::kString) return lexer_.unexpected("a pattern in quotes after `like`");
  HF_TRY(Pattern pattern, lexer_.pattern_of(token));
  lexer_.advance();
  return builder_.like(target, std::move(pattern));
}

Result<NodeId> ExpressionParser::parse_is(NodeId target) {
  bool before_id = false;
  HF_TRY(const std::string type, parse_path(lexer_, "the type of an entity", before_id));
  if (before_id) return lexer_.unexpected("the type of an entity, without an id, after `is`");
  if (!lexer_.take("in")) return builder_.is(target, type);
  HF_TRY(const NodeId ancestor, parse_sum());
  return builder_.is_in(target, type, ancestor);
}

Result<NodeId> ExpressionParser::parse_sum() {
  HF_TRY(NodeId left, parse_product());
  for (;;) {
    const Op op = lexer_.at("+") ? Op::kAdd : Op::kSubtract;
    if (!lexer_.take("+") && !lexer_.take("-")) return left;
    HF_TRY(const NodeId right, parse_product());
    HF_TRY(left, builder_.binary(op, left, right));
  }
}

Result<NodeId> ExpressionParser::parse_product() {
  HF_TRY(NodeId left, parse_unary());
  while (lexer_.take("*")) {
    HF_TRY(const NodeId right, parse_unary());
    HF_TRY(left, builder_.binary(Op::kMultiply, left, right));
  }
  if (lexer_.at("/") || lexer_.at("%")) {
    return lexer_.fail_at(lexer_.token().offset, "Cedar has no division and no remainder");
  }
  return left;
}

Result<NodeId> ExpressionParser::parse_unary() {
  const std::size_t offset = lexer_.token().offset;
  const std::string_view sign = lexer_.at("!") ? "!" : "-";
  int signs = 0;
  while (lexer_.take(sign)) {
    if (++signs > kMaxSigns) {
      return lexer_.fail_at(offset, fmt::format("`{}` may stand at most {} times in a row", sign, kMaxSigns));
    }
  }
  if (signs > 0 && sign == "-") return parse_negated(signs);
  HF_TRY(NodeId operand, parse_member());
  for (; signs > 0; --signs) {
    HF_TRY(operand, builder_.unary(Op::kNot, operand));
  }
  return operand;
}

// A minus right before a number is part of it: -9223372036854775808 has no positive counterpart.
Result<NodeId> ExpressionParser::parse_negated(int signs) {
  NodeId operand = 0;
  if (lexer_.token().kind == Token::Kind::kNumber) {
    const std::size_t offset = lexer_.token().offset;
    HF_TRY(const std::uint64_t magnitude, parse_number());
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (at_access()) {
      HF_TRY(operand, positive(magnitude, offset));
      HF_TRY(operand, parse_accesses(operand));
    } else if (magnitude > kMost + 1) {
      return lexer_.fail_at(offset, "this number does not fit into 64 bits");
    } else {
      HF_TRY(operand, builder_.literal(Value::integer(static_cast<std::int64_t>(0 - magnitude))));
      --signs;
    }
  } else {
    HF_TRY(operand, parse_member());
  }
  for (; signs > 0; --signs) {
    HF_TRY(operand, builder_.unary(Op::kNegate, operand));
  }
  return operand;
}

Result<std::uint64_t> ExpressionParser::parse_number() {
  const Token token = lexer_.token();
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(token.text.data(), token.text.data() + token.text.size(), value);
  if (error != std::errc{}) return lexer_.fail_at(token.offset, "this number does not fit into 64 bits");
  lexer_.advance();
  return value;
}

Result<NodeId> ExpressionParser::positive(std::uint64_t magnitude, std::size_t offset) {
  if (magnitude > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return lexer_.fail_at(offset, "this number does not fit into 64 bits");
  }
  return builder_.literal(Value::integer(static_cast<std::int64_t>(magnitude)));
}

Result<NodeId> ExpressionParser::parse_member() {
  HF_TRY(const NodeId target, parse_primary());
  return parse_accesses(target);
}

Result<NodeId> ExpressionParser::parse_accesses(NodeId target) {
  for (;;) {
    const Token token = lexer_.token();
    if (lexer_.take(".")) {
      const std::size_t offset = lexer_.token().offset;
      HF_TRY(const std::string name, parse_identifier(lexer_, "the name of an attribute or a method"));
      if (lexer_.at("(")) {
        HF_TRY(target, parse_method(target, name, offset));
      } else {
        HF_TRY(target, builder_.attribute(target, name));
      }
    } else if (lexer_.take("[")) {
      const Token name = lexer_.token();
      if (name.kind != Token::Kind::kString) return lexer_.unexpected("the name of an attribute in quotes");
      HF_TRY(const std::string text, lexer_.text_of(name));
      lexer_.advance();
      HF_CHECK(lexer_.expect("]", "after the name of an attribute"));
      HF_TRY(target, builder_.attribute(target, text));
    } else if (lexer_.at("(")) {
      return lexer_.fail_at(token.offset, "only functions and methods can be called");
    } else {
      return target;
    }
  }
}

Result<NodeId> ExpressionParser::parse_primary() {
  const Token token = lexer_.token();
  switch (token.kind) {
    case Token::Kind::kNumber: {
      HF_TRY(const std::uint64_t magnitude, parse_number());
      return positive(magnitude, token.offset);
    }
    case Token::Kind::kString: {
      HF_TRY(std::string text, lexer_.text_of(token));
      lexer_.advance();
      return builder_.literal(Value::text(std::move(text)));
    }
    case Token::Kind::kIdentifier:
      return parse_name();
    case Token::Kind::kSlot:
      return lexer_.fail_at(token.offset, "a slot may stand only in the scope of a template");
    default:
      break;
  }
  if (lexer_.take("(")) {
    HF_TRY(const NodeId inner, parse());
    HF_CHECK(lexer_.expect(")", "to close the parenthesis"));
    return inner;
  }
  if (lexer_.take("[")) {
    HF_TRY(const auto elements, parse_items("]"));
    return builder_.set(elements);
  }
  if (lexer_.take("{")) return parse_record();
  return lexer_.unexpected("an expression");
}

Result<NodeId> ExpressionParser::parse_name() {
  static constexpr std::array kVariables{Variable::kPrincipal, Variable::kAction, Variable::kResource,
                                         Variable::kContext};
  const Token token = lexer_.token();
  if (lexer_.take("true")) return builder_.literal(Value::boolean(true));
  if (lexer_.take("false")) return builder_.literal(Value::boolean(false));
  if (lexer_.at("if")) return lexer_.fail_at(token.offset, "`if` needs parentheses around it here");
  bool before_id = false;
  HF_TRY(std::string path, parse_path(lexer_, "a name", before_id));
  if (before_id) {
    const Token id = lexer_.token();
    if (id.kind != Token::Kind::kString) return lexer_.unexpected("the id of an entity in quotes");
    HF_TRY(std::string text, lexer_.text_of(id));
    lexer_.advance();
    return builder_.literal(Value(EntityUid(std::move(path), std::move(text))));
  }
  const auto variable = std::find_if(kVariables.begin(), kVariables.end(),
                                     [&path](Variable candidate) { return to_string(candidate) == path; });
  if (variable != kVariables.end()) return builder_.variable(*variable);
  if (lexer_.at("(")) return parse_function(path, token.offset);
  return lexer_.fail_at(token.offset,
                        fmt::format("`{}` is no variable; there are principal, action, resource and "
                                    "context",
                                    path));
}

Result<NodeId> ExpressionParser::parse_function(const std::string& name, std::size_t offset) {
  const auto function = find_extension_function(name, /*method=*/false);
  if (!function) {
    const bool method = find_method(name) != nullptr || find_extension_function(name, /*method=*/true);
    return lexer_.fail_at(offset, method ? fmt::format("`{0}` is a method: write value.{0}(...)", name)
                                         : fmt::format("there is no function `{}`", name));
  }
  lexer_.advance();
  HF_TRY(const auto arguments, parse_items(")"));
  return builder_.call(*function, arguments);
}

Result<NodeId> ExpressionParser::parse_method(NodeId target, const std::string& name, std::size_t offset) {
  lexer_.advance();
  HF_TRY(std::vector<NodeId> arguments, parse_items(")"));
  if (const Method* own = find_method(name)) {
    if (arguments.size() != own->arguments) {
      return lexer_.fail_at(
          offset, fmt::format("{} takes {} argument(s), not {}", name, own->arguments, arguments.size()));
    }
    return own->arguments == 0 ? builder_.unary(own->op, target)
                               : builder_.binary(own->op, target, arguments[0]);
  }
  const auto method = find_extension_function(name, /*method=*/true);
  if (!method) {
    const bool function = find_extension_function(name, /*method=*/false).has_value();
    return lexer_.fail_at(offset, function ? fmt::format("`{0}` is a function: write {0}(...)", name)
                                           : fmt::format("there is no method `{}`", name));
  }
  arguments.insert(arguments.begin(), target);
  return builder_.call(*method, arguments);
}

// Expressions up to `close`; a comma may stand after the last.
Result<std::vector<NodeId>> ExpressionParser::parse_items(std::string_view close) {
  std::vector<NodeId> items;
  while (!lexer_.at(close)) {
    HF_TRY(const NodeId item, parse());
    items.push_back(item);
    if (!lexer_.take(",")) break;
  }
  HF_CHECK(lexer_.expect(close, "or `,` here"));
  return items;
}

Result<NodeId> ExpressionParser::parse_record() {
  std::vector<std::pair<std::string, NodeId>> fields;
  std::set<std::string> names;
  while (!lexer_.at("}")) {
    const Token token = lexer_.token();
    std::string name;
    if (token.kind == Token::Kind::kString) {
      HF_TRY(name, lexer_.text_of(token));
      lexer_.advance();
    } else {
      HF_TRY(name, parse_identifier(lexer_, "the name of an attribute"));
    }
    if (!names.insert(name).second) {
      return lexer_.fail_at(token.offset,
                            fmt::format("the attribute {} stands twice in one record", quote(name)));
    }
    HF_CHECK(lexer_.expect(":", "after the name of an attribute"));
    HF_TRY(const NodeId value, parse());
    fields.emplace_back(std::move(name), value);
    if (!lexer_.take(",")) break;
  }
  HF_CHECK(lexer_.expect("}", "or `,` here"));
  return builder_.record(fields);
}

}  // namespace holdfast::policy
