#include "data/schema.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

namespace holdfast::data {
namespace {

using testing::HasSubstr;

constexpr std::string_view kJson =
    R"({"columns":[{"categories":["no","yes"],"name":"student","nullable":false,"type":"categorical"},)"
    R"({"maximum":"90","minimum":"17.5","name":"age","nullable":true,"sensitive":"age","type":"real"},)"
    R"({"name":"note","nullable":false,"type":"text"}],"version":1})";

TEST(Schema, HasOneCanonicalForm) {
  const Schema schema = parse_schema(kJson).value();
  EXPECT_EQ(to_json(schema), kJson);
  ASSERT_NE(schema.find("age"), nullptr);
  EXPECT_EQ(schema.find("age")->range, (Range{17.5, 90}));
  EXPECT_EQ(schema.find("age")->sensitive, Sensitive::kAge);
  EXPECT_EQ(schema.find("height"), nullptr);
}

TEST(Schema, RefusesEveryTruncation) {
  for (std::size_t size = 0; size < kJson.size(); ++size)
    EXPECT_FALSE(parse_schema(kJson.substr(0, size)).has_value());
}

std::string column(std::string_view members) {
  return R"({"columns":[{"name":"x","nullable":false,)" + std::string(members) + R"(}],"version":1})";
}

std::string why_not(const std::string& json) {
  const auto schema = parse_schema(json);
  return schema ? "it was read" : schema.error().message;
}

TEST(Schema, NamesWhatIsWrong) {
  EXPECT_THAT(why_not(column(R"("type":"number")")),
              HasSubstr(R"("type" of column 0 of the schema is none of)"));
  EXPECT_THAT(why_not(column(R"("type":"text","size":3)")),
              HasSubstr(R"("size" of column 0 of the schema is not known)"));
  EXPECT_THAT(why_not(column(R"("type":"text","minimum":"1","maximum":"2")")), HasSubstr("is not known"));
  EXPECT_THAT(why_not(column(R"("type":"real","minimum":"1")")),
              HasSubstr(R"("maximum" of column 0 of the schema is missing)"));
  EXPECT_THAT(why_not(column(R"("type":"real","minimum":"3","maximum":"2")")), HasSubstr("over the maximum"));
  for (const char* number : {"1.0", "+1", "inf", "nan", "0x1", " 1", "-0", ""}) {
    EXPECT_THAT(why_not(column(R"("type":"real","maximum":"2","minimum":")" + std::string(number) + '"')),
                HasSubstr("shortest form"))
        << number;
  }
  EXPECT_THAT(why_not(column(R"("type":"real","minimum":1,"maximum":"2")")), HasSubstr("is no text"));
  EXPECT_THAT(why_not(column(R"("type":"categorical","categories":[])")), HasSubstr("is empty"));
  EXPECT_THAT(why_not(column(R"("type":"categorical","categories":["b","a"])")), HasSubstr("not sorted"));
  EXPECT_THAT(why_not(column(R"("type":"categorical","categories":["a","a"])")), HasSubstr("twice"));
  EXPECT_THAT(why_not(column(R"("type":"categorical","categories":[1])")), HasSubstr("no text"));
  EXPECT_THAT(why_not(column(R"("type":"text","sensitive":"secret")")),
              HasSubstr("no kind of sensitive column"));
  EXPECT_THAT(why_not(R"({"columns":[],"version":1})"), HasSubstr("1 to 2048 columns"));
  EXPECT_THAT(why_not(R"({"columns":[3],"version":1})"), HasSubstr("no JSON object"));
  EXPECT_THAT(why_not(R"({"columns":[],"version":2})"), HasSubstr("is not 1"));
  EXPECT_THAT(why_not(R"([])"), HasSubstr("the schema is no JSON object"));
  const std::string twice = R"({"name":"x","nullable":true,"type":"text"})";
  EXPECT_THAT(why_not(R"({"columns":[)" + twice + "," + twice + R"(],"version":1})"),
              HasSubstr("two columns"));
}

TEST(Schema, IsBounded) {
  std::string categories;
  for (std::size_t i = 0; i <= kMaxCategories; ++i)
    categories += (i == 0 ? "\"" : ",\"") + std::to_string(10'000 + i) + '"';
  EXPECT_THAT(why_not(column(R"("type":"categorical","categories":[)" + categories + "]")),
              HasSubstr("more than 256"));
  EXPECT_THAT(why_not(column(R"("type":"categorical","categories":[")" + std::string(257, 'x') + "\"]")),
              HasSubstr("at most 256 bytes"));
  EXPECT_FALSE(check_column_names({std::string(kMaxColumnNameBytes + 1, 'n')}).has_value());
  EXPECT_FALSE(check_column_names({"a", ""}).has_value());
  EXPECT_FALSE(check_column_names({"\xFF"}).has_value());
  EXPECT_FALSE(check_column_names({}).has_value());
}

}  // namespace
}  // namespace holdfast::data
