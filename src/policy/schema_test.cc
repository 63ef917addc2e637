#include "policy/schema.h"

#include <gtest/gtest.h>

#include <string>

#include "policy/entity_json.h"
#include "policy/validator.h"

namespace holdfast::policy {
namespace {

Schema schema(std::string_view text) {
  auto parsed = Schema::parse(text);
  EXPECT_TRUE(parsed.has_value()) << parsed.error().message;
  return parsed ? *std::move(parsed) : Schema();
}

std::string attribute(const Schema& schema, std::string_view type, const std::string& name) {
  const EntityType* entity = schema.find_entity_type(type);
  if (entity == nullptr || !entity->attributes.contains(name)) return "none";
  return to_string(*entity->attributes.at(name).type);
}

TEST(Schema, ResolvesTheNearestName) {
  const Schema names = schema(R"(
      type Text = String;
      entity Outer;
      namespace A {
        type ipaddr = { inner: __cedar::ipaddr };
        entity String { a: Text, b: ipaddr, c: String, d: __cedar::String, e: Outer, f: B::Thing, g: Set<Long>, h: Action };
        entity Bool;
        type Bool2 = Bool;
        entity User { x: Bool2 };
        action go;
      }
      namespace B { entity Thing { a: A::String, b: Bool, c: ipaddr, d: A::ipaddr }; })");
  EXPECT_EQ(attribute(names, "A::String", "a"), "String");
  EXPECT_EQ(attribute(names, "A::String", "b"), "{inner: ipaddr}");
  EXPECT_EQ(attribute(names, "A::String", "c"), "A::String");
  EXPECT_EQ(attribute(names, "A::String", "d"), "String");
  EXPECT_EQ(attribute(names, "A::String", "e"), "Outer");
  EXPECT_EQ(attribute(names, "A::String", "f"), "B::Thing");
  EXPECT_EQ(attribute(names, "A::String", "g"), "Set<Long>");
  EXPECT_EQ(attribute(names, "A::String", "h"), "A::Action");
  EXPECT_EQ(attribute(names, "A::User", "x"), "A::Bool");
  EXPECT_EQ(attribute(names, "B::Thing", "a"), "A::String");
  EXPECT_EQ(attribute(names, "B::Thing", "b"), "Bool");
  EXPECT_EQ(attribute(names, "B::Thing", "c"), "ipaddr");
  EXPECT_EQ(attribute(names, "B::Thing", "d"), "{inner: ipaddr}");
}

TEST(Schema, KnowsAncestorsOfTypesAndActions) {
  const Schema tree = schema(R"(
      entity A in [B]; entity B in C; entity C in [C]; entity D;
      action x in [y]; action y in z; action z;
      namespace N { action w in [Action::"z"]; })");
  EXPECT_TRUE(tree.may_be_in("A", "C"));
  EXPECT_TRUE(tree.may_be_in("D", "D"));
  EXPECT_FALSE(tree.may_be_in("C", "A"));
  EXPECT_FALSE(tree.may_be_in("D", "A"));
  EXPECT_TRUE(tree.find_action(EntityUid("Action", "x"))->ancestors.contains(EntityUid("Action", "z")));
  EXPECT_TRUE(tree.find_action(EntityUid("N::Action", "w"))->ancestors.contains(EntityUid("Action", "z")));
  EXPECT_TRUE(tree.may_be_in("N::Action", "Action"));
  EXPECT_TRUE(tree.may_exist(EntityUid("Action", "x")));
  EXPECT_FALSE(tree.may_exist(EntityUid("Action", "q")));
}

TEST(Schema, TakesAnnotationsTrailingCommasAndSeveralNames) {
  const Schema taken = schema(R"(
      @doc("x") @flag namespace N {
        @doc("e") entity A, B = { @doc("a") a?: Long, "b c": Set<Set<Bool>>, };
        @doc("t") type T = {};
        action "one", two appliesTo { principal: [A, B], resource: A, context: T, } attributes {};
      })");
  EXPECT_EQ(taken.entity_types().size(), 2U);
  EXPECT_EQ(attribute(taken, "N::B", "b c"), "Set<Set<Bool>>");
  EXPECT_EQ(taken.find_action(EntityUid("N::Action", "two"))->principals.size(), 2U);
}

TEST(Schema, ReadsItsJsonForm) {
  const auto json = Schema::parse_json(R"({"N": {
      "commonTypes": {"T": {"type": "Record", "attributes": {"a": {"type": "Long", "required": false}}}},
      "entityTypes": {
        "A": {"memberOfTypes": ["A"], "shape": {"type": "Record", "attributes": {
                "p": {"type": "Boolean"}, "q": {"type": "Set", "element": {"type": "Entity", "name": "A"}},
                "r": {"type": "Extension", "name": "decimal"}, "s": {"type": "T"},
                "t": {"type": "EntityOrCommon", "name": "String"}}}, "tags": {"type": "String"}},
        "E": {"enum": ["x"]}},
      "actions": {"all": {}, "go": {"memberOf": [{"id": "all"}],
         "appliesTo": {"principalTypes": ["A"], "resourceTypes": ["N::E"], "context": {"type": "T"}}}}}})");
  ASSERT_TRUE(json.has_value()) << json.error().message;
  EXPECT_EQ(attribute(*json, "N::A", "p"), "Bool");
  EXPECT_EQ(attribute(*json, "N::A", "q"), "Set<N::A>");
  EXPECT_EQ(attribute(*json, "N::A", "r"), "decimal");
  EXPECT_EQ(attribute(*json, "N::A", "s"), "{a?: Long}");
  EXPECT_EQ(attribute(*json, "N::A", "t"), "String");
  const ActionType* go = json->find_action(EntityUid("N::Action", "go"));
  ASSERT_NE(go, nullptr);
  EXPECT_TRUE(go->resources.contains("N::E"));
  EXPECT_TRUE(go->ancestors.contains(EntityUid("N::Action", "all")));
  EXPECT_TRUE(json->may_exist(EntityUid("N::E", "x")));
  EXPECT_FALSE(json->may_exist(EntityUid("N::E", "y")));
}

