#include "registry/statement.h"

#include <gmock/gmock-matchers.h>

#include <nlohmann/json.hpp>

#include "crypto/dsse.h"
#include "crypto/sha256.h"

namespace holdfast::registry {
namespace {

using base::ErrorCode;

const crypto::PrivateKey& key() {
  static const auto made = crypto::PrivateKey::generate(crypto::KeyAlgorithm::kEcdsaP256);
  return made;
}

Statement sample() {
  return {.subject_name = "credit",
          .subject = crypto::sha256(base::as_bytes("model")),
          .predicate_type = std::string(kEvaluationPredicate),
          .predicate_json = R"({"figures":[1,2],"split":"test"})"};
}

std::string envelope_of(const nlohmann::json& statement) {
  const auto text = statement.dump();
  return crypto::DsseEnvelope::sign(std::string(kStatementPayloadType), base::Bytes(text.begin(), text.end()),
                                    key())
      .write();
}

nlohmann::json statement_json() {
  const std::vector trusted{key().public_key()};
  const auto envelope = sign_statement(sample(), key()).value();
  const auto payload =
      crypto::DsseEnvelope::parse(envelope).value().verify(kStatementPayloadType, trusted).value();
  return nlohmann::json::parse(base::as_text(payload.bytes()));
}

ErrorCode opened(std::string_view envelope, const crypto::PublicKey& trusted) {
  const std::vector keys{trusted};
  return open_statement(envelope, keys).error().code;
}

TEST(Statement, IsReadBackAsItWasSigned) {
  const std::vector trusted{key().public_key()};
  const auto read = open_statement(sign_statement(sample(), key()).value(), trusted).value();
  EXPECT_EQ(read.subject_name, "credit");
  EXPECT_EQ(read.subject, sample().subject);
  EXPECT_EQ(read.predicate_type, sample().predicate_type);
  EXPECT_EQ(read.predicate_json, sample().predicate_json);
}

TEST(Statement, IsAnInTotoStatement) {
  const auto value = statement_json();
  EXPECT_EQ(value["_type"], "https://in-toto.io/Statement/v1");
  EXPECT_EQ(value["subject"][0]["digest"]["sha256"], sample().subject.hex());
}

TEST(Statement, OfAnotherSignerIsNone) {
  const auto other = crypto::PrivateKey::generate(crypto::KeyAlgorithm::kEcdsaP256);
  EXPECT_EQ(opened(sign_statement(sample(), other).value(), key().public_key()), ErrorCode::kUnauthenticated);
}

TEST(Statement, WithoutOneOfItsMembersIsNone) {
  for (const auto* member : {"_type", "subject", "predicateType", "predicate"}) {
    auto value = statement_json();
    value.erase(member);
    EXPECT_EQ(opened(envelope_of(value), key().public_key()), ErrorCode::kDataCorrupt) << member;
    value[member] = 7;
    EXPECT_EQ(opened(envelope_of(value), key().public_key()), ErrorCode::kDataCorrupt) << member;
  }
}

TEST(Statement, IsAboutOneArtefact) {
  auto value = statement_json();
  value["subject"].push_back(value["subject"][0]);
  EXPECT_EQ(opened(envelope_of(value), key().public_key()), ErrorCode::kDataCorrupt);
  value["subject"] = nlohmann::json::array({{{"name", "x"}, {"digest", {{"md5", "00"}}}}});
  EXPECT_EQ(opened(envelope_of(value), key().public_key()), ErrorCode::kDataCorrupt);
}

TEST(Statement, HoldsNoFloatingPointNumber) {
  auto statement = sample();
  statement.predicate_json = R"({"accuracy":0.5})";
  EXPECT_EQ(sign_statement(statement, key()).error().code, ErrorCode::kUnsupported);
  statement.predicate_json = "[]";
  EXPECT_EQ(sign_statement(statement, key()).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace holdfast::registry
