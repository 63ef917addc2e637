#include "base/time.h"

#include <gtest/gtest.h>

namespace holdfast::base {
namespace {

TEST(Timestamp, ReadsAndWritesRfc3339) {
  EXPECT_EQ(Timestamp::parse("1970-01-01T00:00:00Z").value().microseconds(), 0);
  EXPECT_EQ(Timestamp::parse("2000-02-29T12:34:56.789Z").value().microseconds(), 951'827'696'789'000);
  EXPECT_EQ(Timestamp::parse("2000-02-29T12:34:56.000001Z").value().text(), "2000-02-29T12:34:56.000001Z");
  EXPECT_EQ(Timestamp::parse("1969-12-31T23:59:59Z").value().text(), "1969-12-31T23:59:59Z");
}

TEST(Timestamp, TakesAZoneAndWritesUtc) {
  EXPECT_EQ(Timestamp::parse("2026-03-29T02:30:00+02:00").value().text(), "2026-03-29T00:30:00Z");
  EXPECT_EQ(Timestamp::parse("2026-12-31T23:30:00-01:00").value().text(), "2027-01-01T00:30:00Z");
}

TEST(Timestamp, RefusesWhatIsNoTime) {
  for (const auto* text :
       {"", "2026-11-23", "2026-11-23T12:00:00", "2026-11-23 12:00:00Z", "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T12:60:00Z", "2026-11-23T12:00:60Z",
        "2026-11-23T12:00:00.Z", "2026-11-23T12:00:00.1234567Z", "2026-11-23T12:00:00+24:00",
        "2026-11-23T12:00:00Zx", "0000-01-01T00:00:00Z"}) {
    EXPECT_FALSE(Timestamp::parse(text)) << text;
  }
}

}  // namespace
}  // namespace holdfast::base
