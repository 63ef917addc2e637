#include "base/json.h"

#include <gmock/gmock-matchers.h>

#include <nlohmann/json.hpp>

namespace holdfast::base {
namespace {

using testing::HasSubstr;

TEST(ParseJson, ReadsWhatTheStandardAllows) {
  const auto value = parse_json(R"({"a": [1, -2, 2.5, "\u00e9", true, null], "b": {}})").value();
  EXPECT_EQ(value["a"][1], -2);
  EXPECT_EQ(value["a"][3], "é");
  EXPECT_EQ(value["a"].size(), 6U);
  EXPECT_TRUE(value["b"].is_object());
}

TEST(ParseJson, RefusesAMemberThatStandsTwice) {
  const auto twice = parse_json(R"({"sub": "a", "x": {"sub": 1}, "sub": "b"})");
  ASSERT_FALSE(twice);
  EXPECT_THAT(twice.error().message, HasSubstr("\"sub\" stands twice"));
}

TEST(ParseJson, BoundsDepthWithoutRecursion) {
  EXPECT_TRUE(parse_json(std::string(64, '[') + std::string(64, ']')));
  const auto deep = parse_json(std::string(1'000'000, '['));
  ASSERT_FALSE(deep);
  EXPECT_THAT(deep.error().message, HasSubstr("deeper than 64"));
}

TEST(ParseJson, BoundsSizeAndNumbers) {
  EXPECT_EQ(parse_json("[1,2,3]", {.max_bytes = 6}).error().code, ErrorCode::kLimitExceeded);
  EXPECT_FALSE(parse_json("1e999"));
}

TEST(ParseJson, RefusesEveryTruncation) {
  const std::string whole = R"({"a":[1,"x",{"b":null}]})";
  ASSERT_TRUE(parse_json(whole));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(parse_json(whole.substr(0, length))) << length;
  }
  EXPECT_FALSE(parse_json(whole + "x"));
}

TEST(CanonicalJson, SortsByUtf16AndLeavesNoSpace) {
  // U+FB33 sorts after U+1F600 in UTF-16 (RFC 8785, section 3.2.3), before it in UTF-8.
  const nlohmann::json value{{"\ufb33", 1}, {"\U0001F600", 2}, {"b", {3, "x\n"}}, {"a", nullptr}};
  EXPECT_EQ(canonical_json(value).value(), "{\"a\":null,\"b\":[3,\"x\\n\"],\"\U0001F600\":2,\"\ufb33\":1}");
}

TEST(CanonicalJson, RefusesWhatHasNoOneForm) {
  EXPECT_EQ(canonical_json(nlohmann::json{{"x", 1.5}}).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(canonical_json(nlohmann::json{"\xff"}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(canonical_json(nlohmann::json{{"\xff", 1}}).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace holdfast::base
