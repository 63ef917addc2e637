#include "policy/parser.h"

#include <fmt/format.h>

#include <utility>

#include "policy/expression_parser.h"

namespace holdfast::policy {
namespace {

using base::Result;

class PolicyParser {
 public:
  explicit PolicyParser(Lexer& lexer) : lexer_(lexer) {}

  Result<Policy> parse() {
    HF_CHECK(parse_annotations());
    if (lexer_.take("permit")) {
      policy_.effect = Effect::kPermit;
    } else if (lexer_.take("forbid")) {
      policy_.effect = Effect::kForbid;
    } else {
      return lexer_.unexpected("`permit` or `forbid`");
    }
    HF_CHECK(parse_scope());
    HF_CHECK(parse_conditions());
    HF_CHECK(lexer_.expect(";", "at the end of a policy, or `when` or `unless`"));
    return std::move(policy_);
  }

 private:
  Result<> parse_annotations() {
    while (lexer_.take("@")) {
      const Token name = lexer_.token();
      if (name.kind != Token::Kind::kIdentifier) return lexer_.unexpected("the name of an annotation");
      lexer_.advance();
      std::string text;
      if (lexer_.take("(")) {
        if (lexer_.token().kind != Token::Kind::kString) return lexer_.unexpected("a text in quotes");
        HF_TRY(text, lexer_.text_of(lexer_.token()));
        lexer_.advance();
        HF_CHECK(lexer_.expect(")", "after the text of an annotation"));
      }
      if (!policy_.annotations.try_emplace(std::string(name.text), std::move(text)).second) {
        return lexer_.fail_at(name.offset, fmt::format("the annotation @{} stands twice", name.text));
      }
    }
    return {};
  }

  Result<> parse_scope() {
    HF_CHECK(lexer_.expect("(", "before the scope of a policy"));
    HF_CHECK(lexer_.expect("principal", "first in the scope of a policy"));
    HF_CHECK(parse_constraint("?principal", policy_.principal));
    HF_CHECK(lexer_.expect(",", "after the principal of a scope"));
    HF_CHECK(lexer_.expect("action", "second in the scope of a policy"));
    HF_CHECK(parse_action());
    HF_CHECK(lexer_.expect(",", "after the action of a scope"));
    HF_CHECK(lexer_.expect("resource", "third in the scope of a policy"));
    HF_CHECK(parse_constraint("?resource", policy_.resource));
    lexer_.take(",");
    return lexer_.expect(")", "after the scope of a policy");
  }

  Result<> parse_constraint(std::string_view slot, EntityConstraint& constraint) {
    using Kind = EntityConstraint::Kind;
    if (lexer_.take("is")) {
      bool before_id = false;
      HF_TRY(constraint.type, parse_path(lexer_, "the type of an entity", before_id));
      if (before_id) return lexer_.unexpected("the type of an entity, without an id, after `is`");
      constraint.kind = Kind::kIs;
      if (!lexer_.take("in")) return {};
      constraint.kind = Kind::kIsIn;
    } else if (lexer_.take("==")) {
      constraint.kind = Kind::kEqual;
    } else if (lexer_.take("in")) {
      constraint.kind = Kind::kIn;
    } else {
      return {};
    }
    return parse_reference([&]() -> Result<> {
      if (lexer_.token().kind == Token::Kind::kSlot) {
        if (lexer_.token().text != slot) return lexer_.unexpected(fmt::format("an entity or {}", slot));
        lexer_.advance();
        return {};
      }
      HF_TRY(constraint.entity,
             parse_entity_uid(lexer_, fmt::format("an entity such as User::\"alice\", or {}", slot)));
      return {};
    });
  }

  Result<> parse_action() {
    using Kind = ActionConstraint::Kind;
    if (lexer_.take("==")) {
      policy_.action.kind = Kind::kEqual;
      return parse_reference([this] { return parse_action_uid(); });
    }
    if (!lexer_.take("in")) return {};
    policy_.action.kind = Kind::kIn;
    return parse_reference([this]() -> Result<> {
      if (!lexer_.take("[")) return parse_action_uid();
      while (!lexer_.at("]")) {
        HF_CHECK(parse_reference([this] { return parse_action_uid(); }));
        if (!lexer_.take(",")) break;
      }
      return lexer_.expect("]", "or `,` after an action");
    });
  }

  Result<> parse_action_uid() {
    const std::size_t offset = lexer_.token().offset;
    HF_TRY(EntityUid uid, parse_entity_uid(lexer_, "an action such as Action::\"deploy\""));
    if (const auto action = check_action_type(uid); !action)
      return lexer_.fail_at(offset, action.error().message);
    policy_.action.actions.push_back(std::move(uid));
    return {};
  }

  // A reference may stand in any number of parentheses.
  template <typename Parse>
  Result<> parse_reference(Parse parse) {
    int open = 0;
    for (; lexer_.take("("); ++open) {
      if (open == kMaxNesting) {
        return lexer_.fail_at(lexer_.token().offset,
                              fmt::format("parentheses are nested deeper than {}", kMaxNesting));
      }
    }
    HF_CHECK(parse());
    for (; open > 0; --open) HF_CHECK(lexer_.expect(")", "to close the parenthesis"));
    return {};
  }

  Result<> parse_conditions() {
    ExpressionBuilder builder;
    ExpressionParser expressions(lexer_, builder);
    while (lexer_.at("when") || lexer_.at("unless")) {
      const bool unless = lexer_.at("unless");
      lexer_.advance();
      HF_CHECK(lexer_.expect("{", "before a condition"));
      HF_TRY(const NodeId root, expressions.parse());
      HF_CHECK(lexer_.expect("}", "after a condition"));
      policy_.conditions.push_back({.unless = unless, .root = root});
    }
    policy_.expression = std::make_shared<const Expression>(std::move(builder).finish());
    return {};
  }

  Lexer& lexer_;
  Policy policy_;
};

}  // namespace

Result<PolicySet> parse_policies(std::string_view text, PolicyIds ids) {
  HF_TRY(Lexer lexer, Lexer::open(text));
  PolicySet policies;
  for (std::size_t position = 0; lexer.token().kind != Token::Kind::kEnd; ++position) {
    HF_TRY(Policy policy, PolicyParser(lexer).parse());
    const auto named = policy.annotation("id");
    policy.id =
        ids == PolicyIds::kAnnotation && named ? std::string(*named) : fmt::format("policy{}", position);
    HF_CHECK(policies.add(std::move(policy)));
  }
  return policies;
}

}  // namespace holdfast::policy
