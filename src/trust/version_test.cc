#include "trust/version.h"

#include <gtest/gtest.h>

namespace holdfast::trust {
namespace {

ArtefactVersion version(std::string_view text) {
  auto parsed = ArtefactVersion::parse(text);
  EXPECT_TRUE(parsed) << text;
  return *std::move(parsed);
}

// The chain is the example of Semantic Versioning 2.0.0, section 11.4.4, and what we allow beyond it.
TEST(ArtefactVersion, OrdersAsSemanticVersioningDoes) {
  const char* const rising[] = {"0",
                                "0.9",
                                "1.0.0-alpha",
                                "1.0.0-alpha.1",
                                "1.0.0-alpha.beta",
                                "1.0.0-beta",
                                "1.0.0-beta.2",
                                "1.0.0-beta.11",
                                "1.0.0-rc.1",
                                "1.0.0",
                                "1.0.0.1",
                                "1.2",
                                "1.10",
                                "2",
                                "10",
                                "2026.11.23",
                                "18446744073709551615"};
  for (std::size_t i = 0; i < std::size(rising); ++i) {
    for (std::size_t j = 0; j < std::size(rising); ++j) {
      EXPECT_EQ(version(rising[i]) <=> version(rising[j]), i <=> j) << rising[i] << " and " << rising[j];
    }
  }
}

TEST(ArtefactVersion, TakesNumbersLeftOutForZero) {
  EXPECT_EQ(version("1"), version("1.0.0"));
  EXPECT_EQ(version("1.4-rc"), version("1.4.0-rc"));
  EXPECT_EQ(version("1.4").text(), "1.4");
}

TEST(ArtefactVersion, RefusesWhatHasNoOrder) {
  for (const char* text : {"", "v1", "1.", ".1", "1..2", "01", "1.0+build", "1.0-", "1.0-a..b", "1.0-01",
                           "1.0-ä", "1 ", "latest", "18446744073709551616", "1.2.3.4.5.6.7.8.9", "-1"}) {
    const auto parsed = ArtefactVersion::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, base::ErrorCode::kInvalidArgument);
  }
  EXPECT_FALSE(ArtefactVersion::parse(std::string(ArtefactVersion::kMaxBytes + 1, '1')));
}

}  // namespace
}  // namespace holdfast::trust
