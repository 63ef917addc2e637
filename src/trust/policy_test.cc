#include "trust/policy.h"

#include <gmock/gmock-matchers.h>

#include "trust/testing.h"

namespace holdfast::trust {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

constexpr const char* kSigner = "[signer.a]\nkey_file = \"release.pub\"\n";
constexpr const char* kAllow = "[[allow]]\nname = \"n\"\nartefacts = \"*\"\nsigners = \"a\"\n";

TEST_F(TrustTest, EachErrorNamesLineAndKey) {
  struct Case {
    std::string toml;
    const char* message;
  };
  const std::string ok = std::string(kSigner) + kAllow;
  ASSERT_TRUE(parse(ok)) << parse(ok).error().message;
  const Case cases[] = {
      {"x = 1\n" + ok, "trust.toml:1: there is no table or key \"x\""},
      {kSigner, "it has no [[allow]], and would refuse everything"},
      {kAllow, "write [signer.NAME]"},
      {"signer = 3\n", "write [signer.NAME]"},
      {"[signer.a]\n" + std::string(kAllow), "trust.toml:1: [signer.a]: a signer has either a key"},
      {"[signer.a]\nkeyfile = \"x\"\n" + std::string(kAllow), "keyfile: there is no such key"},
      {"[signer.a]\nkey = \"abc\"\n" + std::string(kAllow), "[signer.a], key: the key's digest is needed"},
      {"[signer.a]\nkey_file = \"none.pub\"\n" + std::string(kAllow), "none.pub"},
      {"[signer.a]\nkey_file = \"trust.toml\"\n" + std::string(kAllow), "key_file: trust.toml: "},
      {"[signer.a]\nuri = \"spiffe://*\"\n" + std::string(kAllow),
       "roots_file: a name in a certificate counts"},
      {std::string(kSigner) + "expires = \"2027-01-01\"\n" + kAllow, "expires: a date such as 2027-06-30"},
      {std::string(kSigner) + "expires = 2027-01-01T00:00:00\n" + kAllow, "a time with a zone"},
      {ok + "at_least = \"latest\"\n", "at_least: \"latest\" is no version"},
      {ok + "signers_ = \"a\"\n", "signers_: there is no such key"},
      {ok + "log_keys = \"x\"\n", "log_keys: "},
      {ok + kAllow, "name: another entry has it already"},
      {std::string(kSigner) + "[[allow]]\nname = \"n\"\nartefacts = []\nsigners = \"a\"\n", "artefacts: "},
      {std::string(kSigner) + "[[allow]]\nname = \"n\"\nartefacts = \"*\"\nsigners = [\"b\"]\n",
       "signers: there is no [signer.b]"},
      {std::string(kSigner) + "[allow]\nname = \"n\"\n", "write [[allow]]"},
      {ok + "[[allow.require]]\n", "statement: say which statement must be there"},
      {ok + "[[allow.require]]\nstatement = \"scan\"\n", "write provenance, verification"},
      {ok + "[[allow.require]]\nstatement = \"release\"\nbuilders = \"x\"\n",
       "the kind \"provenance\" alone has it"},
      {ok + "[[allow.require]]\nstatement = \"provenance\"\nmax_age_days = 3\n",
       "\"verification\" alone has it"},
      {ok + "[[allow.require]]\nstatement = \"verification\"\nmax_age_days = 0\n",
       "a whole number from 1 to"},
      {"[signer.a\n", "trust.toml:1: "},
  };
  for (const auto& [toml, message] : cases) {
    const auto parsed = parse(toml);
    ASSERT_FALSE(parsed) << toml;
    EXPECT_THAT(parsed.error().message, HasSubstr(message)) << toml;
  }
}

TEST_F(TrustTest, ADigestThatIsNotTheFilesIsRefused) {
  const auto wrong = parse("[signer.a]\nkey_file = \"release.pub\"\nkey = \"" +
                           lab_.public_key().id().prefixed() + "\"\n" + kAllow);
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message, HasSubstr("not the one that \"key\" says"));
}

TEST_F(TrustTest, APolicyIsBounded) {
  EXPECT_EQ(parse(std::string(kMaxPolicyBytes + 1, '#')).error().code, ErrorCode::kLimitExceeded);
}

TEST(Matches, StarsStandForAnyBytes) {
  EXPECT_TRUE(matches("credit-*", "credit-"));
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("a*b*c", "a--b--b-c"));
  EXPECT_TRUE(matches("https://*/model@*", "https://a/b/model@1"));
  EXPECT_FALSE(matches("credit", "credit-eu"));
  EXPECT_FALSE(matches("a*b", "a--c"));
  EXPECT_FALSE(matches("", "a"));
  EXPECT_FALSE(matches("a?", "ab"));
  // Patterns of many stars take no time that grows beyond the product of the lengths.
  std::string stars;
  for (int i = 0; i < 100; ++i) stars += "a*";
  EXPECT_FALSE(matches(stars + "b", std::string(1000, 'a')));
}

}  // namespace
}  // namespace holdfast::trust
