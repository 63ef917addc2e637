#include "crypto/dsse.h"

#include <gmock/gmock-matchers.h>

#include <nlohmann/json.hpp>

#include "base/encoding.h"
#include "base/json.h"

namespace holdfast::crypto {
namespace {

using base::as_bytes;
using base::as_text;
using base::Bytes;
using base::ErrorCode;
using nlohmann::json;
using testing::HasSubstr;

constexpr std::string_view kType = "application/vnd.in-toto+json";

Bytes bytes(std::string_view text) { return Bytes(text.begin(), text.end()); }

// Two keys, an envelope over "{}" signed by the first.
class Dsse : public testing::Test {
 protected:
  PrivateKey first_ = PrivateKey::generate(KeyAlgorithm::kEcdsaP256);
  PrivateKey second_ = PrivateKey::generate(KeyAlgorithm::kEd25519);
  DsseEnvelope envelope_ = DsseEnvelope::sign(std::string(kType), bytes("{}"), first_);
  std::vector<PublicKey> both_{first_.public_key(), second_.public_key()};
  std::vector<PublicKey> only_first_{first_.public_key()};
  std::vector<PublicKey> only_second_{second_.public_key()};
};

TEST_F(Dsse, EncodesAsTheProtocolsExample) {
  EXPECT_EQ(as_text(dsse_pre_authentication("http://example.com/HelloWorld", as_bytes("hello world"))),
            "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
  EXPECT_EQ(as_text(dsse_pre_authentication("t", {})), "DSSEv1 1 t 0 ");
}

TEST_F(Dsse, VerifiesTheProtocolsExample) {
  // protocol.md, Test Vectors: there the key by its coordinates and the signature as r and s side by side,
  // here the same as SubjectPublicKeyInfo and DER.
  const auto key = PublicKey::from_pem(
      "-----BEGIN PUBLIC KEY-----\n"
      "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZ805D3eqNZywjCI19lInBJOp7YMrCrzAH3CVTAOQ0jgMeCvVTiaRJaRPRDOv8UMs6U"
      "4SvKc6pnrI"
      "DOoSYI3fdA==\n-----END PUBLIC KEY-----\n");
  const auto envelope = DsseEnvelope::parse(
      R"({"payload": "aGVsbG8gd29ybGQ=", "payloadType": "http://example.com/HelloWorld", "signatures": [{"sig":
      "MEQCIANyarEBrVbCdjtsaqyOSHJ14qeRk6CdxfhZ2fjvPEo7AiBR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="}]})");
  ASSERT_TRUE(key && envelope);
  const std::vector known{*key};
  const auto verified = envelope->verify("http://example.com/HelloWorld", known);
  ASSERT_TRUE(verified.has_value()) << verified.error().message;
  EXPECT_EQ(as_text(verified->bytes()), "hello world");
}

TEST_F(Dsse, GivesThePayloadToWhoTrustsTheSigner) {
  const auto again = DsseEnvelope::parse(envelope_.write());
  ASSERT_TRUE(again.has_value()) << again.error().message;
  const auto verified = again->verify(kType, both_);
  ASSERT_TRUE(verified.has_value()) << verified.error().message;
  EXPECT_EQ(as_text(verified->bytes()), "{}");
  EXPECT_EQ(verified->type(), kType);
  EXPECT_THAT(verified->signers(), testing::ElementsAre(first_.public_key().id()));
  EXPECT_EQ(again->signatures().front().key_id, first_.public_key().id().hex());
}

