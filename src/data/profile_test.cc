#include "data/profile.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include "data/csv_text.h"

namespace holdfast::data {
namespace {

using testing::HasSubstr;

constexpr std::string_view kLoans =
    "id,age,income,student,job,default,note,contact\n"
    "1,23,1200.5,true,clerk,0,likes trains,a@example.org\n"
    "2,41,,false,clerk,1,\"pays, late\",b@example.org\n"
    "3,35,3100,false,teacher,0,,c@example.org\n"
    "4,58,2800.25,true,teacher,0,moved twice,d@example.org\n";

TEST(Profile, InfersASchema) {
  const Profile profile = profile_of(kLoans).value();
  const Schema schema = profile.schema();
  ASSERT_EQ(schema.columns.size(), 8U);
  EXPECT_EQ(*schema.find("id"), (Column{.name = "id", .type = ColumnType::kInteger, .range = Range{1, 4}}));
  EXPECT_EQ(*schema.find("age"), (Column{.name = "age",
                                         .type = ColumnType::kInteger,
                                         .range = Range{23, 58},
                                         .sensitive = Sensitive::kAge}));
  EXPECT_EQ(
      *schema.find("income"),
      (Column{.name = "income", .type = ColumnType::kReal, .nullable = true, .range = Range{1200.5, 3100}}));
  EXPECT_EQ(*schema.find("student"), (Column{.name = "student", .type = ColumnType::kBoolean}));
  EXPECT_EQ(*schema.find("job"),
            (Column{.name = "job", .type = ColumnType::kCategorical, .categories = {"clerk", "teacher"}}));
  EXPECT_EQ(*schema.find("note"), (Column{.name = "note", .type = ColumnType::kText, .nullable = true}));
  EXPECT_EQ(*schema.find("contact"),
            (Column{.name = "contact", .type = ColumnType::kText, .sensitive = Sensitive::kEmail}));
  EXPECT_EQ(parse_schema(to_json(schema)).value(), schema);
}

TEST(Profile, CountsAndMeasures) {
  const Profile profile = profile_of(kLoans).value();
  EXPECT_EQ(profile.rows(), 4U);
  const ColumnProfile& income = *profile.find("income");
  EXPECT_EQ(income.missing, 1U);
  EXPECT_EQ(income.integers, 1U);
  EXPECT_EQ(income.reals, 2U);
  EXPECT_DOUBLE_EQ(income.numbers.moments.mean(), 7100.75 / 3);
  EXPECT_EQ(profile.find("student")->numbers.moments.mean(), .5);
  EXPECT_NEAR(profile.find("job")->distinct.estimate(), 2, .01);
  EXPECT_EQ(profile.find("job")->values.items().front(), (stats::FrequentItems::Item{"clerk", 2}));
}

TEST(Profile, OneOddValueChangesTheType) {
  EXPECT_EQ(profile_of("x\n1\n2\n2.5\n")->schema().columns[0].type, ColumnType::kReal);
  EXPECT_EQ(profile_of("x\n1\n1\n2\n2\nb\nb\n")->schema().columns[0].type, ColumnType::kCategorical);
  EXPECT_EQ(profile_of("x\n1\n2\nb\n")->schema().columns[0].type, ColumnType::kText)
      << "values do not repeat";
  EXPECT_EQ(profile_of("x\n\n\n")->schema().columns[0].type, ColumnType::kText)
      << "nothing but missing values";
  EXPECT_EQ(profile_of("x\n\xFF\n\xFF\n")->schema().columns[0].type, ColumnType::kText) << "not UTF-8";
  EXPECT_EQ(profile_of("x\n007\n007\n")->schema().columns[0].categories, std::vector<std::string>{"007"});
}

TEST(Profile, ManyCategoriesAreText) {
  std::string csv = "x\n";
  for (int i = 0; i < 1200; ++i) csv += "c" + std::to_string(i % 300) + "\n";
  EXPECT_EQ(profile_of(csv)->schema().columns[0].type, ColumnType::kText);
}

TEST(Profile, ShardsInAnyOrderAreOnePassBitForBit) {
  const auto row = [](int i) {
    return std::to_string(i * 7919 % 200) + "," + std::to_string(i % 17 - 8) + "." +
           std::to_string(i % 9 + 1) + "," + (i % 5 == 0 ? "" : "job" + std::to_string(i % 40)) + "\n";
  };
  std::string whole = "id,amount,job\n";
  std::vector<std::string> shards(5, whole);
  for (int i = 0; i < 400; ++i) {
    whole += row(i);
    shards[static_cast<std::size_t>(i * 3 % 5)] += row(i);
  }
  Profile merged = profile_of(shards[4]).value();
  for (const std::size_t shard : {2U, 0U, 3U, 1U})
    ASSERT_TRUE(merged.merge(profile_of(shards[shard]).value()).has_value());
  const Profile one_pass = profile_of(whole).value();
  EXPECT_EQ(merged, one_pass);
  EXPECT_EQ(to_json(merged), to_json(one_pass));
}

TEST(Profile, OtherColumnsDoNotMerge) {
  Profile profile = profile_of("a,b\n1,2\n").value();
  EXPECT_FALSE(profile.merge(profile_of("b,a\n1,2\n").value()).has_value());
  EXPECT_FALSE(profile.merge(profile_of("a\n1\n").value()).has_value());
}

TEST(Profile, ReadsWhatItWrote) {
  const Profile profile = profile_of(kLoans).value();
  const std::string json = to_json(profile);
  const Profile again = parse_profile(json).value();
  EXPECT_EQ(again, profile);
  EXPECT_EQ(to_json(again), json);
}

TEST(Profile, RefusesCountsThatDoNotAddUp) {
  const std::string json = to_json(profile_of("x\n1\n2\n").value());
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string changed = json;
    changed.replace(changed.find(from), from.size(), to);
    const auto profile = parse_profile(changed);
    return profile ? std::string("it was read") : profile.error().message;
  };
  EXPECT_THAT(with(R"("rows":2)", R"("rows":3)"), HasSubstr("are not the rows"));
  EXPECT_THAT(with(R"("integers":2)", R"("integers":-2)"), HasSubstr("is no count"));
  EXPECT_THAT(with(R"("integers":2,)", R"("integers":1,)"), HasSubstr("are not the rows"));
  EXPECT_THAT(with(R"("texts":0)", R"("texts":0,"extra":1)"), HasSubstr("is not known"));
  EXPECT_THAT(with(R"("histogram":"S)", R"("histogram":"T)"), HasSubstr("the histogram is damaged"));
  EXPECT_THAT(with(R"("look_sensitive":{})", R"("look_sensitive":{"age":3})"),
              HasSubstr("a count that can't be"));
  EXPECT_THAT(with(R"("version":1)", R"("version":9)"), HasSubstr("is not 1"));
}

TEST(Profile, NeedsAHeader) {
  EXPECT_FALSE(profile_of("").has_value());
  EXPECT_FALSE(profile_of("a,a\n").has_value());
  EXPECT_FALSE(profile_of("a,b\n1\n").has_value());
  EXPECT_EQ(profile_of("a,b\n")->rows(), 0U);
}

TEST(Profile, OfSomeColumnsIsWhatAPassOverThemTells) {
  auto whole = Profile::create({"a", "b", "c"}).value();
  auto some = Profile::create({"c", "a"}).value();
  for (const std::string_view value : {"1", "2", "x"}) {
    const std::string_view record[] = {value, "7", "no"};
    whole.add(record);
    const std::string_view fewer[] = {"no", value};
    some.add(fewer);
  }
  EXPECT_EQ(whole.only({"c", "a"}).value(), some);
  EXPECT_EQ(whole.only({"d"}).error().code, base::ErrorCode::kNotFound);
}

}  // namespace
}  // namespace holdfast::data
