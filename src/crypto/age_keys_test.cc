#include "crypto/age_keys.h"

#include <gmock/gmock-matchers.h>

#include "crypto/age_samples.h"
#include "crypto/bech32.h"

namespace holdfast::crypto {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

// age.md, "The X25519 recipient type".
constexpr std::string_view kIdentity =
    "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
constexpr std::string_view kRecipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
// age.md, "The MLKEM768-X25519 hybrid post-quantum recipient type".
constexpr std::string_view kPostQuantum =
    "AGE-SECRET-KEY-PQ-1XX76JRALNLXDMEW0CRK45QMCCH4X06SE84UN3VPM33W6HWDX0H3SK3ZQFR";

TEST(AgeKeys, AreThoseOfTheSpecification) {
  const auto identity = AgeIdentity::parse(kIdentity);
  ASSERT_TRUE(identity.has_value()) << identity.error().message;
  EXPECT_EQ(identity->recipient().text(), kRecipient);
  EXPECT_EQ(identity->text().reveal_text(), kIdentity);
  const auto recipient = AgeRecipient::parse(kRecipient);
  ASSERT_TRUE(recipient.has_value()) << recipient.error().message;
  EXPECT_EQ(*recipient, identity->recipient());
}

TEST(AgeKeys, ComeBackFromTheirText) {
  for (int i = 0; i < 20; ++i) {
    const auto identity = AgeIdentity::generate(base::system_random());
    const auto parsed = AgeIdentity::parse(identity.text().reveal_text());
    ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
    EXPECT_EQ(parsed->recipient(), identity.recipient());
    EXPECT_EQ(AgeRecipient::parse(identity.recipient().text()).value(), identity.recipient());
  }
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(c));
  return text;
}

struct Refused {
  std::string text;
  ErrorCode code;
  std::string says;
};

template <typename Parse>
void expect_refused(const std::vector<Refused>& cases, const Parse& parse) {
  for (const auto& [text, code, says] : cases) {
    const auto parsed = parse(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().code, code) << text;
    EXPECT_THAT(parsed.error().message, HasSubstr(says));
    EXPECT_TRUE(text.empty() || parsed.error().message.find(text) == std::string::npos) << "repeats a key";
  }
}

TEST(AgeRecipient, SaysWhatItCannotBeSealedTo) {
  const base::Bytes point(32, 9);
  expect_refused(
      {
          {"", ErrorCode::kInvalidArgument, "not of the form"},
          {"age1", ErrorCode::kInvalidArgument, "not of the form"},
          {std::string(kRecipient.substr(0, 61)), ErrorCode::kInvalidArgument, "checksum"},
          {upper(std::string(kRecipient)), ErrorCode::kInvalidArgument, "must begin with age1"},
          {std::string(kIdentity), ErrorCode::kInvalidArgument, "private key"},
          {bech32_encode("age", base::Bytes(31)), ErrorCode::kInvalidArgument, "32 bytes"},
          {bech32_encode("bc", point), ErrorCode::kInvalidArgument, "must begin with age1"},
          {bech32_encode("age1pq", base::Bytes(1216)), ErrorCode::kUnsupported, "post-quantum"},
          {bech32_encode("age1yubikey", point), ErrorCode::kUnsupported, "plugin"},
          {bech32_encode("age1tag", point), ErrorCode::kUnsupported, "plugin"},
          {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI me@here", ErrorCode::kUnsupported, "SSH"},
          {std::string(5000, 'a'), ErrorCode::kLimitExceeded, "longer"},
      },
      AgeRecipient::parse);
}

TEST(AgeIdentity, SaysWhatItCannotUnsealWith) {
  expect_refused(
      {
          {"", ErrorCode::kInvalidArgument, "not of the form"},
          {std::string(kRecipient), ErrorCode::kInvalidArgument, "public key"},
          {bech32_encode("age-secret-key-", base::Bytes(32)), ErrorCode::kInvalidArgument, "upper case"},
          {upper(bech32_encode("age-secret-key-", base::Bytes(33))), ErrorCode::kInvalidArgument, "32 bytes"},
          {std::string(kPostQuantum), ErrorCode::kUnsupported, "post-quantum"},
          {upper(bech32_encode("age-plugin-yubikey-", base::Bytes(9))), ErrorCode::kUnsupported, "plugin"},
          {"-----BEGIN OPENSSH PRIVATE KEY-----", ErrorCode::kUnsupported, "SSH"},
          {"-----BEGIN AGE ENCRYPTED FILE-----", ErrorCode::kUnsupported, "itself sealed"},
          {"age-encryption.org/v1", ErrorCode::kUnsupported, "itself sealed"},
      },
      AgeIdentity::parse);
}

TEST(AgeIdentities, ReadWhatAgeKeygenWrites) {
  const std::string text = "# created: 2026-11-23T13:02:20Z\r\n# public key: age1...\n" +
                           std::string(kIdentity) + "\r\n\n" +
                           std::string(sample_identity(1).text().reveal_text());
  const auto identities = parse_age_identities(text);
  ASSERT_TRUE(identities.has_value()) << identities.error().message;
  ASSERT_EQ(identities->size(), 2U);
  EXPECT_EQ(identities->at(0).recipient().text(), kRecipient);
  EXPECT_EQ(identities->at(1).recipient(), sample_identity(1).recipient());
}

TEST(AgeIdentities, NameTheLineThatIsWrong) {
  const auto identities =
      parse_age_identities("# mine\n" + std::string(kIdentity) + "\n " + std::string(kIdentity));
  ASSERT_FALSE(identities.has_value());
  EXPECT_THAT(identities.error().message, HasSubstr("line 3"));
}

TEST(AgeIdentities, AreAtLeastOneAndNotTooMany) {
  for (const auto* const text : {"", "\n\n", "# nothing but this"}) {
    EXPECT_EQ(parse_age_identities(text).error().code, ErrorCode::kInvalidArgument);
  }
  std::string many;
  for (std::size_t i = 0; i < kMaxAgeIdentities; ++i) many += std::string(kIdentity) + "\n";
  EXPECT_TRUE(parse_age_identities(many));
  EXPECT_EQ(parse_age_identities(many + std::string(kIdentity)).error().code, ErrorCode::kLimitExceeded);
}

TEST(AgeIdentities, AreReadFromAFileOfBoundedSize) {
  const TemporaryFolder folder;
  const auto path = folder / "keys.txt";
  ASSERT_TRUE(base::write_file_atomically(path, base::as_bytes(kIdentity), 0600));
  EXPECT_EQ(read_age_identities(path).value().size(), 1U);
  ASSERT_TRUE(base::write_file_atomically(path, base::as_bytes("AGE-SECRET-KEY-1"), 0600));
  EXPECT_THAT(read_age_identities(path).error().message, HasSubstr("keys.txt: line 1: "));
  ASSERT_TRUE(base::write_file_atomically(path, base::Bytes(kMaxIdentityFileBytes + 1, '#'), 0600));
  EXPECT_EQ(read_age_identities(path).error().code, ErrorCode::kLimitExceeded);
}

}  // namespace
}  // namespace holdfast::crypto
