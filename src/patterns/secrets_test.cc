#include "patterns/secrets.h"

#include <gmock/gmock-more-matchers.h>

#include <algorithm>

#include "base/encoding.h"
#include "patterns/secret_match.h"
#include "patterns/secret_patterns.h"
#include "patterns/testing.h"

namespace holdfast::patterns {
namespace {

using testing::characters;
using ::testing::Each;
using testing::github_token;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string jwt(std::string_view header, std::string_view payload) {
  const auto part = [](std::string_view text) {
    return base::base64_encode(base::as_bytes(text), base::Base64::kUrl);
  };
  return part(header) + "." + part(payload) + "." + characters(43);
}

std::string pem(const std::string& label, const std::string& line_end = "\n") {
  std::string text = "-----BEGIN " + label + "-----" + line_end;
  for (std::uint64_t i = 0; i < 4; ++i) text += characters(64, kBase64, i + 1) + line_end;
  return text + "-----END " + label + "-----" + line_end;
}

struct Case {
  std::string text;
  std::string_view pattern;
  std::string secret;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  const auto add = [&](std::string_view pattern, const std::string& secret,
                       const std::string& before = "x = \"", const std::string& behind = "\"\n") {
    all.push_back({.text = before + secret + behind, .pattern = pattern, .secret = secret});
  };
  add("aws-access-key", "AKIA" + characters(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"));
  add("aws-secret-key", characters(40, kBase64), "aws_secret_access_key = ");
  add("aws-secret-key", characters(40, kBase64), "os.environ[\"AWS_SECRET_ACCESS_KEY\"] = \"");
  add("google-api-key", "AIza" + characters(35));
  add("gcp-service-account", characters(40, kHex), "\"private_key_id\": \"");
  add("azure-storage-key", characters(86, kBase64) + "==", "AccountName=a;AccountKey=", ";EndpointSuffix=b");
  add("azure-sas", characters(43) + "%3D", "https://a.blob.core.windows.net/c?sv=2022-11-02&sp=r&sig=");
  add("github-token", github_token(), "TOKEN: ", "");
  add("github-fine-grained-token", "github_pat_" + characters(22) + "_" + characters(59));
  add("gitlab-token", "glpat-" + characters(20));
  add("slack-token", "xoxb-" + characters(12, "3719502846") + "-" + characters(24));
  add("stripe-key", "sk_live_" + characters(24));
  add("npm-token", testing::with_checksum("npm_", characters(30)), "//registry.npmjs.org/:_authToken=");
  add("pypi-token", "pypi-AgEIcHlwaS5vcmc" + characters(150));
  add("huggingface-token", "hf_" + characters(34));
  add("openai-key", "sk-" + characters(20) + "T3BlbkFJ" + characters(20));
  add("openai-key", "sk-proj-" + characters(120));
  add("anthropic-key", "sk-ant-api03-" + characters(93));
  add("sendgrid-key", "SG." + characters(22) + "." + characters(43));
  add("jwt", jwt(R"({"alg":"HS256"})", R"({"sub":"credit-service"})"), "Authorization: Bearer ");
  add("url-password", "kX9vq2Lm", "postgresql://app:", "@db.internal:5432/credit");
  add("url-password", "kX9vq2Lm", "redis://:", "@10.0.0.3/0");
  add("password", "kX9vq2Lm!", "db_password = \"");
  add("password", "kX9vq2Lm!", "\"password\": \"");
  add("password", "kX9vq2Lm!", "  password: str = '", "'");
  add("password", "kX9vq2Lm!", "{\\\"client_secret\\\": \\\"", "\\\"}");
  add("password", "kX9vq2Lm!", "os.getenv(\"DB_PASSWORD\", \"");
  add("password", characters(24), "a=1\nAPI_KEY=", "\n");
  return all;
}

TEST(Secrets, AreFoundByTheirForm) {
  for (const auto& each : cases()) {
    const auto found = find_secrets(each.text);
    ASSERT_THAT(found, SizeIs(1)) << each.pattern << ": " << each.text;
    EXPECT_EQ(found[0].pattern, each.pattern);
    EXPECT_EQ(found[0].offset, each.text.find(each.secret)) << each.text;
    EXPECT_EQ(found[0].length, each.secret.size()) << each.text;
  }
}

TEST(Secrets, AreNeverShown) {
  for (const auto& each : cases()) {
    for (const auto& match : find_secrets(each.text)) {
      EXPECT_THAT(match.masked, Not(HasSubstr(each.secret)));
      EXPECT_THAT(match.masked, Not(HasSubstr(each.secret.substr(each.secret.size() - 6))));
      EXPECT_THAT(match.masked, HasSubstr(std::to_string(each.secret.size()))) << match.masked;
    }
  }
}

TEST(Secrets, AreFoundWhereverAPieceEnds) {
  for (const auto& each : cases()) {
    const std::string text = "first\n" + each.text;
    const auto whole = find_secrets(text);
    ASSERT_THAT(whole, SizeIs(1)) << each.text;
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
      SecretScanner scanner;
      scanner.feed(base::as_bytes(std::string_view(text).substr(0, cut)));
      scanner.feed(base::as_bytes(std::string_view(text).substr(cut)));
      scanner.finish();
      ASSERT_THAT(scanner.matches(), SizeIs(1)) << cut << ": " << each.text;
      EXPECT_EQ(scanner.matches()[0].offset, whole[0].offset);
      EXPECT_EQ(scanner.matches()[0].line, whole[0].line);
    }
  }
}

TEST(Secrets, AreFoundFarInAStreamOfAnyPieces) {
  const std::string filler = "a line of no interest whatever = 1\n";
  std::string text;
  std::vector<std::uint64_t> places;
  for (const auto& each : cases()) {
    for (int i = 0; i < 700; ++i) text += filler;
    text += "\n";
    places.push_back(text.size() + each.text.find(each.secret));
    text += each.text + "\n";
  }
  for (const std::size_t step : {1UL << 20, 65'536UL, 4099UL, 97UL}) {
    SecretScanner scanner;
    for (std::size_t at = 0; at < text.size(); at += step) {
      scanner.feed(base::as_bytes(std::string_view(text).substr(at, step)));
    }
    scanner.finish();
    ASSERT_THAT(scanner.matches(), SizeIs(places.size())) << step;
    for (std::size_t i = 0; i < places.size(); ++i) {
      EXPECT_EQ(scanner.matches()[i].offset, places[i]);
      const auto before = text.begin() + static_cast<std::ptrdiff_t>(places[i]);
      EXPECT_EQ(scanner.matches()[i].line,
                1U + static_cast<std::uint64_t>(std::count(text.begin(), before, '\n')));
    }
  }
}

TEST(Secrets, OfPlaceholdersAreNone) {
  const std::string token(36, 'x');
  for (const auto& text : {std::string("AKIA") + "IOSFODNN7EXAMPLE",
                           "ghp_" + token,
                           "hf_" + std::string(34, 'a'),
                           std::string("password = \"<your password>\""),
                           std::string("password = \"${DB_PASSWORD}\""),
                           std::string("password = \"{{ password }}\""),
                           std::string("password = \"changeme123\""),
                           std::string("password = \"p4ssw0rd1234\""),
                           std::string("password = os.environ['PASSWORD_X1']"),
                           std::string("password = getpass()\nx = 1"),
                           std::string("\"password\": \"string\""),
                           std::string("password_file = \"/run/secrets/db1-x\""),
                           std::string("secret_name = \"prod/db7/x9Kq\""),
                           std::string("postgres://user:password@localhost/x"),
                           std::string("postgres://{user}:{pw}@host/x"),
                           std::string("https://example.org/a:b@c"),
                           std::string("see http://host:80/@x"),
                           std::string("\"eos_token\": \"<|endoftext|>\", \"pad_token\": \"[PAD]\""),
                           std::string("the secret: nobody knows"),
                           std::string("sk-learn-contrib-and-a-very-long-name-that-goes-on-and-on"),
                           "-----BEGIN PUBLIC KEY-----\n" + characters(64),
                           std::string("-----BEGIN PRIVATE KEY-----\n...\n"),
                           jwt("{\"typ\":\"x\"}", "{}"),
                           jwt("{\"alg\":\"x\"}", "[]"),
                           "eyJ" + characters(60)}) {
    EXPECT_THAT(find_secrets(text), IsEmpty()) << text;
  }
}

TEST(Secrets, OfAWrongLengthAreNone) {
  EXPECT_THAT(find_secrets("hf_" + characters(33)), IsEmpty());
  EXPECT_THAT(find_secrets("hf_" + characters(35)), IsEmpty());
  EXPECT_THAT(find_secrets("_hf_" + characters(34)), IsEmpty());
}

TEST(Secrets, CarryWhatTheirChecksumSays) {
  const std::string good = github_token();
  std::string bad = good;
  bad[10] = bad[10] == 'a' ? 'b' : 'a';
  EXPECT_EQ(find_secrets(good).at(0).validity, Validity::kValid);
  EXPECT_EQ(find_secrets(bad).at(0).validity, Validity::kInvalid);
  EXPECT_EQ(find_secrets("hf_" + characters(34)).at(0).validity, Validity::kNoChecksum);
  const std::string fine = "github_pat_" + characters(22) + "_";
  EXPECT_EQ(find_secrets(fine + testing::with_checksum("", characters(53))).at(0).validity, Validity::kValid);
}

// The specimen by which the checksum was explained in public. It is in pieces so that no scanner takes it for
// a leak.
TEST(Secrets, KnowGitHubsChecksum) {
  const std::string specimen = std::string("ghp_") + "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ" + "0mLq17";
  ASSERT_THAT(find_secrets(specimen), SizeIs(1));
  EXPECT_EQ(find_secrets(specimen)[0].validity, Validity::kValid);
}

TEST(Secrets, IncludePrivateKeysInEveryDress) {
  for (const auto* label :
       {"PRIVATE KEY", "RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"}) {
    for (const auto* line_end : {"\n", "\r\n", "\\n", "\",\n\""}) {
      const auto found = find_secrets(pem(label, line_end));
      ASSERT_THAT(found, SizeIs(1)) << label << line_end;
      EXPECT_EQ(found[0].pattern, "private-key");
      EXPECT_THAT(found[0].masked, HasSubstr(label));
    }
  }
}

TEST(Secrets, AreNamedByTheirFormWhenAssigned) {
  const auto found = find_secrets("api_key = \"" + github_token() + "\"");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].pattern, "github-token");
}

TEST(Secrets, AreBounded) {
  std::string text;
  for (std::uint64_t i = 0; i < SecretScanner::kMaxMatches + 5; ++i) text += github_token(i) + "\n";
  SecretScanner scanner;
  scanner.feed(base::as_bytes(text));
  scanner.finish();
  EXPECT_THAT(scanner.matches(), SizeIs(SecretScanner::kMaxMatches));
  EXPECT_EQ(scanner.dropped(), 5U);
}

TEST(Patterns, AreWhole) {
  for (const auto& pattern : secret_patterns()) {
    EXPECT_FALSE(pattern.id.empty());
    EXPECT_FALSE(pattern.title.empty());
    EXPECT_FALSE(pattern.source.empty()) << pattern.id;
    EXPECT_GE(pattern.keyword.size(), 3U) << pattern.id;
    EXPECT_LE(pattern.min, pattern.max) << pattern.id;
    EXPECT_LT(pattern.max, SecretScanner::kAfter / 2) << pattern.id;
  }
}

TEST(Entropy, IsShannons) {
  EXPECT_DOUBLE_EQ(entropy_of(""), 0.0);
  EXPECT_DOUBLE_EQ(entropy_of("aaaa"), 0.0);
  EXPECT_DOUBLE_EQ(entropy_of("abab"), 1.0);
  EXPECT_DOUBLE_EQ(entropy_of("abcdefgh"), 3.0);
}

TEST(Keywords, AreFoundInOnePassInAnyCase) {
  const std::vector<std::string_view> words{"he", "she", "hers"};
  const KeywordSet set(words);
  std::vector<std::pair<std::uint32_t, std::size_t>> hits;
  auto state = KeywordSet::kStart;
  set.scan(state, "uS", [&](std::uint32_t word, std::size_t end) { hits.emplace_back(word, end); });
  set.scan(state, "HErs", [&](std::uint32_t word, std::size_t end) { hits.emplace_back(word, end); });
  const std::vector<std::pair<std::uint32_t, std::size_t>> expected{{1, 2}, {0, 2}, {2, 4}};
  EXPECT_EQ(hits, expected);
}

}  // namespace
}  // namespace holdfast::patterns
