#include "policy/evaluator.h"

#include <gtest/gtest.h>

#include <string>

#include "policy/entity_json.h"
#include "policy/parser.h"

namespace holdfast::policy {
namespace {

constexpr std::string_view kEntities = R"([
  {"uid": {"type": "User", "id": "alice"}, "parents": [{"type": "Group", "id": "admins"}],
   "attrs": {"age": 30, "name": "Alice", "manager": {"__entity": {"type": "User", "id": "bob"}},
             "address": {"city": "Bern"}},
   "tags": {"team": "blue", "a b": 1}},
  {"uid": {"type": "Group", "id": "admins"}, "parents": [{"type": "Group", "id": "all"}], "attrs": {}},
  {"uid": {"type": "Doc", "id": "d"}, "parents": [], "attrs": {"odd name": true}}])";

// The value of an expression as Cedar text, or "error: " and why.
std::string evaluate(const std::string& expression) {
  static const Entities kStore = *parse_entities(kEntities);
  static const Request kRequest(
      EntityUid("User", "alice"), EntityUid("Action", "read"), EntityUid("Doc", "d"),
      Record({{"n", Value::integer(7)}, {"deep", Value(Record({{"x", Value::text("y")}}))}}));
  const auto policies = parse_policies("permit(principal, action, resource) when { " + expression + " };");
  if (!policies) return "refused: " + policies.error().message;
  const Policy& policy = policies->policies()[0];
  Evaluator evaluator(kRequest, kStore);
  const Value* value = evaluator.evaluate(*policy.expression, policy.conditions[0].root);
  return value == nullptr ? "error: " + evaluator.error() : value->to_cedar();
}

struct Case {
  const char* expression;
  const char* value;
};

class Evaluates : public testing::TestWithParam<Case> {};

TEST_P(Evaluates, ToItsValue) {
  EXPECT_EQ(evaluate(GetParam().expression), GetParam().value) << GetParam().expression;
}

INSTANTIATE_TEST_SUITE_P(
    Literals, Evaluates,
    testing::Values(Case{"true", "true"}, Case{"-9223372036854775808", "-9223372036854775808"},
                    Case{"9223372036854775807", "9223372036854775807"}, Case{"--5", "5"},
                    Case{"!!!!true", "true"}, Case{"\"a\\u{e9}\\x41\\0\"", "\"aéA\\0\""},
                    Case{"User::\"x\"", "User::\"x\""}, Case{"[1, 2, 1,]", "[1, 2]"},
                    Case{"{a: 1, \"b c\": [],}", "{a: 1, \"b c\": []}"}, Case{"principal", "User::\"alice\""},
                    Case{"context.deep", "{x: \"y\"}"}, Case{"resource[\"odd name\"]", "true"}));

INSTANTIATE_TEST_SUITE_P(
    ShortCircuits, Evaluates,
    testing::Values(Case{"false && 1 == 1 + 9223372036854775807", "false"},
                    Case{"true || context.missing", "true"}, Case{"if true then 1 else context.missing", "1"},
                    Case{"false && 1", "false"}, Case{"true || 1", "true"},
                    Case{"true && 1", "error: expected a Bool, found a value of type Long"},
                    Case{"1 && false", "error: expected a Bool, found a value of type Long"},
                    Case{"false || \"\"", "error: expected a Bool, found a value of type String"},
                    Case{"if 1 then 2 else 3", "error: expected a Bool, found a value of type Long"},
                    Case{"!1", "error: expected a Bool after `!`, found a value of type Long"}));

