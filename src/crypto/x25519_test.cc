#include "crypto/x25519.h"

#include <gtest/gtest.h>

#include "crypto/test_vectors.h"

namespace holdfast::crypto {
namespace {

using base::ErrorCode;
using base::Secret;

X25519Public to_point(base::ByteView bytes) {
  X25519Public point{};
  EXPECT_EQ(bytes.size(), point.size());
  std::copy_n(bytes.begin(), point.size(), point.begin());
  return point;
}

TEST(X25519, AgreesAsInRfc7748) {
  for (const auto& vector : read_vectors("rfc7748_x25519.txt")) {
    const auto key = X25519Private::create(Secret(vector.bytes("scalar")));
    ASSERT_TRUE(key.has_value());
    const auto shared = key->agree(to_point(vector.bytes("point")));
    ASSERT_TRUE(shared.has_value()) << shared.error().message;
    EXPECT_EQ(base::hex_encode(shared->reveal()), vector.text("shared"));
    EXPECT_EQ(base::hex_encode(key->scalar().reveal()), vector.text("scalar"));
  }
}

TEST(X25519, GivesBothSidesOneSecret) {
  CountingRandom random;
  const auto alice = X25519Private::generate(random);
  const auto bob = X25519Private::generate(random);
  const auto from_alice = alice.agree(bob.public_key());
  const auto from_bob = bob.agree(alice.public_key());
  ASSERT_TRUE(from_alice.has_value() && from_bob.has_value());
  EXPECT_TRUE(base::constant_time_equal(from_alice->reveal(), from_bob->reveal()));
}

// The points of order 1, 2, 4 and 8, and their forms beyond 2^255 - 19 (cr.yp.to/ecdh.html, "validate").
TEST(X25519, RefusesEachPointOfLowOrder) {
  CountingRandom random;
  const auto key = X25519Private::generate(random);
  for (const auto& vector : read_vectors("low_order_x25519.txt")) {
    const auto shared = key.agree(to_point(vector.bytes("point")));
    ASSERT_FALSE(shared.has_value()) << vector.text("point");
    EXPECT_EQ(shared.error().code, ErrorCode::kDataCorrupt);
  }
}

TEST(X25519, TakesScalarsOf32BytesAlone) {
  for (const std::size_t size : {0U, 31U, 33U}) EXPECT_FALSE(X25519Private::create(Secret(size))) << size;
}

}  // namespace
}  // namespace holdfast::crypto
