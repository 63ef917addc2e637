#include "policy/entity_json.h"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::policy {
namespace {

const Schema& schema() {
  static const Schema kSchema = *Schema::parse(R"(
      entity Group;
      entity User in [Group] { manager?: User, home?: ipaddr, born?: Set<datetime>, at?: { limit: decimal } } tags duration;
      action all;
      action read in all appliesTo { principal: User, resource: User, context: { who: User, since?: datetime } };)");
  return kSchema;
}

// One entity's attribute "x" as Cedar text, or why it was refused.
std::string read_attribute(const std::string& json) {
  const auto store =
      parse_entities(R"([{"uid": {"type": "T", "id": "t"}, "parents": [], "attrs": {"x": )" + json + "}}]");
  if (!store) return store.error().message;
  return store->find(EntityUid("T", "t"))->attributes.find("x")->to_cedar();
}

TEST(EntityJson, ReadsEveryKindOfValue) {
  EXPECT_EQ(read_attribute("true"), "true");
  EXPECT_EQ(read_attribute("-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(read_attribute("\"a\\u00e9\""), "\"aé\"");
  EXPECT_EQ(read_attribute("[1, 2, 1]"), "[1, 2]");
  EXPECT_EQ(read_attribute(R"({"a": {"b": []}})"), "{a: {b: []}}");
  EXPECT_EQ(read_attribute(R"({"__entity": {"type": "A::B", "id": "c"}})"), "A::B::\"c\"");
  EXPECT_EQ(read_attribute(R"({"__extn": {"fn": "decimal", "arg": "1.5"}})"), "decimal(\"1.5000\")");
  EXPECT_EQ(read_attribute(R"({"__extn": {"fn": "offset", "args": [
                {"__extn": {"fn": "datetime", "arg": "1970-01-01"}}, {"__extn": {"fn": "duration", "arg": "1d"}}]}})"),
            "datetime(\"1970-01-02T00:00:00.000Z\")");
  EXPECT_EQ(read_attribute(R"({"type": "User", "id": "a"})"),
            "{id: \"a\", type: \"User\"}");  // no schema: a record
}

TEST(EntityJson, SaysWhatIsWrongWithAValue) {
  const std::string where = "T::\"t\": attribute \"x\": ";
  EXPECT_EQ(read_attribute("null"), where + "Cedar has no null; leave the attribute out");
  EXPECT_EQ(read_attribute("1.5"), where +
                                       "Cedar has whole numbers alone; use a decimal: {\"__extn\": {\"fn\": "
                                       "\"decimal\", \"arg\": \"0.5\"}}");
  EXPECT_EQ(read_attribute("9223372036854775808"), where + "a number does not fit into 64 bits");
  EXPECT_EQ(read_attribute(R"({"__expr": "1"})"),
            where + "__expr is no longer part of Cedar; write __entity or __extn");
  EXPECT_EQ(read_attribute(R"({"__entity": {"type": "A B", "id": ""}})"),
            where + "\"A B\" is not the name of an entity type");
  EXPECT_EQ(read_attribute(R"({"__extn": {"fn": "f", "arg": ""}})"), where + "there is no function \"f\"");
  EXPECT_EQ(read_attribute(R"({"__extn": {"fn": "decimal"}})"),
            where + "__extn needs the member \"arg\" or the list \"args\"");
  EXPECT_EQ(read_attribute(R"({"a": {"b": null}})"),
            where + "attribute \"a\": attribute \"b\": Cedar has no null; leave the attribute out");
}

TEST(EntityJson, SaysWhatIsWrongWithAnEntity) {
  const auto message = [](std::string_view json) {
    const auto store = parse_entities(json);
    return store ? std::string("accepted") : store.error().message;
  };
  EXPECT_EQ(message("{}"), "entities must be a list");
  EXPECT_EQ(message("[1]"), "an entity must be an object");
  EXPECT_EQ(message(R"([{"uid": "User", "attrs": {}, "parents": []}])"),
            "uid: an entity is written {\"type\": \"User\", \"id\": \"alice\"}");
  EXPECT_EQ(message(R"([{"uid": {"type": "User", "id": "a"}, "attrs": {}}])"),
            "an entity needs the member \"parents\"");
  EXPECT_EQ(message(R"([{"uid": {"type": "User", "id": "a"}, "attrs": {}, "parents": [], "owner": 1}])"),
            "an entity has an unknown member \"owner\"");
  EXPECT_EQ(message(R"([{"uid": {"type": "User", "id": "a"}, "attrs": [], "parents": []}])"),
            "User::\"a\": attrs must be an object");
  EXPECT_EQ(message(R"([{"uid": {"type": "User", "id": "a"}, "attrs": {}, "parents": [{}]}])"),
            "User::\"a\", parents: an entity is written {\"type\": \"User\", \"id\": \"alice\"}");
  EXPECT_EQ(
      message(
          R"([{"uid": {"__entity": {"type": "User", "id": "a"}}, "attrs": {}, "parents": [], "tags": {"t": null}}])"),
      "User::\"a\", tag \"t\": Cedar has no null; leave the attribute out");
  EXPECT_EQ(message(R"([{"uid": {"type": "User", "id": "a"}, "attrs": {"x": 1, "x": 2}, "parents": []}])"),
            "cannot read the JSON text: the member \"x\" stands twice");
}

