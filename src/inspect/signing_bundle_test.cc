#include "inspect/signing_bundle.h"

#include <gmock/gmock-matchers.h>

#include <functional>

#include <nlohmann/json.hpp>

#include "base/encoding.h"
#include "base/file.h"
#include "base/random.h"
#include "crypto/x509_authority.h"

namespace holdfast::inspect {
namespace {

using base::Bytes;
using base::ErrorCode;
using nlohmann::json;

const crypto::PrivateKey& signer() {
  static const crypto::PrivateKey kKey = crypto::PrivateKey::generate(crypto::KeyAlgorithm::kEcdsaP256);
  return kKey;
}

SigningBundle by_key() {
  return {.key_hint = key_hint(signer().public_key()),
          .certificates = {},
          .envelope = crypto::DsseEnvelope::sign("t", Bytes{1, 2}, signer())};
}

SigningBundle by_certificates() {
  SigningBundle bundle = by_key();
  bundle.key_hint.clear();
  const auto authority =
      crypto::CertificateAuthority::create("root", base::system_clock(), base::system_random()).value();
  bundle.certificates = {authority.certificate(), authority.certificate()};
  return bundle;
}

json changed(const SigningBundle& bundle, const std::function<void(json&)>& change) {
  json value = json::parse(write_bundle(bundle));
  change(value);
  return value;
}

void expect_refused(const json& value, ErrorCode code = ErrorCode::kDataCorrupt) {
  const auto bundle = parse_bundle(value.dump());
  ASSERT_FALSE(bundle.has_value()) << value;
  EXPECT_EQ(bundle.error().code, code) << bundle.error().message;
}

void expect_accepted(const json& value) {
  const auto bundle = parse_bundle(value.dump());
  EXPECT_TRUE(bundle.has_value()) << value << (bundle ? "" : bundle.error().message);
}

TEST(SigningBundle, ComesBackFromItsText) {
  const auto with_key = parse_bundle(write_bundle(by_key()));
  ASSERT_TRUE(with_key.has_value()) << with_key.error().message;
  EXPECT_EQ(with_key->key_hint, key_hint(signer().public_key()));
  EXPECT_TRUE(with_key->certificates.empty());
  const SigningBundle chain = by_certificates();
  const auto with_chain = parse_bundle(write_bundle(chain));
  ASSERT_TRUE(with_chain.has_value()) << with_chain.error().message;
  EXPECT_EQ(with_chain->certificates, chain.certificates);
}

TEST(SigningBundle, NamesAKeyByTheDigestOfItsText) {
  // As release 1.1.1 of the tool names it.
  const auto pem = base::read_file(HOLDFAST_TESTDATA "/signing/public.pem", 4096).value();
  EXPECT_EQ(key_hint(crypto::PublicKey::from_pem(base::as_text(pem)).value()),
            "6c05c4e085916a5e5ac40516a5e8b4374da1cbe03c20554c0bbc2c8f4ffaafe2");
}

TEST(SigningBundle, RefusesUnknownMembersEverywhere) {
  for (const char* at : {"", "/verificationMaterial", "/verificationMaterial/publicKey", "/dsseEnvelope",
                         "/dsseEnvelope/signatures/0"}) {
    expect_refused(changed(by_key(), [&](json& value) { value[json::json_pointer(at)]["unknown"] = 1; }));
  }
  for (const char* at : {"/verificationMaterial/x509CertificateChain",
                         "/verificationMaterial/x509CertificateChain/certificates/0"}) {
    expect_refused(
        changed(by_certificates(), [&](json& value) { value[json::json_pointer(at)]["unknown"] = 1; }));
  }
}

TEST(SigningBundle, RefusesOtherShapes) {
  for (const char* at :
       {"/mediaType", "/verificationMaterial", "/verificationMaterial/publicKey", "/dsseEnvelope"}) {
    for (const json& wrong : {json(nullptr), json(1), json("x"), json::array()}) {
      expect_refused(changed(by_key(), [&](json& value) { value[json::json_pointer(at)] = wrong; }));
    }
    expect_refused(changed(by_key(), [&](json& value) {
      const json::json_pointer pointer(at);
      value[pointer.parent_pointer()].erase(pointer.back());
    }));
  }
  expect_refused(json::array());
  expect_refused(changed(by_key(), [](json& value) {
    value["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.2";
  }));
  expect_refused(changed(by_key(), [](json& value) { value["messageSignature"] = json::object(); }));
  expect_refused(
      changed(by_key(), [](json& value) { value["verificationMaterial"]["publicKey"]["hint"] = 1; }));
  expect_refused(changed(by_key(), [](json& value) { value["verificationMaterial"]["tlogEntries"] = 1; }));
  expect_refused(changed(by_key(), [](json& value) {
    value["verificationMaterial"]["timestampVerificationData"] = {{"other", 1}};
  }));
}

TEST(SigningBundle, TakesExactlyOneSignatureAndOneKindOfMaterial) {
  expect_refused(changed(by_key(), [](json& value) {
    value["dsseEnvelope"]["signatures"].push_back(value["dsseEnvelope"]["signatures"][0]);
  }));
  expect_refused(changed(by_certificates(),
                         [](json& value) { value["verificationMaterial"]["publicKey"] = {{"hint", "x"}}; }));
  expect_refused(changed(by_key(), [](json& value) {
    value["verificationMaterial"]["x509CertificateChain"] = {{"certificates", json::array()}};
    value["verificationMaterial"].erase("publicKey");
  }));
}

TEST(SigningBundle, RefusesBrokenCertificatesAndTooMany) {
  const auto certificates = [](json& value) -> json& {
    return value["verificationMaterial"]["x509CertificateChain"]["certificates"];
  };
  for (const json& wrong : {json(nullptr), json(1), json("!"), json("AAAA")}) {
    const auto bundle = parse_bundle(
        changed(by_certificates(), [&](json& value) { certificates(value)[1]["rawBytes"] = wrong; }).dump());
    EXPECT_FALSE(bundle.has_value()) << wrong;
  }
  expect_refused(changed(by_certificates(),
                         [&](json& value) {
                           while (certificates(value).size() <= kMaxBundleCertificates) {
                             certificates(value).push_back(certificates(value)[0]);
                           }
                         }),
                 ErrorCode::kLimitExceeded);
}

TEST(SigningBundle, NamesBundlesOfASigstoreService) {
  expect_refused(
      changed(by_key(),
              [](json& value) { value["verificationMaterial"] = {{"certificate", {{"rawBytes", "AA=="}}}}; }),
      ErrorCode::kUnsupported);
  expect_refused(
      changed(by_key(),
              [](json& value) { value["verificationMaterial"]["tlogEntries"].push_back(json::object()); }),
      ErrorCode::kUnsupported);
}

TEST(SigningBundle, TakesWhatOtherWritersLeaveOutOrAdd) {
  expect_accepted(changed(by_key(), [](json& value) { value["verificationMaterial"].erase("tlogEntries"); }));
  expect_accepted(changed(by_key(), [](json& value) {
    value["verificationMaterial"]["publicKey"] = {{"rawBytes", "AA=="},
                                                  {"keyDetails", "PKIX_ECDSA_P256_SHA_256"}};
  }));
  expect_accepted(changed(by_key(), [](json& value) {
    value["messageSignature"] = nullptr;
    value["verificationMaterial"]["certificate"] = nullptr;
    value["dsseEnvelope"]["signatures"][0]["keyid"] = nullptr;
  }));
  expect_accepted(changed(by_key(), [](json& value) {
    value["verificationMaterial"]["timestampVerificationData"] = {{"rfc3161Timestamps", json::array()}};
  }));
}

TEST(SigningBundle, EveryTruncationIsRefused) {
  const std::string text = write_bundle(by_key());
  for (std::size_t size = 0; size < text.size(); ++size) EXPECT_FALSE(parse_bundle(text.substr(0, size)));
}

TEST(SigningBundle, BoundsItsSize) {
  EXPECT_EQ(parse_bundle(std::string(kMaxBundleBytes + 1, ' ')).error().code, ErrorCode::kLimitExceeded);
}

}  // namespace
}  // namespace holdfast::inspect
