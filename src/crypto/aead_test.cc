#include "crypto/aead.h"

#include <gtest/gtest.h>

#include "crypto/test_vectors.h"

namespace holdfast::crypto {
namespace {

using base::as_bytes;
using base::Bytes;
using base::ByteView;
using base::ErrorCode;
using base::Secret;

AeadNonce to_nonce(ByteView bytes) {
  AeadNonce nonce{};
  EXPECT_EQ(bytes.size(), nonce.size());
  std::copy_n(bytes.begin(), nonce.size(), nonce.begin());
  return nonce;
}

void expect_published(AeadAlgorithm algorithm, const std::string& file) {
  for (const auto& vector : read_vectors(file)) {
    const auto key = AeadKey::create(algorithm, Secret(vector.bytes("key")));
    ASSERT_TRUE(key.has_value());
    const auto nonce = to_nonce(vector.bytes("nonce"));
    const Bytes associated_data = vector.bytes("associated_data");
    const Bytes sealed = aead_seal(*key, nonce, associated_data, vector.bytes("plaintext"));
    EXPECT_EQ(base::hex_encode(sealed), vector.text("sealed"));
    const auto opened = aead_open(*key, nonce, associated_data, sealed);
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    EXPECT_EQ(base::hex_encode(opened->reveal()), vector.text("plaintext"));
  }
}

TEST(Aead, ChaCha20Poly1305IsThatOfRfc8439) {
  expect_published(AeadAlgorithm::kChaCha20Poly1305, "rfc8439_chacha20_poly1305.txt");
}

TEST(Aead, Aes256GcmIsThatOfItsAuthors) {
  expect_published(AeadAlgorithm::kAes256Gcm, "gcm_spec_aes256.txt");
}

class AeadOf : public testing::TestWithParam<AeadAlgorithm> {
 protected:
  CountingRandom random_;
  AeadKey key_ = AeadKey::generate(GetParam(), random_);
  AeadNonce nonce_ = to_nonce(random_.take(12));
};

INSTANTIATE_TEST_SUITE_P(Algorithms, AeadOf,
                         testing::Values(AeadAlgorithm::kAes256Gcm, AeadAlgorithm::kChaCha20Poly1305));

TEST_P(AeadOf, OpensNothingThatWasChanged) {
  const Bytes sealed = aead_seal(key_, nonce_, as_bytes("place"), as_bytes("a secret"));
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Bytes changed = sealed;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ 1U << bit % 8);
    const auto opened = aead_open(key_, nonce_, as_bytes("place"), changed);
    ASSERT_FALSE(opened.has_value()) << "bit " << bit;
    EXPECT_EQ(opened.error().code, ErrorCode::kDataCorrupt);
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(aead_open(key_, nonce_, as_bytes("place"), ByteView(sealed).first(size))) << size;
  }
}

TEST_P(AeadOf, OpensNothingInAnotherPlace) {
  const Bytes sealed = aead_seal(key_, nonce_, as_bytes("place"), as_bytes("a secret"));
  AeadNonce other_nonce = nonce_;
  other_nonce[11] ^= 1;
  EXPECT_FALSE(aead_open(key_, nonce_, as_bytes("plac"), sealed));
  EXPECT_FALSE(aead_open(key_, nonce_, {}, sealed));
  EXPECT_FALSE(aead_open(key_, other_nonce, as_bytes("place"), sealed));
  EXPECT_FALSE(aead_open(AeadKey::generate(GetParam(), random_), nonce_, as_bytes("place"), sealed));
}

TEST_P(AeadOf, LeavesNoUnauthenticatedText) {
  Bytes sealed = aead_seal(key_, nonce_, {}, as_bytes("a secret"));
  sealed.back() ^= 1;
  Bytes plaintext(8, 'x');
  EXPECT_FALSE(aead_open_into(key_, nonce_, {}, sealed, plaintext));
  EXPECT_EQ(plaintext, Bytes(8));
}

TEST_P(AeadOf, TakesEmptyText) {
  const Bytes sealed = aead_seal(key_, nonce_, {}, {});
  EXPECT_EQ(sealed.size(), kAeadTagBytes);
  const auto opened = aead_open(key_, nonce_, {}, sealed);
  ASSERT_TRUE(opened.has_value());
  EXPECT_TRUE(opened->empty());
}

TEST(AeadKey, IsOf32Bytes) {
  for (const std::size_t size : {0U, 16U, 31U, 33U}) {
    const auto key = AeadKey::create(AeadAlgorithm::kAes256Gcm, Secret(size));
    ASSERT_FALSE(key.has_value()) << size;
    EXPECT_EQ(key.error().code, ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace holdfast::crypto
