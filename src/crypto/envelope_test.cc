#include "crypto/envelope.h"

#include <gtest/gtest.h>

#include "crypto/test_vectors.h"

namespace holdfast::crypto {
namespace {

using base::as_bytes;
using base::Bytes;
using base::ByteView;
using base::ErrorCode;

constexpr std::string_view kPlace = "default/credential/alice";

class EnvelopeTest : public testing::Test {
 protected:
  CountingRandom random_;
  AeadKey key_ = AeadKey::generate(AeadAlgorithm::kAes256Gcm, random_);
};

TEST_F(EnvelopeTest, KeepsItsForm) {
  const Bytes envelope = seal_envelope(key_, kPlace, as_bytes("hunter2"), random_);
  // Computed apart, with the AESGCM of Python's cryptography.
  EXPECT_EQ(base::hex_encode(envelope),
            "01202122232425262728292a2bba4fc80409ea284dde9d4236f3f4add94a8ab8b8e921ba");
  const auto opened = open_envelope(key_, kPlace, envelope);
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  EXPECT_EQ(opened->reveal_text(), "hunter2");
}

TEST_F(EnvelopeTest, NeverLooksTheSameTwice) {
  EXPECT_NE(seal_envelope(key_, kPlace, as_bytes("hunter2"), random_),
            seal_envelope(key_, kPlace, as_bytes("hunter2"), random_));
}

TEST_F(EnvelopeTest, OpensOnlyInItsOwnPlace) {
  const Bytes envelope = seal_envelope(key_, kPlace, as_bytes("hunter2"), random_);
  for (const auto* const place :
       {"default/credential/bob", "other/credential/alice", "default/credential/alice ", ""}) {
    const auto opened = open_envelope(key_, place, envelope);
    ASSERT_FALSE(opened.has_value()) << place;
    EXPECT_EQ(opened.error().code, ErrorCode::kDataCorrupt);
  }
}

TEST_F(EnvelopeTest, RefusesEveryChange) {
  const Bytes envelope = seal_envelope(key_, kPlace, as_bytes("hunter2"), random_);
  for (std::size_t at = 0; at < envelope.size(); ++at) {
    Bytes changed = envelope;
    changed[at] ^= 1;
    const auto opened = open_envelope(key_, kPlace, changed);
    ASSERT_FALSE(opened.has_value()) << at;
    EXPECT_EQ(opened.error().code, at == 0 ? ErrorCode::kUnsupported : ErrorCode::kDataCorrupt);
    EXPECT_FALSE(open_envelope(key_, kPlace, ByteView(envelope).first(at))) << at;
  }
}

}  // namespace
}  // namespace holdfast::crypto
