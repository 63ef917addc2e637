#include "policy/extension_decimal.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace holdfast::policy {
namespace {

TEST(Decimal, ReadsTheWholeRange) {
  EXPECT_EQ(Decimal::parse("1.0")->ten_thousandths, 10'000);
  EXPECT_EQ(Decimal::parse("01.10")->ten_thousandths, 11'000);
  EXPECT_EQ(Decimal::parse("0.0001")->ten_thousandths, 1);
  EXPECT_EQ(Decimal::parse("922337203685477.5807")->ten_thousandths,
            std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(Decimal::parse("-922337203685477.5808")->ten_thousandths,
            std::numeric_limits<std::int64_t>::min());
}

// A sign before a zero whole part is easily lost (cedar-policy/cedar issue 1964).
TEST(Decimal, KeepsTheSignOfASmallNegativeNumber) {
  EXPECT_EQ(Decimal::parse("-0.5")->ten_thousandths, -5'000);
  EXPECT_LT(*Decimal::parse("-0.0001"), *Decimal::parse("0.0"));
  EXPECT_EQ(Decimal::parse("-0.0"), Decimal::parse("0.0"));
}

TEST(Decimal, RefusesOtherTexts) {
  for (const char* text : {"",
                           "1",
                           "1.",
                           ".5",
                           "-.5",
                           "-",
                           "--1.0",
                           "+1.0",
                           "1.00001",
                           "1.0.0",
                           "1,0",
                           "1.5e3",
                           " 1.0",
                           "1.0 ",
                           "0x1.0",
                           "1_0.0",
                           "1.0_",
                           "\xD9\xA1.0",
                           "922337203685477.5808",
                           "-922337203685477.5809",
                           "9999999999999999999999.0"}) {
    EXPECT_FALSE(Decimal::parse(text).has_value()) << text;
  }
}

TEST(Decimal, PrintsWhatItReads) {
  for (const char* text : {"0.0000", "-0.5000", "12.3400", "922337203685477.5807", "-922337203685477.5808"}) {
    EXPECT_EQ(Decimal::parse(text)->text(), text);
  }
}

}  // namespace
}  // namespace holdfast::policy
