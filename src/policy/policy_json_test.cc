#include <gtest/gtest.h>

#include <string>

#include "policy/parser.h"

namespace holdfast::policy {
namespace {

// A policy with this condition in JSON, as Cedar text, or why it was refused.
std::string condition(const std::string& body) {
  const auto policies = parse_policies_json(
      R"({"staticPolicies": {"p": {"effect": "permit", "principal": {"op": "All"}, "action": {"op": "All"},
          "resource": {"op": "All"}, "conditions": [{"kind": "when", "body": )" +
      body + "}]}}}");
  if (!policies) return policies.error().message;
  const Policy& policy = policies->policies()[0];
  return policy.expression->text(policy.conditions[0].root);
}

TEST(PolicyJson, ReadsEveryExpression) {
  const std::string context = R"({"Var": "context"})";
  const auto both = [&](const std::string& op) {
    return condition(R"({")" + op + R"(": {"left": {"Value": 1}, "right": {"Value": 2}}})");
  };
  EXPECT_EQ(both("=="), "1 == 2");
  EXPECT_EQ(both("&&"), "1 && 2");
  EXPECT_EQ(both("*"), "1 * 2");
  EXPECT_EQ(both("in"), "1 in 2");
  EXPECT_EQ(both("containsAny"), "1.containsAny(2)");
  EXPECT_EQ(both("getTag"), "1.getTag(2)");
  EXPECT_EQ(condition(R"({"!": {"arg": )" + context + "}}"), "!context");
  EXPECT_EQ(condition(R"({"neg": {"arg": {"Value": 5}}})"), "-(5)");
  EXPECT_EQ(condition(R"({"isEmpty": {"arg": {"Set": []}}})"), "[].isEmpty()");
  EXPECT_EQ(condition(R"({".": {"left": )" + context + R"(, "attr": "a b"}})"), "context[\"a b\"]");
  EXPECT_EQ(condition(R"({"has": {"left": )" + context + R"(, "attr": "if"}})"), "context has \"if\"");
  EXPECT_EQ(condition(R"({"has": {"left": )" + context + R"(, "attr": ["a", "b"]}})"), "context has a.b");
  EXPECT_EQ(
      condition(
          R"({"like": {"left": {"Value": "x"}, "pattern": [{"Literal": "a*"}, "Wildcard", {"Literal": "b"}, {"Literal": "c"}]}})"),
      "\"x\" like \"a\\**bc\"");
  EXPECT_EQ(condition(R"({"is": {"left": {"Var": "principal"}, "entity_type": "A::B"}})"),
            "principal is A::B");
  EXPECT_EQ(
      condition(
          R"({"is": {"left": {"Var": "principal"}, "entity_type": "B", "in": {"Value": {"__entity": {"type": "G", "id": "g"}}}}})"),
      "principal is B in G::\"g\"");
  EXPECT_EQ(
      condition(R"({"if-then-else": {"if": {"Value": true}, "then": {"Value": 1}, "else": {"Value": 2}}})"),
      "if true then 1 else 2");
  EXPECT_EQ(condition(R"({"Record": {"a": {"Value": [1, {"b": "c"}]}}})"), "{a: [1, {b: \"c\"}]}");
  EXPECT_EQ(condition(R"({"lessThan": [{"decimal": [{"Value": "1.0"}]}, {"Var": "context"}]})"),
            "decimal(\"1.0000\").lessThan(context)");
}

TEST(PolicyJson, SaysWhatIsWrong) {
  const std::string where = "policy \"p\": ";
  EXPECT_EQ(condition("1"), where + "an expression must be an object with one member");
  EXPECT_EQ(condition("{}"), where + "an expression must be an object with one member");
  EXPECT_EQ(condition(R"({"Var": "user"})"),
            where + "Var: there are the variables principal, action, resource and context");
  EXPECT_EQ(condition(R"({"==": {"left": {"Value": 1}}})"),
            where + "==: an operation needs the member \"right\"");
  EXPECT_EQ(condition(R"({"!": {"arg": {"+": {"left": 1, "right": 2}}}})"),
            where + "!: +: an expression must be an object with one member");
  EXPECT_EQ(condition(R"({"Slot": "?principal"})"),
            where + "Slot: a slot may stand only in the scope of a template");
  EXPECT_EQ(condition(R"({"frobnicate": []})"), where + "frobnicate: there is no such operation or function");
  EXPECT_EQ(condition(R"({"lessThan": []})"), where + "lessThan: a function takes one argument at least");
  EXPECT_EQ(condition(R"({"has": {"left": {"Value": 1}, "attr": ["a", "b c"]}})"),
            where + "has: \"attr\" must list identifiers");
  EXPECT_EQ(condition(R"({"like": {"left": {"Value": 1}, "pattern": ["Star"]}})"),
            where + "like: an element of \"pattern\" must be an object");
  EXPECT_EQ(condition(R"({"is": {"left": {"Value": 1}, "entity_type": "A-B"}})"),
            where + "is: \"A-B\" is not the name of an entity type");
}

TEST(PolicyJson, ReadsScopesTemplatesAndLinks) {
  const auto policies = parse_policies_json(R"({
      "staticPolicies": {"s": {"effect": "forbid", "annotations": {"id": "x", "bare": null},
        "principal": {"op": "is", "entity_type": "U", "in": {"entity": {"type": "G", "id": "g"}}},
        "action": {"op": "in", "entities": [{"type": "Action", "id": "a"}]},
        "resource": {"op": "==", "entity": {"__entity": {"type": "R", "id": "r"}}},
        "conditions": [{"kind": "unless", "body": {"Value": false}}]}},
      "templates": {"t": {"effect": "permit", "principal": {"op": "in", "slot": "?principal"},
        "action": {"op": "==", "entity": {"type": "N::Action", "id": "b"}},
        "resource": {"op": "is", "entity_type": "R", "in": {"slot": "?resource"}}, "conditions": []}},
      "templateLinks": [{"templateId": "t", "newId": "l", "values": {"?principal": {"type": "U", "id": "u"},
                                                                     "?resource": {"type": "R", "id": "r"}}}]})");
  ASSERT_TRUE(policies.has_value()) << policies.error().message;
  EXPECT_EQ(policies->find("s")->text(),
            "@bare(\"\")\n@id(\"x\")\n"
            "forbid(principal is U in G::\"g\", action in [Action::\"a\"], resource == R::\"r\")\nunless { "
            "false };\n");
  EXPECT_EQ(policies->find("t")->text(),
            "permit(principal in ?principal, action == N::Action::\"b\", resource is R in ?resource);\n");
  EXPECT_EQ(policies->find("l")->text(),
            "permit(principal in U::\"u\", action == N::Action::\"b\", resource is R in R::\"r\");\n");
}

TEST(PolicyJson, RefusesWrongScopes) {
  const auto message = [](const std::string& principal, const std::string& action) {
    const auto policies = parse_policies_json(
        R"({"staticPolicies": {"p": {"effect": "permit", "principal": )" + principal + R"(, "action": )" +
        action + R"(, "resource": {"op": "All"}, "conditions": []}}})");
    return policies ? std::string("accepted") : policies.error().message;
  };
  const std::string all = R"({"op": "All"})";
  EXPECT_EQ(message(R"({"op": "=="})", all),
            "policy \"p\": an \"entity\", or the \"slot\" ?principal, is missing");
  EXPECT_EQ(message(R"({"op": "==", "slot": "?resource"})", all),
            "policy \"p\": an \"entity\", or the \"slot\" ?principal, is missing");
  EXPECT_EQ(message(R"({"op": "has"})", all), "policy \"p\": \"op\" must be All, ==, in or is");
  EXPECT_EQ(message(R"({"op": "==", "slot": "?principal"})", all),
            "the policy \"p\" does not belong in \"staticPolicies\"");
  EXPECT_EQ(message(all, R"({"op": "==", "entity": {"type": "User", "id": "a"}})"),
            "policy \"p\": User::\"a\" is no action; the type of one is `Action`, in any namespace");
  EXPECT_EQ(message(all, R"({"op": "==", "entities": []})"), "policy \"p\": an \"entity\" is missing");
}

TEST(PolicyJson, IsBoundedInDepth) {
  std::string deep = R"({"Value": true})";
  for (int i = 0; i < 1'000; ++i) deep = R"({"!": {"arg": )" + deep + "}}";
  EXPECT_EQ(condition(deep), "cannot read the JSON text: it is nested deeper than 600");
}

}  // namespace
}  // namespace holdfast::policy