TEST(Schema, SaysWhatIsWrongInJson) {
  const auto message = [](const std::string& entity) {
    const auto json = Schema::parse_json(R"({"": {"actions": {}, "entityTypes": {"A": )" + entity + "}}}");
    return json ? std::string("accepted") : json.error().message;
  };
  EXPECT_EQ(message(R"({"shape": {"type": "Record"}})"),
            "entity type \"A\".shape needs the member \"attributes\"");
  EXPECT_EQ(message(R"({"shape": {"type": "Long"}})"), "entity type A: its shape must be a record, not Long");
  EXPECT_EQ(message(R"({"attrs": {}})"), "entity type \"A\" has an unknown member \"attrs\"");
  EXPECT_EQ(message(R"({"enum": []})"), "entity type \"A\".enum must list an id at least");
  EXPECT_EQ(message(R"({"tags": {"type": "Set"}})"), "entity type \"A\".tags needs the member \"element\"");
  EXPECT_EQ(message(R"({"memberOfTypes": ["B C"]})"),
            "entity type \"A\".memberOfTypes: \"B C\" is not the name of a type");
  EXPECT_EQ(message(R"({"shape": {"type": "Record", "attributes": {}, "additionalAttributes": true}})"),
            "entity type \"A\".shape: attributes beyond those declared are not supported; leave "
            "\"additionalAttributes\" out");
  EXPECT_EQ(Schema::parse_json(R"({"N": {"actions": {}}})").error().message,
            "namespace \"N\" needs the member \"entityTypes\"");
}

// A few lines whose types would fill the memory if written out.
TEST(Schema, RefusesTypesThatGrowWithoutEnd) {
  std::string doubling = "type T0 = { a: Long, b: Long };\n";
  for (int i = 1; i < 60; ++i) {
    doubling += "type T" + std::to_string(i) + " = { a: T" + std::to_string(i - 1) + ", b: T" +
                std::to_string(i - 1) + " };\n";
  }
  EXPECT_EQ(Schema::parse(doubling).error().code, base::ErrorCode::kLimitExceeded);

  std::string chain = "type T0 = Long;\n";
  for (int i = 1; i < 10'000; ++i) {
    chain += "type T" + std::to_string(i) + " = Set<T" + std::to_string(i - 1) + ">;\n";
  }
  EXPECT_EQ(Schema::parse(chain).error().code, base::ErrorCode::kLimitExceeded);

  std::string nested = "type T = ";
  for (int i = 0; i < 100'000; ++i) nested += "Set<";
  EXPECT_EQ(Schema::parse(nested).error().message, "1:410: types are nested deeper than 100");
}

TEST(Schema, RefusesEveryTruncation) {
  const std::string text =
      "namespace N { entity A in [A] = { \"a\"?: Set<Long> } tags String; action b in [c] appliesTo "
      "{ principal: [A], resource: A, context: {} }; action c; }";
  ASSERT_TRUE(Schema::parse(text).has_value());
  for (std::size_t length = 1; length < text.size(); ++length) {
    EXPECT_FALSE(Schema::parse(text.substr(0, length)).has_value()) << length;
  }
}

constexpr std::string_view kApp = R"(
    entity Group;
    entity User in [Group] { age: Long, boss?: User } tags String;
    entity Colour enum ["red"];
    action all;
    action see in all appliesTo { principal: User, resource: [User, Colour], context: { n: Long, c?: Colour } };)";

