#include "crypto/age.h"

#include <gmock/gmock-matchers.h>

#include "crypto/age_header.h"
#include "crypto/age_samples.h"
#include "crypto/age_wrap.h"
#include "crypto/sha256.h"

namespace holdfast::crypto {
namespace {

using base::as_bytes;
using base::Bytes;
using base::ByteView;
using base::ErrorCode;
using base::Secret;
using testing::HasSubstr;

constexpr std::array kSizes{0UL,
                            1UL,
                            kAgeChunkBytes - 1,
                            kAgeChunkBytes,
                            kAgeChunkBytes + 1,
                            2 * kAgeChunkBytes - 1,
                            2 * kAgeChunkBytes,
                            2 * kAgeChunkBytes + 1,
                            5 * kAgeChunkBytes + 777};

AgeRecipients passphrase(std::string_view text, int work_factor) {
  return AgePassphrase{.text = Secret::copy_of(as_bytes(text)), .work_factor = work_factor};
}

AgeKeys passphrases(const std::vector<std::string>& texts) {
  AgeKeys keys;
  for (const auto& text : texts) keys.passphrases.push_back(Secret::copy_of(as_bytes(text)));
  return keys;
}

TEST(Age, GivesBackWhatItSealed) {
  for (const std::size_t size : kSizes) {
    const Bytes text = sample_text(size);
    for (const AgeForm form : {AgeForm::kBinary, AgeForm::kArmored}) {
      const auto unsealed = unseal(seal(text, sample_recipients({1}), form), sample_keys({1}));
      EXPECT_TRUE(unsealed.end.has_value()) << size;
      EXPECT_EQ(unsealed.released, text) << size;
    }
  }
}

// testdata/age_sealed.age is what our sealer gave, and what Debian's age 1.1.1 opened.
TEST(Age, KeepsItsForm) {
  const auto golden = base::read_file(HOLDFAST_TESTDATA "/age_sealed.age", 4096);
  ASSERT_TRUE(golden.has_value());
  const auto text = as_bytes("sealed to two keys\n");
  EXPECT_EQ(base::as_text(seal(text, sample_recipients({1, 2}), AgeForm::kArmored)), base::as_text(*golden));
  EXPECT_EQ(base::as_text(unseal(*golden, sample_keys({2})).released), base::as_text(text));
}

TEST(Age, SealsTheSameHoweverItIsWritten) {
  const Bytes text = sample_text(2 * kAgeChunkBytes + 100);
  const Bytes whole = seal(text, sample_recipients({1}));
  for (const std::size_t piece : {1000UL, kAgeChunkBytes, kAgeChunkBytes + 1}) {
    CountingRandom random(100);
    BytesWriter writer;
    auto sealer = AgeSealer::create(writer, sample_recipients({1}), AgeForm::kBinary, random);
    ASSERT_TRUE(sealer.has_value());
    for (std::size_t at = 0; at < text.size(); at += piece) {
      ASSERT_TRUE(sealer->write(ByteView(text).subspan(at, std::min(piece, text.size() - at))));
    }
    ASSERT_TRUE(sealer->finish());
    EXPECT_EQ(writer.bytes(), whole) << piece;
  }
}

TEST(Age, SealsToEachRecipientAlone) {
  const Bytes sealed = seal(as_bytes("text"), sample_recipients({1, 2, 3}));
  for (const std::uint8_t number : std::to_array<std::uint8_t>({1, 2, 3})) {
    EXPECT_TRUE(unseal(sealed, sample_keys({number})).end) << int{number};
    EXPECT_TRUE(unseal(sealed, sample_keys({9, 8, number})).end) << int{number};
  }
  const auto refused = unseal(sealed, sample_keys({4, 5}));
  ASSERT_FALSE(refused.end.has_value());
  EXPECT_EQ(refused.end.error().code, ErrorCode::kPermissionDenied);
  EXPECT_THAT(refused.end.error().message, HasSubstr("none of the 2 identities"));
  EXPECT_THAT(unseal(sealed, passphrases({"text"})).end.error().message, HasSubstr("give an identity"));
}

TEST(Age, SealsWithAPassphrase) {
  const Bytes sealed = seal(as_bytes("text"), passphrase("correct horse", 4));
  EXPECT_EQ(unseal(sealed, passphrases({"wrong", "correct horse"})).released.size(), 4U);
  for (const auto& [keys, says] : {std::pair(passphrases({"correct horsf"}), "does not open"),
                                   std::pair(sample_keys({1}), "sealed with a passphrase")}) {
    const auto refused = unseal(sealed, keys);
    ASSERT_FALSE(refused.end.has_value());
    EXPECT_EQ(refused.end.error().code, ErrorCode::kPermissionDenied);
    EXPECT_THAT(refused.end.error().message, HasSubstr(says));
  }
}

// testdata/age_passphrase.age was made by Debian's age 1.1.1, with `age -p -a` and the passphrase "correct
// horse".
TEST(Age, OpensAPassphraseFileOfAgeItself) {
  const auto sealed = base::read_file(HOLDFAST_TESTDATA "/age_passphrase.age", 4096);
  ASSERT_TRUE(sealed.has_value());
  const auto unsealed = unseal(*sealed, passphrases({"correct horse"}));
  EXPECT_TRUE(unsealed.end.has_value()) << unsealed.end.error().message;
  EXPECT_EQ(base::as_text(unsealed.released), "sealed with a passphrase\n");
}

TEST(Age, RefusesToSealToNobody) {
  BytesWriter writer;
  CountingRandom random;
  const auto error = [&](const AgeRecipients& recipients) {
    return AgeSealer::create(writer, recipients, AgeForm::kBinary, random).error().code;
  };
  EXPECT_EQ(error(std::vector<AgeRecipient>{}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error(std::vector<AgeRecipient>(kMaxAgeStanzas + 1, sample_identity(1).recipient())),
            ErrorCode::kLimitExceeded);
  EXPECT_EQ(error(passphrase("", 4)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error(passphrase("x", 0)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error(passphrase("x", kMaxAgeWorkFactor + 1)), ErrorCode::kInvalidArgument);
  const auto low_order =
      AgeRecipient::parse("age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z");
  EXPECT_EQ(error(std::vector{low_order.value()}), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(writer.bytes().empty());
}

// Takes so many bytes, and no more.
class SmallDisk final : public Writer {
 public:
  explicit SmallDisk(std::size_t room) : room_(room) {}
  base::Result<> write(ByteView bytes) override {
    if (bytes.size() > room_) return base::fail(ErrorCode::kUnavailable, "no space");
    room_ -= bytes.size();
    return {};
  }

 private:
  std::size_t room_;
};

TEST(Age, GivesTheErrorOfItsWriterWhereverItComes) {
  const Bytes text = sample_text(2 * kAgeChunkBytes);
  for (const AgeForm form : {AgeForm::kBinary, AgeForm::kArmored}) {
    const std::size_t needed = seal(text, sample_recipients({1}), form).size();
    for (const std::size_t room : {0UL, 200UL, kAgeChunkBytes, 2 * kAgeChunkBytes, needed - 1, needed}) {
      SmallDisk disk(room);
      CountingRandom random;
      auto sealer = AgeSealer::create(disk, sample_recipients({1}), form, random);
      const bool done = sealer && sealer->write(text) && sealer->finish();
      EXPECT_EQ(done, room == needed) << room;
    }
  }
}

TEST(Age, BoundsTheKeysItTries) {
  const Bytes sealed = seal(as_bytes("text"), sample_recipients({1}));
  EXPECT_EQ(unseal(sealed, sample_keys(std::vector<std::uint8_t>(kMaxAgeIdentities + 1))).end.error().code,
            ErrorCode::kLimitExceeded);
  EXPECT_EQ(unseal(sealed, passphrases(std::vector<std::string>(kMaxAgePassphrases + 1))).end.error().code,
            ErrorCode::kLimitExceeded);
}

TEST(Age, ReleasesNothingOfASmallFileThatWasChanged) {
  const Bytes sealed = seal(as_bytes("text"), sample_recipients({1}));
  const AgeKeys keys = sample_keys({1});
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    Bytes changed = sealed;
    changed[at] ^= 1;
    const auto unsealed = unseal(changed, keys);
    EXPECT_FALSE(unsealed.end) << at;
    EXPECT_TRUE(unsealed.released.empty()) << at;
    const auto truncated = unseal(ByteView(sealed).first(at), keys);
    EXPECT_FALSE(truncated.end) << at;
    EXPECT_TRUE(truncated.released.empty()) << at;
  }
}

TEST(Age, GivesAnErrorAgainWhenAskedAgain) {
  Bytes sealed = seal(sample_text(10), sample_recipients({1}));
  sealed.back() ^= 1;
  MemoryReader reader(sealed);
  auto unsealer = AgeUnsealer::open(reader, sample_keys({1}));
  ASSERT_TRUE(unsealer.has_value());
  Bytes buffer(100);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(unsealer->read(buffer).error().code, ErrorCode::kDataCorrupt);
}

}  // namespace
}  // namespace holdfast::crypto
