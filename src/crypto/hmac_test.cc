#include "crypto/hmac.h"

#include <gtest/gtest.h>

#include "crypto/test_vectors.h"

namespace holdfast::crypto {
namespace {

TEST(HmacSha256, GivesTheCodesOfRfc4231) {
  const auto vectors = read_vectors("rfc4231_hmac_sha256.txt");
  ASSERT_EQ(vectors.size(), 7U);
  for (const auto& vector : vectors) {
    const auto code = hmac_sha256(vector.bytes("key"), vector.bytes("message"));
    const auto& expected = vector.text("code");
    EXPECT_EQ(code.hex().substr(0, expected.size()), expected);
  }
}

TEST(HmacSha256, TakesAnEmptyKeyForThePaddedOne) {
  const base::Bytes zeros(64);
  EXPECT_EQ(hmac_sha256({}, base::as_bytes("m")), hmac_sha256(zeros, base::as_bytes("m")));
  EXPECT_NE(hmac_sha256({}, base::as_bytes("m")), hmac_sha256({}, {}));
}

TEST(HkdfSha256, GivesTheKeysOfRfc5869) {
  for (const auto& vector : read_vectors("rfc5869_hkdf_sha256.txt")) {
    const auto expected = vector.bytes("output");
    const auto output = hkdf_sha256(vector.bytes("key_material"), vector.bytes("salt"), vector.bytes("info"),
                                    expected.size());
    EXPECT_EQ(base::hex_encode(output.reveal()), base::hex_encode(expected));
  }
}

TEST(HkdfSha256, GivesAPrefixWhereLessIsAsked) {
  const auto all = hkdf_sha256(base::as_bytes("key"), {}, base::as_bytes("info"), 255 * 32);
  for (const std::size_t size : {0UL, 1UL, 31UL, 32UL, 33UL, 64UL, 255UL * 32 - 1}) {
    const auto some = hkdf_sha256(base::as_bytes("key"), {}, base::as_bytes("info"), size);
    EXPECT_TRUE(base::constant_time_equal(some.reveal(), all.reveal().first(size))) << size;
  }
}

}  // namespace
}  // namespace holdfast::crypto
