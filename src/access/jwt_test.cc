#include "access/jwt.h"

#include <gmock/gmock-matchers.h>

#include "access/jwt_builder.h"

namespace holdfast::access {
namespace {

using base::ErrorCode;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kHeader = R"({"alg":"EdDSA","typ":"JWT","kid":"k1"})";
constexpr std::string_view kClaims =
    R"({"iss":"s","sub":"s","aud":"us","jti":"1","iat":1764000000,"exp":1764000120,"other":[1,{"a":null}]})";

base::Result<Jwt> parse(std::string_view header, std::string_view claims, std::string_view signature = "x") {
  return parse_jwt(encode(header) + "." + encode(claims) + "." + encode(signature));
}

std::string refusal(const base::Result<Jwt>& result) {
  EXPECT_FALSE(result.has_value());
  if (result) return {};
  EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
  return result.error().message;
}

std::string with(const char* name, json value) {
  json claims = json::parse(kClaims);
  claims[name] = std::move(value);
  return claims.dump();
}

TEST(Jwt, IsReadWhole) {
  const auto token = parse(kHeader, kClaims);
  ASSERT_TRUE(token) << token.error().message;
  EXPECT_EQ(token->algorithm, "EdDSA");
  EXPECT_EQ(token->key_id, "k1");
  EXPECT_EQ(token->issuer, "s");
  EXPECT_EQ(token->subject, "s");
  EXPECT_THAT(token->audience, ElementsAre("us"));
  EXPECT_EQ(token->id, "1");
  EXPECT_EQ(token->issued_at, 1764000000);
  EXPECT_EQ(token->expires, 1764000120);
  EXPECT_FALSE(token->not_before);
  EXPECT_EQ(token->signed_text, encode(kHeader) + "." + encode(kClaims));
  EXPECT_EQ(base::as_text(token->signature), "x");
  EXPECT_THAT(parse(kHeader, with("aud", {"a", "b"}))->audience, ElementsAre("a", "b"));
  EXPECT_EQ(parse(kHeader, with("nbf", 7))->not_before, 7);
}

TEST(Jwt, TheHeaderChoosesNothing) {
  for (const char* member :
       {R"("jku":"https://elsewhere")", R"("jwk":{})", R"("x5u":"https://elsewhere")", R"("x5c":[])",
        R"("crit":["exp"])", R"("zip":"DEF")", R"("b64":false)", R"("enc":"x")"}) {
    EXPECT_THAT(refusal(parse(std::string(R"({"alg":"EdDSA",)") + member + "}", kClaims)),
                HasSubstr("may hold alg, kid and typ"));
  }
  for (const char* type : {"at+jwt", "id_token", "dpop+jwt", "secevent+jwt"}) {
    EXPECT_THAT(refusal(parse(json{{"alg", "EdDSA"}, {"typ", type}}.dump(), kClaims)),
                HasSubstr("another kind of token"));
  }
  EXPECT_TRUE(parse(R"({"alg":"EdDSA","typ":"client-authentication+jwt"})", kClaims));
  EXPECT_THAT(refusal(parse(R"({"alg":"EdDSA","alg":"none"})", kClaims)), HasSubstr("stands twice"));
  EXPECT_THAT(refusal(parse(R"({"alg":7})", kClaims)), HasSubstr("alg"));
  EXPECT_THAT(refusal(parse(R"({})", kClaims)), HasSubstr("alg"));
  EXPECT_THAT(refusal(parse(R"({"alg":"EdDSA","kid":"a\nb"})", kClaims)), HasSubstr("kid"));
  EXPECT_THAT(refusal(parse("[]", kClaims)), HasSubstr("no JSON object"));
}

TEST(Jwt, EveryClaimIsThereAndWellFormed) {
  for (const char* name : {"iss", "sub", "aud", "jti", "iat", "exp"}) {
    json claims = json::parse(kClaims);
    claims.erase(name);
    EXPECT_THAT(refusal(parse(kHeader, claims.dump())), HasSubstr(name));
    EXPECT_THAT(refusal(parse(kHeader, with(name, nullptr))), HasSubstr(name));
    EXPECT_THAT(refusal(parse(kHeader, with(name, ""))), HasSubstr(name));
    EXPECT_THAT(refusal(parse(kHeader, with(name, std::string(300, 'a')))), HasSubstr(name));
  }
  for (const json& time : {json(-1), json(1.5), json("1764000120"), json(1e300), json(253402300800),
                           json(18446744073709551615ULL)}) {
    EXPECT_THAT(refusal(parse(kHeader, with("exp", time))), HasSubstr("exp")) << time;
    EXPECT_THAT(refusal(parse(kHeader, with("nbf", time))), HasSubstr("nbf")) << time;
  }
  EXPECT_THAT(refusal(parse(kHeader, with("aud", json::array()))), HasSubstr("aud"));
  EXPECT_THAT(refusal(parse(kHeader, with("aud", {1, "a"}))), HasSubstr("aud"));
  EXPECT_THAT(refusal(parse(kHeader, R"({"iss":"s","iss":"t"})")), HasSubstr("stands twice"));
  std::string deep(200, '[');
  EXPECT_THAT(refusal(parse(kHeader, R"({"a":)" + deep)), HasSubstr("nested deeper"));
}

TEST(Jwt, HasThreePartsOfBase64Url) {
  const std::string good = encode(kHeader) + "." + encode(kClaims) + "." + encode("x");
  EXPECT_TRUE(parse_jwt(good));
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), good + ".", good + "=", "." + good,
        good.substr(0, good.rfind('.')), good.substr(0, good.rfind('.') + 1), " " + good, good + "\n"}) {
    EXPECT_FALSE(parse_jwt(bad)) << bad;
  }
  EXPECT_EQ(parse_jwt(std::string(kMaxJwtBytes + 1, 'a')).error().code, ErrorCode::kLimitExceeded);
}

}  // namespace
}  // namespace holdfast::access
