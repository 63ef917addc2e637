#include "data/cell.h"

#include <gtest/gtest.h>

#include <cmath>

namespace holdfast::data {
namespace {

TEST(Cell, TellsKindsApart) {
  for (const char* text : {"", "NA", "na", "NaN", "nan", "NULL", "null", "None", "N/A", "?"}) {
    EXPECT_EQ(read_cell(text).kind, CellKind::kMissing) << text;
  }
  for (const char* text : {"0", "-7", "42", "9223372036854775807", "-0"}) {
    EXPECT_EQ(read_cell(text).kind, CellKind::kInteger) << text;
  }
  for (const char* text :
       {"0.5", "-1.25", "1e6", "1E-3", "9223372036854775808", "0e0", ".5", "-.25", ".5e-3"}) {
    EXPECT_EQ(read_cell(text).kind, CellKind::kReal) << text;
  }
  for (const char* text : {"true", "FALSE", "True"})
    EXPECT_EQ(read_cell(text).kind, CellKind::kBoolean) << text;
  for (const char* text : {"007", " 1", "1 ", "+1", "0x10", "1e999", "inf", "-inf", ".", "-.", ".e5", "-",
                           "1,5", "yes", "none", "n/a", "-nan", "1.5.2"}) {
    EXPECT_EQ(read_cell(text).kind, CellKind::kText) << text;
  }
}

TEST(Cell, GivesTheNumber) {
  EXPECT_EQ(read_cell("-7").number, -7);
  EXPECT_EQ(read_cell("1e3").number, 1000);
  EXPECT_EQ(read_cell("true").number, 1);
  EXPECT_EQ(read_cell("False").number, 0);
  EXPECT_TRUE(std::isnan(read_cell("blue").number));
}

}  // namespace
}  // namespace holdfast::data