TEST(EntityJson, ReadsImplicitFormsWhereTheSchemaExpectsThem) {
  const auto store = parse_entities(R"([{"uid": {"type": "User", "id": "a"}, "parents": [],
      "attrs": {"manager": {"type": "User", "id": "b"}, "home": "10.0.0.1", "born": ["2024-01-01"],
                "at": {"limit": {"fn": "decimal", "arg": "1.0"}}},
      "tags": {"t": "1h"}}])",
                                    &schema());
  ASSERT_TRUE(store.has_value()) << store.error().message;
  const Entity* user = store->find(EntityUid("User", "a"));
  EXPECT_EQ(Value(user->attributes).to_cedar(),
            "{at: {limit: decimal(\"1.0000\")}, born: [datetime(\"2024-01-01T00:00:00.000Z\")], "
            "home: ip(\"10.0.0.1/32\"), manager: User::\"b\"}");
  EXPECT_EQ(user->tags.find("t")->to_cedar(), "duration(\"3600000ms\")");
}

TEST(EntityJson, AddsTheActionsOfTheSchema) {
  const auto store = parse_entities("[]", &schema());
  ASSERT_TRUE(store.has_value());
  EXPECT_TRUE(store->is_in(EntityUid("Action", "read"), EntityUid("Action", "all")));
  EXPECT_EQ(store->size(), 2U);
}

TEST(RequestJson, ReadsBothFormsOfAnEntity) {
  const auto request =
      parse_request(R"({"principal": "User::\"a\"", "action": {"type": "Action", "id": "read"},
      "resource": {"__entity": {"type": "User", "id": "b"}}, "context": {"who": {"type": "User", "id": "c"},
      "since": "2024-01-01"}})",
                    &schema());
  ASSERT_TRUE(request.has_value()) << request.error().message;
  EXPECT_EQ(request->principal(), EntityUid("User", "a"));
  EXPECT_EQ(Value(request->context()).to_cedar(),
            "{since: datetime(\"2024-01-01T00:00:00.000Z\"), who: User::\"c\"}");
}

TEST(RequestJson, SaysWhatIsWrong) {
  const auto message = [](std::string_view json) {
    const auto request = parse_request(json);
    return request ? std::string("accepted") : request.error().message;
  };
  EXPECT_EQ(message(R"({"principal": "User::\"a\""})"), "a request needs the member \"action\"");
  EXPECT_EQ(message(R"({"principal": "User", "action": "A::\"b\"", "resource": "R::\"r\""})"),
            "principal: 1:5: expected `::` and the id of an entity in quotes, found the end of the text");
  EXPECT_EQ(message(R"({"principal": "U::\"a\" x", "action": "A::\"b\"", "resource": "R::\"r\""})"),
            "principal: 1:8: expected the end of the text, found `x`");
  EXPECT_EQ(
      message(R"({"principal": "U::\"a\"", "action": "A::\"b\"", "resource": "R::\"r\"", "context": []})"),
      "context: the context must be an object");
}

TEST(EntityJson, RefusesEveryTruncationAndDeepNesting) {
  const std::string text =
      R"([{"uid": {"type": "T", "id": "t"}, "parents": [], "attrs": {"x": [1, {"a": "b"}]}}])";
  for (std::size_t length = 0; length < text.size(); ++length) {
    EXPECT_FALSE(parse_entities(text.substr(0, length)).has_value()) << length;
  }
  EXPECT_EQ(read_attribute(std::string(100'000, '[')),
            "cannot read the JSON text: it is nested deeper than 64");
}

}  // namespace
}  // namespace holdfast::policy
