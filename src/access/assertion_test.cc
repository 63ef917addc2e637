#include "access/assertion.h"

#include <gmock/gmock-matchers.h>

#include <sstream>

#include "access/jwt_builder.h"
#include "access/testing.h"
#include "base/file.h"
#include "crypto/hmac.h"

namespace holdfast::access {
namespace {

using base::ErrorCode;
using crypto::KeyAlgorithm;
using crypto::PrivateKey;
using nlohmann::json;
using testing::HasSubstr;

constexpr std::int64_t kNow = 1'764'000'000;
const auto kMoment = base::Timestamp::from_microseconds(kNow * 1'000'000);

const PrivateKey& ed25519() {
  static const PrivateKey kKey = PrivateKey::generate(KeyAlgorithm::kEd25519);
  return kKey;
}
const PrivateKey& p256() {
  static const PrivateKey kKey = PrivateKey::generate(KeyAlgorithm::kEcdsaP256);
  return kKey;
}
std::vector<ServiceKey> keys() { return {{"ed", ed25519().public_key()}, {"ec", p256().public_key()}}; }
json claims() { return good_claims("svc", kIssuer, kNow, "1"); }
json with(const char* name, json value) {
  json changed = claims();
  changed[name] = std::move(value);
  return changed;
}

base::Result<> check(const std::string& token, base::Timestamp now = kMoment) {
  HF_TRY(const Jwt parsed, parse_jwt(token));
  const auto known = keys();
  return check_assertion(parsed, "svc", kIssuer, known, now);
}
base::Result<> check(std::string_view header, const json& claims_of, base::Timestamp now = kMoment) {
  return check(sign_jwt(ed25519(), header, claims_of.dump()), now);
}
constexpr std::string_view kHeader = R"({"alg":"EdDSA"})";

TEST(Assertion, IsAcceptedFromEitherKindOfKey) {
  EXPECT_TRUE(check(kHeader, claims()));
  EXPECT_TRUE(check(R"({"alg":"EdDSA","kid":"ed"})", claims()));
  EXPECT_TRUE(check(kHeader, with("aud", json::array({kIssuer}))));
  // Often enough that r or s is short, and needs DER's leading zero or none.
  for (int i = 0; i < 200; ++i) {
    const auto token = sign_jwt(p256(), R"({"alg":"ES256"})", with("jti", std::to_string(i)).dump());
    ASSERT_TRUE(check(token)) << token;
  }
}

TEST(Assertion, OfAnotherLibraryIsAccepted) {
  const auto bytes = base::read_file(HOLDFAST_TESTDATA "/pyjwt_assertions.txt", 1UL << 20);
  ASSERT_TRUE(bytes) << bytes.error().message;
  std::istringstream lines{std::string(base::as_text(*bytes))};
  int accepted = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string algorithm;
    std::string key;
    std::string token;
    words >> algorithm >> key >> token;
    const auto parsed = parse_jwt(token);
    ASSERT_TRUE(parsed) << parsed.error().message;
    const auto known = crypto::PublicKey::from_der(base::base64_decode(key).value());
    EXPECT_EQ(jws_algorithm(known->algorithm()).value(), algorithm);
    const std::vector<ServiceKey> right{{"k1", *known}};
    const auto checked = check_assertion(*parsed, "svc", kIssuer, right, kMoment);
    EXPECT_TRUE(checked) << checked.error().message;
    EXPECT_FALSE(check_assertion(*parsed, "svc", kIssuer, keys(), kMoment));
    ++accepted;
  }
  EXPECT_EQ(accepted, 4);
}

TEST(Assertion, TheAlgorithmIsTheKeysNotTheHeaders) {
  const std::string text = encode(R"({"alg":"HS256"})") + "." + encode(claims().dump());
  const std::string pem = p256().public_key().to_pem();
  const auto mac = crypto::hmac_sha256(base::as_bytes(pem), base::as_bytes(text));
  EXPECT_EQ(code_of(check(text + "." + base::base64_encode(mac.bytes(), base::Base64::kUrl))),
            ErrorCode::kUnauthenticated);
  for (const char* algorithm : {"none", "None", "HS256", "RS256", "ES256", "ES384", "eddsa"}) {
    EXPECT_EQ(code_of(check(json{{"alg", algorithm}}.dump(), claims())), ErrorCode::kUnauthenticated)
        << algorithm;
  }
  EXPECT_EQ(code_of(check(sign_jwt(p256(), kHeader, claims().dump()))), ErrorCode::kUnauthenticated);
  EXPECT_EQ(code_of(jws_algorithm(KeyAlgorithm::kEcdsaP384)), ErrorCode::kUnsupported);
}

TEST(Assertion, TheKeyIdIsANameInAMap) {
  for (const char* id : {"../x", "ec", "nobody", "/etc/passwd", "' OR 1=1"}) {
    EXPECT_EQ(code_of(check(json{{"alg", "EdDSA"}, {"kid", id}}.dump(), claims())),
              ErrorCode::kUnauthenticated)
        << id;
  }
}

TEST(Assertion, ANotherKeysOrAChangedSignatureIsRefused) {
  const auto other = PrivateKey::generate(KeyAlgorithm::kEd25519);
  EXPECT_EQ(code_of(check(sign_jwt(other, kHeader, claims().dump()))), ErrorCode::kUnauthenticated);
  const std::string good = sign_jwt(ed25519(), kHeader, claims().dump());
  const std::size_t first = good.find('.');
  const std::size_t second = good.find('.', first + 1);
  const std::string swapped =
      good.substr(0, first + 1) + encode(with("exp", kNow + 200).dump()) + good.substr(second);
  EXPECT_EQ(code_of(check(swapped)), ErrorCode::kUnauthenticated);
  EXPECT_EQ(code_of(check(good.substr(0, second + 1) + encode("short"))), ErrorCode::kUnauthenticated);
  for (const int byte : {0x00, 0xFF}) {
    const base::Bytes odd(64, static_cast<std::uint8_t>(byte));
    const std::string text = encode(R"({"alg":"ES256"})") + "." + encode(claims().dump()) + ".";
    EXPECT_EQ(code_of(check(text + base::base64_encode(odd, base::Base64::kUrl))),
              ErrorCode::kUnauthenticated);
  }
}

TEST(Assertion, IsForUsAloneAndFromTheService) {
  for (const json& audience : {json("https://other.example"), json::array({kIssuer, "https://other.example"}),
                               json::array({kIssuer, kIssuer}), json(std::string(kIssuer) + "/")}) {
    EXPECT_THAT(message_of(check(kHeader, with("aud", audience))), HasSubstr("aud")) << audience;
  }
  EXPECT_THAT(message_of(check(kHeader, with("iss", "other"))), HasSubstr("iss and sub"));
  EXPECT_THAT(message_of(check(kHeader, with("sub", "other"))), HasSubstr("iss and sub"));
}

TEST(Assertion, LivesForMinutes) {
  using std::chrono::seconds;
  EXPECT_TRUE(check(kHeader, claims(), kMoment + seconds(119)));
  EXPECT_THAT(message_of(check(kHeader, claims(), kMoment + seconds(120))), HasSubstr("expired"));
  EXPECT_TRUE(check(kHeader, with("exp", kNow + 300)));
  EXPECT_THAT(message_of(check(kHeader, with("exp", kNow + 301))), HasSubstr("at most 300 s"));
  EXPECT_THAT(message_of(check(kHeader, with("exp", kNow))), HasSubstr("exp"));
  EXPECT_THAT(message_of(check(kHeader, with("iat", 0))), HasSubstr("exp"));
  EXPECT_TRUE(check(kHeader, claims(), kMoment + seconds(-30)));
  EXPECT_THAT(message_of(check(kHeader, claims(), kMoment + seconds(-31))),
              HasSubstr("iat is in the future"));
  EXPECT_THAT(message_of(check(kHeader, with("nbf", kNow + 31))), HasSubstr("nbf"));
}

}  // namespace
}  // namespace holdfast::access
