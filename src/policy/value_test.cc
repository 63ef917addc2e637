#include "policy/value.h"

#include <gtest/gtest.h>

namespace holdfast::policy {
namespace {

TEST(EntityUid, IsItsTypeAndItsId) {
  EXPECT_EQ(EntityUid("User", "alice"), EntityUid("User", "alice"));
  EXPECT_EQ(EntityUid("User", "alice").hash(), EntityUid("User", "alice").hash());
  EXPECT_NE(EntityUid("User", "alice"), EntityUid("User", "Alice"));
  EXPECT_NE(EntityUid("A::User", "alice"), EntityUid("B::User", "alice"));
  EXPECT_EQ(EntityUid("A::User", "a\"b\n\x01").text(), R"(A::User::"a\"b\n\u{1}")");
}

TEST(TypeName, IsAPathOfIdentifiers) {
  for (const char* name : {"User", "_", "A::B1::C_", "principal", "permit", "Set"})
    EXPECT_TRUE(is_type_name(name)) << name;
  for (const char* name :
       {"", "::A", "A::", "A:B", "A::::B", "1A", "A-B", "A B", " A", "in", "A::if", "__cedar::A", "é"}) {
    EXPECT_FALSE(is_type_name(name)) << name;
  }
}

TEST(Record, FindsByNameAndKeepsTheLastOfEqualNames) {
  const Record record({{"b", Value::integer(1)}, {"a", Value::integer(2)}, {"b", Value::integer(3)}});
  ASSERT_EQ(record.fields().size(), 2U);
  EXPECT_EQ(*record.find("b")->as_integer(), 3);
  EXPECT_EQ(*record.find("a")->as_integer(), 2);
  EXPECT_EQ(record.find("c"), nullptr);
  EXPECT_EQ(record, Record({{"a", Value::integer(2)}, {"b", Value::integer(3)}}));
  EXPECT_EQ(Record(), Record(std::vector<Field>()));
}

TEST(ValueSet, HasNoOrderAndNoCopies) {
  const auto set = [](std::vector<Value> elements) { return ValueSet(std::move(elements)); };
  const Value one = Value::integer(1);
  const Value text = Value::text("1");
  EXPECT_EQ(set({one, text, one}), set({text, one}));
  EXPECT_NE(set({one}), set({text}));
  EXPECT_TRUE(set({one, text}).contains(text));
  EXPECT_FALSE(set({one}).contains(Value::boolean(true)));
  EXPECT_TRUE(set({one, text}).contains_all(set({})));
  EXPECT_FALSE(set({one}).contains_all(set({one, text})));
  EXPECT_TRUE(set({one, text}).contains_any(set({text})));
  EXPECT_FALSE(set({}).contains_any(set({})));
  EXPECT_EQ(Value(set({Value(set({})), one})), Value(set({one, Value(set({}))})));
}

TEST(Value, OfDifferentKindsIsNeverEqual) {
  const std::vector<Value> values{
      Value::boolean(false), Value::integer(0), Value::text("0"),  Value(EntityUid("T", "0")),
      Value::set({}),        Value(Record()),   Value(Decimal{0}), Value(*IpAddress::parse("0.0.0.0")),
      Value(Datetime{0}),    Value(Duration{0})};
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t j = 0; j < values.size(); ++j)
      EXPECT_EQ(values[i] == values[j], i == j) << i << ", " << j;
  }
}

TEST(Value, PrintsAsCedar) {
  const Value value(Record({{"b c", Value::set({Value::integer(-1), Value::boolean(true)})},
                            {"a", Value(Decimal{12'345})},
                            {"if", Value(EntityUid("User", "x"))}}));
  EXPECT_EQ(value.to_cedar(), R"({a: decimal("1.2345"), "b c": [true, -1], "if": User::"x"})");
  EXPECT_EQ(Value(Duration{5}).to_cedar(), R"(duration("5ms"))");
  EXPECT_EQ(Value(*IpAddress::parse("10.0.0.0/8")).to_cedar(), R"(ip("10.0.0.0/8"))");
}

TEST(Value, IsCutWhereItGetsLong) {
  EXPECT_EQ(Value::text("abcdef").to_cedar(4), "\"abc…");
  EXPECT_EQ(Value::text("aé").to_cedar(3), "\"a…");  // not inside a code point
  const Value many = Value::set(std::vector<Value>(1, Value::text(std::string(1000, 'x'))));
  EXPECT_LE(many.to_cedar(20).size(), 20 + std::string_view("…").size());
}

}  // namespace
}  // namespace holdfast::policy
