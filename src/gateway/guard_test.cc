#include "gateway/guard.h"

#include <fmt/format.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

namespace holdfast::gateway {
namespace {

using base::ErrorCode;
using data::ColumnType;
using model::Datatype;
using model::Tensor;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

data::Schema schema() {
  return {.columns = {
              {.name = "age", .type = ColumnType::kInteger, .range = data::Range{20, 70}},
              {.name = "income", .type = ColumnType::kReal, .nullable = true, .range = data::Range{0, 1000}},
              {.name = "grade", .type = ColumnType::kCategorical, .categories = {"1", "10", "2"}},
              {.name = "owner", .type = ColumnType::kBoolean},
              {.name = "town", .type = ColumnType::kCategorical, .categories = {"bern", "oslo"}}}};
}

model::Signature signature() {
  return {.inputs = {{.name = "x", .datatype = Datatype::kFp64, .shape = {-1, 4}},
                     {.name = "town", .datatype = Datatype::kString, .shape = {-1}}},
          .outputs = {}};
}

Guard guard(GuardRules rules = {}) {
  return Guard::create(signature(), schema(),
                       {{"x", {"age", "income", "grade", "owner"}}, {"town", {"town"}}}, std::move(rules))
      .value();
}

std::vector<Tensor> rows(const std::vector<double>& values, const std::vector<std::string>& towns) {
  const auto count = static_cast<std::int64_t>(towns.size());
  return {model::make_tensor<double>("x", {count, 4}, values),
          model::make_string_tensor("town", {count}, towns)};
}

std::string refusal(const Guard& guard, const std::vector<Tensor>& inputs) {
  const auto outcome = guard.check(inputs);
  return outcome ? "it was taken" : outcome.error().message;
}

TEST(GuardTest, RowsLikeThoseOfTrainingPass) {
  const auto outcome = guard().check(rows({30, 500, 10, 1, 70, kMissing, 2, 0}, {"bern", "oslo"})).value();
  EXPECT_TRUE(outcome.flags.empty());
  EXPECT_EQ(outcome.flagged, 0U);
}

TEST(GuardTest, EachRefusalNamesThePlaceAndTheRemedy) {
  EXPECT_THAT(refusal(guard(), rows({30, 1, 1, 1, kMissing, 1, 1, 1}, {"bern", "bern"})),
              HasSubstr("input \"x\", row 1, feature \"age\": the value is missing"));
  EXPECT_THAT(refusal(guard(), rows({30, HUGE_VAL, 1, 1}, {"bern"})),
              HasSubstr("feature \"income\": the value is infinite"));
  EXPECT_THAT(
      refusal(guard(), rows({30, 1, 3, 1}, {"bern"})),
      HasSubstr("feature \"grade\": \"3\" is a category that training has not seen; there are 1, 10, 2"));
  EXPECT_THAT(refusal(guard(), rows({30, 1, 1, 2}, {"bern"})),
              HasSubstr("feature \"owner\": 2 is neither true nor false"));
  EXPECT_THAT(refusal(guard(), rows({30.5, 1, 1, 1}, {"bern"})), HasSubstr("30.5 is not an integer"));
  EXPECT_THAT(refusal(guard(), rows({30, 1, 1, 1}, {"rome"})),
              HasSubstr("input \"town\", row 0, feature \"town\": \"rome\" is a category"));
  EXPECT_THAT(refusal(guard(), rows({30, 1, 1, 1}, {""})), HasSubstr("missing"));
}

TEST(GuardTest, OutsideTrainingIsFlaggedBeyondTheMargin) {
  EXPECT_EQ(guard().check(rows({75, 1, 1, 1}, {"bern"})).value().flagged, 0U);
  const auto outcome = guard().check(rows({76, 1, 1, 1}, {"bern"})).value();
  ASSERT_EQ(outcome.flags.size(), 1U);
  EXPECT_EQ(outcome.flags[0].rule, GuardRule::kOutsideTraining);
  EXPECT_EQ(outcome.flags[0].feature, "age");
  EXPECT_THAT(outcome.flags[0].message, HasSubstr("76 is outside 15 to 75"));
  EXPECT_EQ(guard({.margin = 0}).check(rows({71, 1, 1, 1}, {"bern"})).value().flagged, 1U);
}

TEST(GuardTest, TheEndpointDecidesWhatARuleDoes) {
  GuardRules strict{.actions = {{GuardRule::kOutsideTraining, GuardAction::kRefuse}}};
  EXPECT_THAT(refusal(guard(strict), rows({76, 1, 1, 1}, {"bern"})), HasSubstr("check the unit"));
  GuardRules lax{.actions = {{GuardRule::kUnknownCategory, GuardAction::kFlag},
                             {GuardRule::kMissing, GuardAction::kIgnore}}};
  const auto outcome = guard(lax).check(rows({kMissing, 1, 3, 1}, {"rome"})).value();
  EXPECT_EQ(outcome.flagged, 2U);
}

TEST(GuardTest, LimitsOfTheOwnerComeFirst) {
  const Guard limited = guard({.limits = {{"age", {18, 100}}}});
  EXPECT_THAT(refusal(limited, rows({17, 1, 1, 1}, {"bern"})),
              HasSubstr("17 is outside the limits of this endpoint, 18 to 100"));
  EXPECT_EQ(limited.check(rows({99, 1, 1, 1}, {"bern"})).value().flagged, 0U);
}

TEST(GuardTest, FlagsAreBounded) {
  std::vector<double> values;
  std::vector<std::string> towns;
  for (int i = 0; i < 100; ++i) {
    values.insert(values.end(), {1000, 1, 1, 1});
    towns.emplace_back("bern");
  }
  const auto outcome = guard().check(rows(values, towns)).value();
  EXPECT_EQ(outcome.flags.size(), Guard::kMaxFlags);
  EXPECT_EQ(outcome.flagged, 100U);
}

TEST(GuardTest, WithoutColumnsOnlyNumbersAreAskedFor) {
  const Guard none;
  EXPECT_TRUE(none.check(rows({1e300, -5, 3, 7}, {"rome"})).has_value());
  EXPECT_THAT(refusal(none, rows({1, kMissing, 1, 1}, {"x"})),
              HasSubstr("input \"x\", row 1: the value is missing"));
}

TEST(GuardTest, RowsComeBackAsTheTextsOfTheirColumns) {
  const auto inputs = rows({30, 500.5, 10, 1, 70, kMissing, 2, 0}, {"bern", "oslo"});
  EXPECT_EQ(Guard::row_count(inputs), 2U);
  const Guard made = guard();
  std::vector<std::string> cells;
  for (const auto& row : made.rows(inputs)) {
    for (const auto& cell : row) cells.push_back(fmt::format("{}={}", cell.column, cell.value));
  }
  EXPECT_THAT(cells, ElementsAre("age=30", "income=500.5", "grade=10", "owner=true", "town=bern", "age=70",
                                 "income=", "grade=2", "owner=false", "town=oslo"));
  EXPECT_TRUE(Guard().rows(inputs).at(1).empty());
}

TEST(GuardTest, WhatDoesNotFitTheModelIsNotMade) {
  const auto message = [](std::vector<InputColumns> inputs, GuardRules rules = {}) {
    const auto made = Guard::create(signature(), schema(), inputs, std::move(rules));
    return made ? "it was made" : made.error().message;
  };
  EXPECT_THAT(message({{"y", {"age"}}}), HasSubstr("no input \"y\""));
  EXPECT_THAT(message({{"x", {"age", "income"}}}), HasSubstr("does not hold 2 columns"));
  EXPECT_THAT(message({{"x", {"age", "income", "grade", "size"}}}), HasSubstr("column \"size\""));
  EXPECT_THAT(message({{"x", {"age", "income", "grade", "town"}}}),
              HasSubstr("FP64 can't hold column \"town\""));
  EXPECT_THAT(message({{"town", {"age"}}}), HasSubstr("BYTES can't hold column \"age\""));
  EXPECT_THAT(message({{"town", {"town"}}, {"town", {"town"}}}), HasSubstr("given twice"));
  EXPECT_THAT(message({{"town", {"town"}}}, {.limits = {{"age", {1, 2}}}}),
              HasSubstr("limits of column \"age\", which no input holds"));
  EXPECT_THAT(message({{"town", {"town"}}}, {.limits = {{"town", {2, 1}}}}), HasSubstr("leave nothing"));
  EXPECT_THAT(message({{"town", {"town"}}}, {.margin = -1}), HasSubstr("margin"));
}

}  // namespace
}  // namespace holdfast::gateway
