#include "crypto/bech32.h"

#include <gtest/gtest.h>

#include "crypto/test_vectors.h"

namespace holdfast::crypto {
namespace {

using base::Bytes;
using base::ErrorCode;

TEST(Bech32, DecodesTheExamplesOfBip173) {
  for (const auto& vector : read_vectors("bip173_bech32.txt")) {
    if (vector.has("invalid")) {
      EXPECT_FALSE(bech32_decode(vector.text("invalid"))) << vector.text("invalid");
      continue;
    }
    const auto decoded = bech32_decode(vector.text("text"));
    ASSERT_TRUE(decoded.has_value()) << vector.text("text") << ": " << decoded.error().message;
    EXPECT_EQ(decoded->prefix, vector.text("prefix"));
    EXPECT_EQ(base::hex_encode(decoded->data.reveal()), vector.text("data"));
  }
}

TEST(Bech32, RefusesCharactersOutsideAscii) {
  for (const auto* const text : {"\x20"
                                 "1nwldj5",
                                 "\x7f"
                                 "1axkwrx",
                                 "\x80"
                                 "1eym55h",
                                 "de1lg7wt\xff"}) {
    EXPECT_FALSE(bech32_decode(text)) << text;
  }
}

TEST(Bech32, GivesBackWhatItTook) {
  CountingRandom random;
  for (std::size_t size = 0; size < 70; ++size) {
    const Bytes data = random.take(size);
    const auto decoded = bech32_decode(bech32_encode("age", data));
    ASSERT_TRUE(decoded.has_value()) << size;
    EXPECT_EQ(decoded->prefix, "age");
    EXPECT_EQ(Bytes(decoded->data.reveal().begin(), decoded->data.reveal().end()), data);
  }
}

// Bech32 sees each error of up to four characters within 89; we try all of one.
TEST(Bech32, SeesEveryWrongCharacter) {
  const std::string text = bech32_encode("age", CountingRandom().take(32));
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (int c = 0; c < 256; ++c) {
      std::string changed = text;
      changed[at] = static_cast<char>(c);
      EXPECT_EQ(bech32_decode(changed).has_value(), changed == text) << at << " " << c;
    }
    EXPECT_FALSE(bech32_decode(text.substr(0, at))) << at;
  }
}

TEST(Bech32, RefusesMixedCaseAndTakesEither) {
  std::string text = bech32_encode("age", CountingRandom().take(32));
  text[0] = 'A';
  EXPECT_FALSE(bech32_decode(text));
  for (char& c : text) c = static_cast<char>(std::toupper(c));
  const auto decoded = bech32_decode(text);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->prefix, "AGE");
}

TEST(Bech32, RefusesBitsBeyondTheLastByte) {
  const auto whole = bech32_decode("a1lu9cgf6y");  // values 31, 28
  ASSERT_TRUE(whole.has_value());
  EXPECT_EQ(base::hex_encode(whole->data.reveal()), "ff");
  EXPECT_FALSE(bech32_decode("a1llttal5m"));  // values 31, 31: bits set in the padding
  EXPECT_FALSE(bech32_decode("a1q3g6mn3"));   // value 0: padding of a byte that is not there
}

TEST(Bech32, BoundsTheText) {
  const auto decoded = bech32_decode(bech32_encode("age", Bytes(4000)));
  ASSERT_FALSE(decoded.has_value());
  EXPECT_EQ(decoded.error().code, ErrorCode::kLimitExceeded);
}

}  // namespace
}  // namespace holdfast::crypto
