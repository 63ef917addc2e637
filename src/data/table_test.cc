#include "data/table.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <cmath>

#include "data/csv_text.h"

namespace holdfast::data {
namespace {

using testing::HasSubstr;

const Schema kSchema{{{.name = "age", .type = ColumnType::kInteger},
                      {.name = "income", .type = ColumnType::kReal, .nullable = true},
                      {.name = "student", .type = ColumnType::kBoolean, .nullable = true},
                      {.name = "job",
                       .type = ColumnType::kCategorical,
                       .nullable = true,
                       .categories = {"clerk", "cook", "teacher"}},
                      {.name = "note", .type = ColumnType::kText, .nullable = true}}};

constexpr std::string_view kRows =
    "note,job,age,student,income\n"
    "x,cook,23,true,1200.5\n"
    ",NA,41,false,7\n"
    "z,teacher,9223372036854775807,,\n";

TEST(Table, HoldsTypedColumnsInTheSchemasOrder) {
  const Table table = table_of(kRows, kSchema).value();
  EXPECT_EQ(table.rows(), 3U);
  EXPECT_EQ(std::get<Table::Integers>(table.values(0)), (Table::Integers{23, 41, INT64_MAX}));
  const auto& income = std::get<Table::Reals>(table.values(1));
  EXPECT_EQ(income[0], 1200.5);
  EXPECT_EQ(income[1], 7);
  EXPECT_TRUE(std::isnan(income[2]));
  EXPECT_EQ(std::get<Table::Codes>(table.values(2)), (Table::Codes{1, 0, Table::kMissingCode}));
  EXPECT_EQ(std::get<Table::Codes>(table.values(3)), (Table::Codes{1, Table::kMissingCode, 2}));
  EXPECT_EQ(std::get<Table::Texts>(table.values(4)), (Table::Texts{"x", "", "z"}));
}

std::string why_not(std::string_view rows) {
  const auto table = table_of(rows, kSchema);
  return table ? "it was read" : table.error().message;
}

TEST(Table, NamesLineAndColumnOfWhatDoesNotFit) {
  const auto one = [](std::string_view row) {
    return why_not("age,income,student,job,note\n1,1,true,cook,\n" + std::string(row) + "\n");
  };
  EXPECT_EQ(one("2.5,1,true,cook,"), "line 3: \"2.5\" in column \"age\" is no integer");
  EXPECT_THAT(one(",1,true,cook,"), HasSubstr("in column \"age\" is missing"));
  EXPECT_THAT(one("2,rich,true,cook,"), HasSubstr("in column \"income\" is no number"));
  EXPECT_THAT(one("2,1,1,cook,"), HasSubstr("in column \"student\" is neither"));
  EXPECT_THAT(one("2,1,true,Cook,"), HasSubstr("in column \"job\" is a category"));
  EXPECT_THAT(one("-9223372036854775808,1,true,cook,"), HasSubstr("stands for a missing one"));
  EXPECT_THAT(one("2,1,true"), HasSubstr("3"));
}

TEST(Table, AsksForTheSchemasColumns) {
  EXPECT_THAT(why_not("age,income,student,job\n"), HasSubstr("lacks the column \"note\""));
  EXPECT_THAT(why_not("age,income,student,job,note,more\n"), HasSubstr("a column \"more\""));
  EXPECT_THAT(why_not("age,age,income,student,job,note\n"), HasSubstr("two columns"));
  EXPECT_THAT(why_not(""), HasSubstr("empty"));
  EXPECT_EQ(table_of("age,income,student,job,note\n", kSchema)->rows(), 0U);
}

TEST(FeatureMatrix, IsRowByRow) {
  const Table table = table_of(kRows, kSchema).value();
  const Matrix codes = feature_matrix(table, std::vector<std::string>{"job", "age"}, Encoding::kCode).value();
  EXPECT_EQ(codes.column_names, (std::vector<std::string>{"job", "age"}));
  ASSERT_EQ(codes.values.size(), 6U);
  EXPECT_EQ(codes.values[0], 1);
  EXPECT_EQ(codes.values[1], 23);
  EXPECT_TRUE(std::isnan(codes.values[2]));
  EXPECT_EQ(codes.values[3], 41);

  const Matrix one_hot =
      feature_matrix(table, std::vector<std::string>{"student", "job"}, Encoding::kOneHot).value();
  EXPECT_EQ(one_hot.column_names,
            (std::vector<std::string>{"student", "job=clerk", "job=cook", "job=teacher"}));
  EXPECT_EQ(one_hot.columns, 4U);
  EXPECT_EQ(std::vector<float>(one_hot.values.begin(), one_hot.values.begin() + 8),
            (std::vector<float>{1, 0, 1, 0, 0, 0, 0, 0}));
  EXPECT_TRUE(std::isnan(one_hot.values[8]));
  EXPECT_EQ(one_hot.values[11], 1);
}

TEST(FeatureMatrix, RefusesWhatIsNoFeature) {
  const Table table = table_of(kRows, kSchema).value();
  EXPECT_EQ(feature_matrix(table, std::vector<std::string>{"height"}, Encoding::kCode).error().code,
            base::ErrorCode::kNotFound);
  EXPECT_EQ(feature_matrix(table, std::vector<std::string>{"note"}, Encoding::kCode).error().code,
            base::ErrorCode::kUnsupported);
  EXPECT_EQ(feature_matrix(table, {}, Encoding::kCode)->columns, 0U);
}

}  // namespace
}  // namespace holdfast::data
