#include "base/encoding.h"

#include <gtest/gtest.h>

namespace holdfast::base {
namespace {

TEST(Hex, RoundTripsEveryByte) {
  Bytes all(256);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint8_t>(i);
  EXPECT_EQ(hex_decode(hex_encode(all)).value(), all);
  EXPECT_EQ(hex_decode("DEADbeef").value(), (Bytes{0xde, 0xad, 0xbe, 0xef}));
}

TEST(Hex, RefusesOddLengthAndStrangers) {
  EXPECT_FALSE(hex_decode("abc"));
  EXPECT_FALSE(hex_decode("0g"));
  EXPECT_FALSE(hex_decode("0x"));
}

struct Base64Vector {
  std::string_view plain;
  std::string_view encoded;
};

// RFC 4648, section 10.
constexpr Base64Vector kVectors[] = {{"", ""},
                                     {"f", "Zg=="},
                                     {"fo", "Zm8="},
                                     {"foo", "Zm9v"},
                                     {"foob", "Zm9vYg=="},
                                     {"fooba", "Zm9vYmE="},
                                     {"foobar", "Zm9vYmFy"}};

TEST(Base64, AgreesWithTheStandardsVectors) {
  for (const auto& [plain, encoded] : kVectors) {
    EXPECT_EQ(base64_encode(as_bytes(plain)), encoded);
    EXPECT_EQ(as_text(base64_decode(encoded).value()), plain);
    const auto bare = encoded.substr(0, encoded.find('='));
    EXPECT_EQ(base64_encode(as_bytes(plain), Base64::kRaw), bare);
    EXPECT_EQ(as_text(base64_decode(bare, Base64::kRaw).value()), plain);
  }
}

TEST(Base64, UrlVariantHasItsOwnAlphabet) {
  const Bytes bytes{0xfb, 0xff, 0xfe};
  EXPECT_EQ(base64_encode(bytes), "+//+");
  EXPECT_EQ(base64_encode(bytes, Base64::kUrl), "-__-");
  EXPECT_FALSE(base64_decode("-__-"));
  EXPECT_FALSE(base64_decode("+//+", Base64::kUrl));
}

TEST(Base64, HasOneTextForEachValue) {
  for (const auto* text : {"Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Z g=", "Zg==\n", "=", "====", "Zg==Zg=="}) {
    EXPECT_FALSE(base64_decode(text)) << text;
  }
  for (const auto* text : {"Z", "Zh", "Zg==", "Zm9vY"})
    EXPECT_FALSE(base64_decode(text, Base64::kRaw)) << text;
}

}  // namespace
}  // namespace holdfast::base
