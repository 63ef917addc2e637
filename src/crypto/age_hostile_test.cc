// Files that an attacker could make, with or without the key of the person who opens them.
#include <gmock/gmock-matchers.h>

#include "crypto/age.h"
#include "crypto/age_header.h"
#include "crypto/age_samples.h"
#include "crypto/age_wrap.h"

namespace holdfast::crypto {
namespace {

using base::as_bytes;
using base::Bytes;
using base::ByteView;
using base::ErrorCode;
using base::Secret;
using testing::HasSubstr;

Secret file_key(std::string_view text = "YELLOW SUBMARINE") { return Secret::copy_of(as_bytes(text)); }

std::vector<AgeStanza> stanzas_for(std::uint8_t number, const Secret& key) {
  CountingRandom random(50);
  return wrap_file_key(key, sample_recipients({number}), random).value();
}

// A file whose header is sound, with whatever chunks.
class Forgery {
 public:
  explicit Forgery(const std::vector<AgeStanza>& stanzas = stanzas_for(1, file_key())) {
    base::append(bytes_, write_age_header(stanzas, file_key()));
    base::append(bytes_, Bytes(kAgeNonceBytes));
  }

  Forgery& chunk(std::uint64_t index, AgeChunkPlace place, std::size_t size) {
    const AeadKey key = age_payload_key(file_key(), Bytes(kAgeNonceBytes));
    Bytes sealed(size + kAeadTagBytes);
    seal_age_chunk(key, index, place, Bytes(size, static_cast<std::uint8_t>('a' + index)), sealed);
    base::append(bytes_, sealed);
    return *this;
  }
  Forgery& raw(ByteView bytes) {
    base::append(bytes_, bytes);
    return *this;
  }