INSTANTIATE_TEST_SUITE_P(
    Arithmetic, Evaluates,
    testing::Values(
        Case{"2 + 3 * 4 - 1", "13"}, Case{"10 - 3 - 2", "5"}, Case{"-(3)", "-3"},
        Case{"9223372036854775807 + 1", "error: 9223372036854775807 + 1 overflows"},
        Case{"-9223372036854775808 - 1", "error: -9223372036854775808 - 1 overflows"},
        Case{"4611686018427387904 * 2", "error: 4611686018427387904 * 2 overflows"},
        Case{"-(-9223372036854775808)", "error: -(-9223372036854775808) overflows"},
        Case{"1 + \"1\"", "error: expected a Long on both sides of `+`, found a value of type String"},
        Case{"1 < 2", "true"}, Case{"2 <= 1", "false"}, Case{"2 > 1", "true"}, Case{"1 >= 2", "false"},
        Case{"datetime(\"2024-01-01\") < datetime(\"2024-01-02\")", "true"},
        Case{"duration(\"1h\") >= duration(\"60m\")", "true"},
        Case{
            "1 < \"2\"",
            "error: expected values of one type on both sides of a comparison, found a value of type String"},
        Case{
            "\"a\" < \"b\"",
            "error: expected a Long, a datetime or a duration in a comparison, found a value of type String"},
        Case{"decimal(\"1.0\") < decimal(\"2.0\")",
             "error: expected a Long, a datetime or a duration in a comparison, found a value of type "
             "decimal"}));

INSTANTIATE_TEST_SUITE_P(
    Equality, Evaluates,
    testing::Values(Case{"1 == \"1\"", "false"}, Case{"1 != true", "true"},
                    Case{"[1, 2] == [2, 1, 2]", "true"}, Case{"{a: 1, b: 2} == {b: 2, a: 1}", "true"},
                    Case{"{a: 1} == {a: 1, b: 2}", "false"}, Case{"User::\"x\" == Group::\"x\"", "false"},
                    Case{"ip(\"10.0.0.1\") == ip(\"10.0.0.1/24\")", "false"},
                    Case{"decimal(\"1.0\") == decimal(\"1.00\")", "true"},
                    Case{"duration(\"1d\") == duration(\"24h\")", "true"}, Case{"[] == {}", "false"}));

INSTANTIATE_TEST_SUITE_P(
    Membership, Evaluates,
    testing::Values(
        Case{"principal in Group::\"all\"", "true"}, Case{"Ghost::\"x\" in Ghost::\"x\"", "true"},
        Case{"principal in Ghost::\"x\"", "false"}, Case{"principal in []", "false"},
        Case{"principal in [Group::\"none\", Group::\"all\"]", "true"},
        Case{"principal in [Group::\"all\", 1]",
             "error: expected only entities in the set after `in`, found a value of type Long"},
        Case{"principal in 1",
             "error: expected an entity or a set of entities after `in`, found a value of type Long"},
        Case{"1 in principal", "error: expected an entity before `in`, found a value of type Long"},
        Case{"principal is User", "true"}, Case{"principal is Group", "false"},
        Case{"principal is User in Group::\"all\"", "true"}, Case{"principal is Group in 1", "false"},
        Case{"principal is User in 1",
             "error: expected an entity or a set of entities after `in`, found a value of type Long"},
        Case{"1 is User", "error: expected an entity before `is`, found a value of type Long"},
        Case{"[1, 2].contains(1)", "true"}, Case{"[1, 2].containsAll([2, 2])", "true"},
        Case{"[1, 2].containsAny([3])", "false"}, Case{"[].isEmpty()", "true"},
        Case{"[[1], 2].contains([1])", "true"}, Case{"[context.n].contains(7)", "true"},
        Case{"1 .contains(1)",
             "error: expected a Set before contains, containsAll or containsAny, found a value of type Long"},
        Case{"[1].containsAll(1)",
             "error: expected a Set as the argument of containsAll or containsAny, found a value of type "
             "Long"}));

INSTANTIATE_TEST_SUITE_P(
    Attributes, Evaluates,
    testing::Values(
        Case{"principal.age", "30"},
        Case{"principal.missing", "error: User::\"alice\" has no attribute \"missing\""},
        Case{"User::\"nobody\".age", "error: nothing is known of User::\"nobody\""},
        Case{"User::\"nobody\" has age", "false"}, Case{"principal has age", "true"},
        Case{"principal has address.city", "true"}, Case{"principal has address.zip.code", "false"},
        Case{"principal has manager.age", "false"},
        Case{"principal has age.x",
             "error: expected an entity or a record before `has`, found a value of type Long"},
        Case{"resource has \"odd name\"", "true"}, Case{"{a: {b: 1}} has a.b", "true"},
        Case{"1 has a", "error: expected an entity or a record before `has`, found a value of type Long"},
        Case{"context.missing", "error: the record has no attribute \"missing\""},
        Case{"principal.address.city", "\"Bern\""},
        Case{"1 .a",
             "error: expected an entity or a record with the attribute \"a\", found a value of type Long"}));