std::string check_entity(const std::string& json) {
  const Schema app = schema(kApp);
  const auto entities = parse_entities("[" + json + "]", &app);
  if (!entities) return entities.error().message;
  const auto valid = validate_entities(*entities, app);
  return valid ? "valid" : valid.error().message;
}

TEST(Validator, ChecksEntities) {
  const auto user = [](const std::string& attributes, const std::string& parents, const std::string& tags) {
    return check_entity(R"({"uid": {"type": "User", "id": "u"}, "attrs": )" + attributes +
                        R"(, "parents": )" + parents + R"(, "tags": )" + tags + "}");
  };
  EXPECT_EQ(user(R"({"age": 1})", R"([{"type": "Group", "id": "g"}])", R"({"t": "x"})"), "valid");
  EXPECT_EQ(user("{}", "[]", "{}"), "User::\"u\": the attribute \"age\" is missing");
  EXPECT_EQ(user(R"({"age": "1"})", "[]", "{}"),
            "User::\"u\": the attribute \"age\" must be Long, and is \"1\"");
  EXPECT_EQ(user(R"({"age": 1, "x": 1})", "[]", "{}"),
            "User::\"u\": the attribute \"x\" is not in the schema");
  EXPECT_EQ(user(R"({"age": 1, "boss": {"type": "Group", "id": "g"}})", "[]", "{}"),
            "User::\"u\": the attribute \"boss\" must be User, and is Group::\"g\"");
  EXPECT_EQ(user(R"({"age": 1})", R"([{"type": "User", "id": "v"}])", "{}"),
            "User::\"u\": it may not be in User::\"v\"");
  EXPECT_EQ(user(R"({"age": 1})", "[]", R"({"t": 1})"),
            "User::\"u\": the tag \"t\" must be String, and is 1");
  EXPECT_EQ(
      check_entity(R"({"uid": {"type": "Group", "id": "g"}, "attrs": {}, "parents": [], "tags": {"t": 1}})"),
      "Group::\"g\": its type has no tags");
  EXPECT_EQ(check_entity(R"({"uid": {"type": "Ghost", "id": "g"}, "attrs": {}, "parents": []})"),
            "Ghost::\"g\": the schema knows no such entity");
  EXPECT_EQ(check_entity(R"({"uid": {"type": "Colour", "id": "blue"}, "attrs": {}, "parents": []})"),
            "Colour::\"blue\": its id is not one that its enumerated type lists");
}

// `action in Action::"all"` is false without the action's parents, so a forbid on a group of actions would
// not hold.
TEST(Validator, ChecksActions) {
  EXPECT_EQ(check_entity(R"({"uid": {"type": "Action", "id": "see"}, "attrs": {}, "parents": []})"),
            "Action::\"see\": its ancestors are not those of the schema");
  EXPECT_EQ(check_entity(R"({"uid": {"type": "Action", "id": "all"}, "attrs": {"a": 1}, "parents": []})"),
            "Action::\"all\": an action has no attributes and no tags");
  const auto valid = validate_entities(Entities(), schema(kApp));
  ASSERT_FALSE(valid.has_value());
  EXPECT_EQ(valid.error().message, "Action::\"all\": this action of the schema is not among the entities");
}

TEST(Validator, ChecksRequests) {
  const Schema app = schema(kApp);
  const auto check = [&app](const EntityUid& principal, const EntityUid& action, const EntityUid& resource,
                            Record context) {
    const auto valid = validate_request(Request(principal, action, resource, std::move(context)), app);
    return valid ? std::string("valid") : valid.error().message;
  };
  const EntityUid user("User", "u");
  const EntityUid see("Action", "see");
  const Record context({{"n", Value::integer(1)}});
  EXPECT_EQ(check(user, see, user, context), "valid");
  EXPECT_EQ(check(user, see, EntityUid("Colour", "red"), context), "valid");
  EXPECT_EQ(check(user, see, EntityUid("Colour", "blue"), context),
            "Colour::\"blue\": this can't be the resource of Action::\"see\"");
  EXPECT_EQ(check(EntityUid("Group", "g"), see, user, context),
            "Group::\"g\": this can't be the principal of Action::\"see\"");
  EXPECT_EQ(check(user, EntityUid("Action", "hear"), user, context),
            "Action::\"hear\": the schema knows no such action");
  EXPECT_EQ(check(user, EntityUid("Action", "all"), user, context),
            "User::\"u\": this can't be the principal of Action::\"all\"");
  EXPECT_EQ(check(user, see, user, Record()),
            "the context of Action::\"see\": the attribute \"n\" is missing");
  EXPECT_EQ(
      check(user, see, user, Record({{"n", Value::integer(1)}, {"c", Value(EntityUid("Colour", "blue"))}})),
      "the context of Action::\"see\": the attribute \"c\" must be Colour, and is Colour::\"blue\"");
}

}  // namespace
}  // namespace holdfast::policy
