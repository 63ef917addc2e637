#include "policy/extension_datetime.h"

#include <gtest/gtest.h>

#include <limits>

namespace holdfast::policy {
namespace {

constexpr std::int64_t kDay = 86'400'000;
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

TEST(Datetime, ReadsItsFiveForms) {
  EXPECT_EQ(Datetime::parse("1970-01-02")->milliseconds, kDay);
  EXPECT_EQ(Datetime::parse("2024-02-29T12:30:45Z")->milliseconds, 1'709'209'845'000);
  EXPECT_EQ(Datetime::parse("2024-02-29T12:30:45.678Z")->milliseconds, 1'709'209'845'678);
  EXPECT_EQ(Datetime::parse("2024-02-29T14:00:45+0130"), Datetime::parse("2024-02-29T12:30:45Z"));
  EXPECT_EQ(Datetime::parse("2024-02-29T12:30:45.678-0000"), Datetime::parse("2024-02-29T12:30:45.678Z"));
  EXPECT_EQ(Datetime::parse("0000-01-01")->milliseconds, -62'167'219'200'000);
  EXPECT_EQ(Datetime::parse("9999-12-31T23:59:59.999-2359")->milliseconds,
            253'402'300'799'999 + kDay - 60'000);
}

TEST(Datetime, RefusesOtherTexts) {
  for (const char* text : {"",
                           "2024",
                           "2024-1-01",
                           "2024-02-30",
                           "2023-02-29",
                           "2024-13-01",
                           "2024-00-01",
                           "24-01-01",
                           "02024-01-01",
                           "2024-01-01T",
                           "2024-01-01 00:00:00Z",
                           "2024-01-01T24:00:00Z",
                           "2024-01-01T00:60:00Z",
                           "2024-12-31T23:59:60Z",
                           "2024-01-01T00:00:00",
                           "2024-01-01T00:00:00z",
                           "2024-01-01T00:00:00.1Z",
                           "2024-01-01T00:00:00.1234Z",
                           "2024-01-01T00:00:00+01:00",
                           "2024-01-01T00:00:00+2400",
                           "2024-01-01T00:00:00+0060",
                           "2024-01-01T00:00:00ZZ",
                           "2024-01-01T1:00:00Z",
                           "-024-01-01",
                           "2024-01-01T00:00:00+010"}) {
    EXPECT_FALSE(Datetime::parse(text).has_value()) << text;
  }
}

TEST(Datetime, SplitsIntoDateAndTimeAlsoBefore1970) {
  const Datetime before = *Datetime::parse("1969-12-31T23:00:00Z");
  EXPECT_EQ(*before.date(), *Datetime::parse("1969-12-31"));
  EXPECT_EQ(before.time().milliseconds, 23 * 3'600'000);
  EXPECT_EQ(Datetime{-kDay}.time().milliseconds, 0);
  EXPECT_EQ(Datetime{-kDay}.date()->milliseconds, -kDay);
  EXPECT_EQ(Datetime{kDay + 5}.date()->milliseconds, kDay);
}

TEST(Datetime, SaysWhenItOverflows) {
  EXPECT_EQ(Datetime{kMax - 1}.offset({1})->milliseconds, kMax);
  EXPECT_FALSE(Datetime{kMax}.offset({1}).has_value());
  EXPECT_FALSE(Datetime{kMin}.since({1}).has_value());
  EXPECT_EQ(Datetime{kMax}.since({kMax})->milliseconds, 0);
  EXPECT_FALSE(Datetime{kMin}.date().has_value());  // its day begins before the smallest value
}

TEST(Datetime, PrintsAnExpressionForEveryValue) {
  EXPECT_EQ(Datetime::parse("2024-02-29T12:30:45.678Z")->text(), "datetime(\"2024-02-29T12:30:45.678Z\")");
  EXPECT_EQ(Datetime{-1}.text(), "datetime(\"1969-12-31T23:59:59.999Z\")");
  EXPECT_EQ(Datetime{-62'167'219'200'000}.text(), "datetime(\"0000-01-01T00:00:00.000Z\")");
  EXPECT_EQ(Datetime{kMin}.text(), "datetime(\"1970-01-01\").offset(duration(\"-9223372036854775808ms\"))");
}

TEST(Duration, AddsUpItsUnits) {
  EXPECT_EQ(Duration::parse("1d2h3m4s5ms")->milliseconds, kDay + 7'384'005);
  EXPECT_EQ(Duration::parse("-1d1h")->milliseconds, -25 * 3'600'000);
  EXPECT_EQ(Duration::parse("1m1ms")->milliseconds, 60'001);
  EXPECT_EQ(Duration::parse("90m")->milliseconds, 5'400'000);
  EXPECT_EQ(Duration::parse("-9223372036854775808ms")->milliseconds, kMin);
  EXPECT_EQ(Duration::parse("106751991167d")->milliseconds, 106'751'991'167 * kDay);
}

TEST(Duration, RefusesOtherTexts) {
  for (const char* text : {"", "-", "1", "d", "1x", "1h1d", "1d1d", "1ms1s", "1 d", "+1h", "1.5h", "--1h",
                           "1d-1h", "1D", "106751991168d", "9223372036854775808ms", "99999999999999999999s",
                           "106751991167d9223372036854775807ms"}) {
    EXPECT_FALSE(Duration::parse(text).has_value()) << text;
  }
}

TEST(Duration, PrintsWhatItReads) {
  for (const std::int64_t value : {std::int64_t{0}, kMin, kMax, std::int64_t{-5}}) {
    EXPECT_EQ(Duration::parse(Duration{value}.text())->milliseconds, value);
  }
}

}  // namespace
}  // namespace holdfast::policy