INSTANTIATE_TEST_SUITE_P(
    Tags, Evaluates,
    testing::Values(
        Case{"principal.hasTag(\"team\")", "true"}, Case{"principal.getTag(\"team\")", "\"blue\""},
        Case{"principal.getTag(if true then \"a b\" else \"\")", "1"},  // names may be computed
        Case{"principal.getTag(\"x\")", "error: User::\"alice\" has no tag \"x\""},
        Case{"User::\"nobody\".hasTag(\"x\")", "false"},
        Case{"User::\"nobody\".getTag(\"x\")", "error: nothing is known of User::\"nobody\""},
        Case{"principal.hasTag(1)",
             "error: expected a String as the argument of getTag or hasTag, found a value of type Long"}));

INSTANTIATE_TEST_SUITE_P(
    Patterns, Evaluates,
    testing::Values(Case{"\"a*b\" like \"a\\*b\"", "true"}, Case{"\"axb\" like \"a\\*b\"", "false"},
                    Case{"\"axxb\" like \"a*b\"", "true"}, Case{"\"\" like \"*\"", "true"},
                    Case{"\"\" like \"\"", "true"}, Case{"\"ab\" like \"a*ab\"", "false"},
                    Case{"\"a.c\" like \"a?c\"", "false"}, Case{"\"éx\" like \"é*\"", "true"},
                    Case{"\"abcabc\" like \"*b*b*\"", "true"}, Case{"\"abc\" like \"*b*b*\"", "false"},
                    Case{"1 like \"*\"",
                         "error: expected a String before `like`, found a value of type Long"}));

INSTANTIATE_TEST_SUITE_P(
    Extensions, Evaluates,
    testing::Values(
        Case{"decimal(\"-0.5\").lessThan(decimal(\"0.0\"))", "true"},
        Case{"decimal(\"1.5\").greaterThanOrEqual(decimal(\"1.5\"))", "true"},
        Case{"decimal(\"1\")",
             "error: decimal takes text such as \"12.34\": digits on both sides of the point, at most four "
             "after it"},
        Case{"decimal(1)", "error: decimal takes a value of type String, not Long"},
        Case{"decimal(\"1.0\", \"2.0\")", "error: decimal takes 1 argument(s), not 2"},
        Case{"decimal(\"1.0\").lessThan(1)", "error: lessThan takes a value of type decimal, not Long"},
        Case{"ip(\"10.1.2.3\").isInRange(ip(\"10.0.0.0/8\"))", "true"},
        Case{"ip(\"::1\").isLoopback()", "true"}, Case{"ip(\"10.0.0.1\").isIpv6()", "false"},
        Case{"ip(\"224.0.0.1\").isMulticast()", "true"},
        Case{"datetime(\"2024-01-01\").offset(duration(\"-1ms\")).toTime()", "duration(\"86399999ms\")"},
        Case{"datetime(\"2024-01-02\").durationSince(datetime(\"2024-01-01\")).toHours()", "24"},
        Case{"datetime(\"2024-01-01T10:00:00Z\").toDate() == datetime(\"2024-01-01\")", "true"},
        Case{"duration(\"-90s\").toMinutes()", "-1"}, Case{"duration(\"1d\").toMilliseconds()", "86400000"},
        Case{"duration(\"49h\").toDays()", "2"}, Case{"duration(\"1500ms\").toSeconds()", "1"},
        Case{"datetime(\"9999-12-31\").offset(duration(\"106751991167d\"))", "error: offset overflows"}));

TEST(Matching, IsLinearForEachPart) {
  Pattern pattern{""};
  for (int i = 0; i < 50; ++i) pattern.push_back(std::string(2'000, 'a') + "b");
  pattern.push_back("");
  EXPECT_FALSE(matches(pattern, std::string(1 << 20, 'a')));
}

}  // namespace
}  // namespace holdfast::policy