  // Opens it, and expects the error and that so many bytes came before it.
  void expect(ErrorCode code, std::string_view says, std::size_t released = 0) const {
    const auto unsealed = unseal(bytes_, sample_keys({1}));
    ASSERT_FALSE(unsealed.end.has_value());
    EXPECT_EQ(unsealed.end.error().code, code) << unsealed.end.error().message;
    EXPECT_THAT(unsealed.end.error().message, HasSubstr(says));
    EXPECT_EQ(unsealed.released.size(), released);
  }
  [[nodiscard]] const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

constexpr auto kWithin = AgeChunkPlace::kWithin;
constexpr auto kLast = AgeChunkPlace::kLast;
constexpr std::size_t kFull = kAgeChunkBytes;

TEST(AgeHostile, TheForgerMakesFilesThatOpen) {
  const auto unsealed =
      unseal(Forgery().chunk(0, kWithin, kFull).chunk(1, kLast, 5).bytes(), sample_keys({1}));
  EXPECT_TRUE(unsealed.end.has_value());
  EXPECT_EQ(unsealed.released.size(), kFull + 5);
}

TEST(AgeHostile, FinalChunkCut) {
  Forgery()
      .chunk(0, kWithin, kFull)
      .chunk(1, kWithin, kFull)
      .expect(ErrorCode::kDataCorrupt, "truncated", 2 * kFull);
  Forgery().chunk(0, kWithin, kFull).expect(ErrorCode::kDataCorrupt, "truncated", kFull);
  Forgery().chunk(0, kWithin, 10).expect(ErrorCode::kDataCorrupt, "chunk 0");
  Forgery().expect(ErrorCode::kDataCorrupt, "truncated");
}

TEST(AgeHostile, ChunksSwappedRepeatedOrLeftOut) {
  Forgery()
      .chunk(1, kWithin, kFull)
      .chunk(0, kWithin, kFull)
      .chunk(2, kLast, 1)
      .expect(ErrorCode::kDataCorrupt, "chunk 0");
  Forgery()
      .chunk(0, kWithin, kFull)
      .chunk(0, kWithin, kFull)
      .chunk(2, kLast, 1)
      .expect(ErrorCode::kDataCorrupt, "chunk 1", kFull);
  Forgery().chunk(0, kWithin, kFull).chunk(2, kLast, 1).expect(ErrorCode::kDataCorrupt, "chunk 1", kFull);
}

TEST(AgeHostile, SomethingAfterTheLastChunk) {
  Forgery()
      .chunk(0, kLast, kFull)
      .raw(Bytes(1))
      .expect(ErrorCode::kDataCorrupt, "after its last chunk", kFull);
  Forgery()
      .chunk(0, kLast, kFull)
      .chunk(1, kLast, 1)
      .expect(ErrorCode::kDataCorrupt, "after its last chunk", kFull);
  Forgery().chunk(0, kLast, 10).raw(Bytes(20)).expect(ErrorCode::kDataCorrupt, "chunk 0");
}

TEST(AgeHostile, EmptyLastChunkOfAFileThatIsNotEmpty) {
  Forgery().chunk(0, kWithin, kFull).chunk(1, kLast, 0).expect(ErrorCode::kDataCorrupt, "empty", kFull);
}

TEST(AgeHostile, ShortChunkWithin) {
  Forgery().chunk(0, kWithin, 100).chunk(1, kLast, 100).expect(ErrorCode::kDataCorrupt, "chunk 0");
}

AgeStanza scrypt_stanza(const std::string& work_factor) {
  return {.arguments = {"scrypt", "AAAAAAAAAAAAAAAAAAAAAA", work_factor}, .body = Bytes(32)};
}

TEST(AgeHostile, ScryptOfEndlessWork) {
  for (const auto* const factor : {"23", "30", "64", "4294967296", "99999999999999999999999999"}) {
    const auto unsealed = unseal(Forgery({scrypt_stanza(factor)}).bytes(), sample_keys({1}));
    EXPECT_EQ(unsealed.end.error().code, ErrorCode::kLimitExceeded) << factor;
  }
  for (const auto* const factor : {"0", "010", "+10", "-1", "0x10", "1e1", "10 ", "ten"}) {
    const auto unsealed = unseal(Forgery({scrypt_stanza(factor)}).bytes(), sample_keys({1}));
    EXPECT_EQ(unsealed.end.error().code, ErrorCode::kDataCorrupt) << factor;
  }
}

TEST(AgeHostile, ScryptBesideAnother) {
  auto stanzas = stanzas_for(1, file_key());
  stanzas.push_back(scrypt_stanza("10"));
  Forgery(stanzas).chunk(0, kLast, 1).expect(ErrorCode::kDataCorrupt, "not alone");
  Forgery({scrypt_stanza("10"), scrypt_stanza("10")}).expect(ErrorCode::kDataCorrupt, "not alone");
}

TEST(AgeHostile, TwoFileKeysInOneHeader) {
  auto stanzas = stanzas_for(1, file_key("ANOTHER FILE KEY"));
  const auto second = stanzas_for(2, file_key());
  stanzas.insert(stanzas.end(), second.begin(), second.end());
  const Forgery forgery(stanzas);
  // Person 1 gets the other key, with which the MAC does not match; it was made for person 2.
  forgery.expect(ErrorCode::kDataCorrupt, "MAC");
  EXPECT_THAT(unseal(forgery.bytes(), sample_keys({1, 2})).end.error().message, HasSubstr("MAC"));
}

TEST(AgeHostile, AMillionStanzas) {
  std::string header = "age-encryption.org/v1\n";
  for (int i = 0; i < 1'000'000; ++i) header += "-> X25519 AAAA\n\n";
  const auto unsealed = unseal(as_bytes(header), sample_keys({1}));
  EXPECT_EQ(unsealed.end.error().code, ErrorCode::kLimitExceeded);
}

TEST(AgeHostile, ShareOfLowOrder) {
  for (const auto& vector : read_vectors("low_order_x25519.txt")) {
    auto stanzas = stanzas_for(1, file_key());
    stanzas[0].arguments[1] = base::base64_encode(vector.bytes("point"), base::Base64::kRaw);
    Forgery(stanzas).expect(ErrorCode::kDataCorrupt, "low order");
  }
}

TEST(AgeHostile, MalformedStanzaOfAKnownTypeBehindOneThatOpens) {
  for (const AgeStanza& bad : std::vector<AgeStanza>{
           {.arguments = {"X25519"}, .body = Bytes(32)},
           {.arguments = {"X25519", "AAAA"}, .body = Bytes(32)},
           {.arguments = {"X25519", std::string(43, 'A'), "more"}, .body = Bytes(32)},
           {.arguments = {"X25519", std::string(42, 'A') + "B"}, .body = Bytes(32)},  // not canonical
           {.arguments = {"X25519", std::string(43, 'A')}, .body = Bytes(31)},
           {.arguments = {"X25519", std::string(43, 'A')}, .body = Bytes(48)},  // a file key of 32 bytes
       }) {
    auto stanzas = stanzas_for(1, file_key());
    stanzas.push_back(bad);
    Forgery(stanzas).chunk(0, kLast, 1).expect(ErrorCode::kDataCorrupt, "X25519 stanza");
  }
}

TEST(AgeHostile, UnknownStanzasAreSkippedAndNamedWhereThereIsNoOther) {
  const AgeStanza grease{.arguments = {"grease-!", "what", "ever"}, .body = Bytes(100, 3)};
  const AgeStanza post_quantum{.arguments = {"mlkem768x25519", std::string(1494, 'A')}, .body = Bytes(32)};
  auto stanzas = stanzas_for(1, file_key());
  stanzas.insert(stanzas.begin(), {grease, post_quantum});
  const auto unsealed = unseal(Forgery(stanzas).chunk(0, kLast, 3).bytes(), sample_keys({1}));
  EXPECT_TRUE(unsealed.end.has_value()) << unsealed.end.error().message;
  EXPECT_EQ(base::as_text(unsealed.released), "aaa");
  Forgery({post_quantum, grease}).expect(ErrorCode::kUnsupported, "mlkem768x25519");
}

TEST(AgeHostile, HeaderOfOneFileOnThePayloadOfAnother) {
  const Bytes one = seal(as_bytes("one"), sample_recipients({1}));
  Bytes forged = Forgery().bytes();
  base::append(forged, ByteView(one).last(3 + kAeadTagBytes));
  const auto unsealed = unseal(forged, sample_keys({1}));
  EXPECT_EQ(unsealed.end.error().code, ErrorCode::kDataCorrupt);
  EXPECT_TRUE(unsealed.released.empty());
}

TEST(AgeHostile, ArmoredFileThatGoesOn) {
  const Bytes armored = seal(sample_text(10), sample_recipients({1}), AgeForm::kArmored);
  for (const auto* const more : {"x", "-----BEGIN AGE ENCRYPTED FILE-----\n"}) {
    Bytes changed = armored;
    base::append(changed, std::string_view(more));
    const auto unsealed = unseal(changed, sample_keys({1}));
    EXPECT_THAT(unsealed.end.error().message, HasSubstr("ASCII armor"));
    EXPECT_TRUE(unsealed.released.empty());
  }
}

TEST(AgeHostile, WhatIsNotSealedAtAll) {
  for (const auto* const text :
       {"", "x", "a", "\x80\x04model", "-----BEGIN PGP MESSAGE-----\n", "\n\n\n", "PK\x03\x04"}) {
    const auto unsealed = unseal(as_bytes(text), sample_keys({1}));
    EXPECT_EQ(unsealed.end.error().code, ErrorCode::kDataCorrupt) << text;
  }
}

}  // namespace
}  // namespace holdfast::crypto
