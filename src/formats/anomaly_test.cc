#include "formats/anomaly.h"

#include <gtest/gtest.h>

#include "formats/entry_names.h"

namespace holdfast::formats {
namespace {

TEST(Anomalies, OneKindCantCrowdOutAnother) {
  Anomalies anomalies;
  for (std::uint32_t i = 0; i < 2 * Anomalies::kMaxPerKind; ++i) anomalies.add(AnomalyKind::kGap, i, "gap");
  anomalies.add(AnomalyKind::kOverlap, 7, "overlap");
  EXPECT_EQ(anomalies.items().size(), Anomalies::kMaxPerKind + 1);
  EXPECT_EQ(anomalies.items().back().kind, AnomalyKind::kOverlap);
  EXPECT_EQ(anomalies.count(AnomalyKind::kGap), 2 * Anomalies::kMaxPerKind);
  EXPECT_EQ(anomalies.count(AnomalyKind::kPrefixData), 0U);
}

TEST(Anomalies, EachKindHasANameOfItsOwn) {
  for (std::size_t a = 0; a < kAnomalyKinds; ++a) {
    EXPECT_NE(to_string(static_cast<AnomalyKind>(a)), "unknown");
    for (std::size_t b = 0; b < a; ++b) {
      EXPECT_NE(to_string(static_cast<AnomalyKind>(a)), to_string(static_cast<AnomalyKind>(b)));
    }
  }
}

TEST(Quote, ShowsUntrustedTextAsPrintableAscii) {
  EXPECT_EQ(quote("name"), "\"name\"");
  EXPECT_EQ(quote("a\"b\\c\x1B[31m\xFF"), "\"a\\x22b\\x5cc\\x1b[31m\\xff\"");
  EXPECT_EQ(quote(std::string(200, 'x')), "\"" + std::string(kMaxQuotedBytes, 'x') + "...\"");
}

// Unicode 15, table 3-7, its edges.
TEST(Utf8, TakesWellFormedTextAlone) {
  for (const std::string_view good :
       {"", "a", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBF",
        "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(is_utf8(good)) << quote(good);
  }
  for (const std::string_view bad : {"\x80", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x41", "\xE0\x9F\xBF",
                                     "\xE1\x80", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80",
                                     "\xF5\x80\x80\x80", "\xFF", "\xE1\x80\x41", "a\xF0\x90\x80"}) {
    EXPECT_FALSE(is_utf8(bad)) << quote(bad);
  }
}

}  // namespace
}  // namespace holdfast::formats