TEST_F(Dsse, RefusesStrangersAndOtherTypes) {
  EXPECT_EQ(envelope_.verify(kType, only_second_).error().code, ErrorCode::kUnauthenticated);
  EXPECT_EQ(envelope_.verify(kType, {}).error().code, ErrorCode::kUnauthenticated);
  EXPECT_EQ(envelope_.verify("application/json", only_first_).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(envelope_.verify(kType, only_first_, 0).error().code, ErrorCode::kInvalidArgument);
  const std::vector many(kMaxDsseKeys + 1, first_.public_key());
  EXPECT_EQ(envelope_.verify(kType, many).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(Dsse, AThresholdCountsDifferentKeys) {
  ASSERT_TRUE(envelope_.add_signature(first_));
  const std::vector twice{first_.public_key(), first_.public_key()};
  const auto refused = envelope_.verify(kType, twice, 2);
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr("1 of the 2"));
  ASSERT_TRUE(envelope_.add_signature(second_));
  const auto verified = envelope_.verify(kType, both_, 2);
  ASSERT_TRUE(verified.has_value());
  EXPECT_THAT(verified->signers(), testing::ElementsAre(first_.public_key().id(), second_.public_key().id()));
  EXPECT_TRUE(envelope_.verify(kType, only_second_));
}

TEST_F(Dsse, TheKeyIdIsAHintAndNoMore) {
  json value = envelope_.to_json();
  value["signatures"][0]["keyid"] = second_.public_key().id().hex();
  EXPECT_FALSE(DsseEnvelope::from_json(value)->verify(kType, only_second_));
  EXPECT_TRUE(DsseEnvelope::from_json(value)->verify(kType, only_first_));
  value["signatures"][0]["keyid"] = nullptr;
  EXPECT_TRUE(DsseEnvelope::from_json(value)->verify(kType, only_first_));
  value["signatures"][0].erase("keyid");
  EXPECT_TRUE(DsseEnvelope::from_json(value)->verify(kType, only_first_));
}

TEST_F(Dsse, EveryChangeOfPayloadTypeOrSignatureIsSeen) {
  const json good = envelope_.to_json();
  for (const auto& [pointer, value] :
       std::map<std::string, std::string>{{"/payload", "e30K"},
                                          {"/payload", ""},
                                          {"/payloadType", "application/vnd.in-toto+jsoN"},
                                          {"/signatures/0/sig", ""},
                                          {"/signatures/0/sig", "AAAA"}}) {
    json changed = good;
    changed[json::json_pointer(pointer)] = value;
    const auto envelope = DsseEnvelope::from_json(changed);
    ASSERT_TRUE(envelope.has_value()) << envelope.error().message;
    EXPECT_FALSE(envelope->verify(changed["payloadType"].get<std::string>(), only_first_)) << pointer;
  }
}

TEST_F(Dsse, TakesEitherAlphabetOfBase64) {
  const auto envelope = DsseEnvelope::sign("t", bytes("\xfb\xff\xfe"), first_);
  json value = envelope.to_json();
  ASSERT_EQ(value["payload"], "+//+");
  for (const char* text : {"+//+", "-__-"}) {
    value["payload"] = text;
    EXPECT_TRUE(DsseEnvelope::from_json(value)->verify("t", only_first_)) << text;
  }
  for (const char* text : {"+__+", "+//", " +//+", "+//+\n"}) {
    value["payload"] = text;
    EXPECT_FALSE(DsseEnvelope::from_json(value)) << text;
  }
}

TEST_F(Dsse, RefusesOtherShapes) {
  const json good = envelope_.to_json();
  const auto refuses = [](const json& value) {
    const auto envelope = DsseEnvelope::parse(value.dump());
    EXPECT_FALSE(envelope.has_value()) << value;
    EXPECT_EQ(envelope.error().code, ErrorCode::kDataCorrupt) << value;
  };
  for (const char* member : {"payload", "payloadType", "signatures"}) {
    json value = good;
    value.erase(member);
    refuses(value);
    for (const json& wrong : {json(nullptr), json(1), json::object(), json::array({json::array()})}) {
      value[member] = wrong;
      refuses(value);
    }
  }
  refuses(json::array());
  refuses(json("x"));
  json value = good;
  value["extra"] = 1;
  refuses(value);
  value = good;
  value["signatures"][0]["cert"] = "x";
  refuses(value);
  value = good;
  value["signatures"] = json::array();
  refuses(value);
  value = good;
  value["payloadType"] = "";
  refuses(value);
}

TEST_F(Dsse, EveryTruncationIsRefused) {
  const std::string text = envelope_.write();
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_FALSE(DsseEnvelope::parse(text.substr(0, size)));
}

TEST_F(Dsse, BoundsSignaturesAndTheirSizes) {
  for (std::size_t i = 1; i < kMaxDsseSignatures; ++i) ASSERT_TRUE(envelope_.add_signature(second_));
  EXPECT_EQ(envelope_.add_signature(second_).error().code, ErrorCode::kLimitExceeded);
  json value = envelope_.to_json();
  EXPECT_TRUE(DsseEnvelope::from_json(value));
  value["signatures"].push_back(value["signatures"][0]);
  EXPECT_EQ(DsseEnvelope::from_json(value).error().code, ErrorCode::kLimitExceeded);
  value = envelope_.to_json();
  value["signatures"][0]["sig"] = std::string(16UL << 10, 'A');
  EXPECT_EQ(DsseEnvelope::from_json(value).error().code, ErrorCode::kLimitExceeded);
}

}  // namespace
}  // namespace holdfast::crypto
