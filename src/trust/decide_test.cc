#include "trust/decide.h"

#include <gmock/gmock-matchers.h>

#include "crypto/x509_authority.h"
#include "trust/testing.h"

namespace holdfast::trust {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

constexpr const char* kCredit = R"(
[[allow]]
name = "credit models"
artefacts = ["credit", "credit-*"]
signers = ["release"]
)";

std::string reason(const tl::expected<Acceptance, TrustRefusal>& decision) {
  EXPECT_FALSE(decision.has_value());
  return decision ? std::string() : decision.error().error.message;
}

std::string provenance(const std::string& builder, const std::string& type = "urn:holdfast:train:v1") {
  return provenance_json({.build_type = type,
                          .builder = builder,
                          .builder_version = "1",
                          .parameters = {},
                          .dependencies = {},
                          .started_on = kNow,
                          .finished_on = kNow});
}

std::string summary(bool passed, base::Timestamp at) {
  return verification_summary_json({.verifier = "urn:holdfast:inspect",
                                    .verifier_version = "1",
                                    .at = at,
                                    .resource_uri = "pkg:generic/credit",
                                    .policy_uri = "urn:holdfast:rules",
                                    .policy = base::Digest(),
                                    .passed = passed,
                                    .levels = {"HOLDFAST_INSPECTED"},
                                    .input_attestations = {}});
}

TEST_F(TrustTest, TheEntryThatAllowsIsNamed) {
  const auto accepted = judge(policy(kCredit), sign("credit-eu", "1.4.0", release_));
  ASSERT_TRUE(accepted) << accepted.error().error.message;
  EXPECT_EQ(accepted->entry, "credit models");
  EXPECT_EQ(accepted->signer, "release");
  EXPECT_EQ(accepted->key, release_.public_key().id());
  EXPECT_EQ(accepted->signed_as.name, "credit-eu");
  EXPECT_EQ(accepted->signed_as.version->text(), "1.4.0");
}

TEST_F(TrustTest, WhatNoEntryAllowsIsRefused) {
  const auto trust = policy(kCredit);
  auto refused = judge(trust, sign("fraud", "1", release_));
  EXPECT_THAT(reason(refused), HasSubstr("has no [[allow]] for the name \"fraud\" 1"));
  EXPECT_EQ(refused.error().error.code, ErrorCode::kPermissionDenied);
  refused = judge(trust, sign("credit", "1", lab_));
  EXPECT_THAT(reason(refused), HasSubstr("it is signed by lab, and release alone may sign it"));
  ASSERT_EQ(refused.error().entries.size(), 1U);
  EXPECT_EQ(refused.error().entries.front().entry, "credit models");
  refused = judge(trust, sign("credit", "1", crypto::PrivateKey::generate(crypto::KeyAlgorithm::kEcdsaP384)));
  EXPECT_THAT(reason(refused), HasSubstr("no signer of "));
  EXPECT_EQ(refused.error().error.code, ErrorCode::kUnauthenticated);
  EXPECT_EQ(judge(trust, "{}").error().error.code, ErrorCode::kDataCorrupt);
}

TEST_F(TrustTest, WhatWasChangedIsRefusedWithItsDifferences) {
  const auto bundle = sign("credit", "1", release_);
  write("model/weights.bin", "other");
  write("model/extra.py", "new");
  const auto refused = judge(policy(kCredit), bundle);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error.code, ErrorCode::kDataCorrupt);
  EXPECT_EQ(refused.error().differences.size(), 2U);
}

TEST_F(TrustTest, AnOlderVersionIsRefused) {
  const auto trust = policy(std::string(kCredit) + "at_least = \"1.4\"\n");
  EXPECT_TRUE(judge(trust, sign("credit", "1.4.0", release_)));
  EXPECT_TRUE(judge(trust, sign("credit", "1.10.0", release_)));
  EXPECT_THAT(reason(judge(trust, sign("credit", "1.3.9", release_))), HasSubstr("signed as version 1.3.9"));
  EXPECT_THAT(reason(judge(trust, sign("credit", "1.4.0-rc.1", release_))), HasSubstr("signed as version"));
  EXPECT_THAT(reason(judge(trust, sign("credit", "", release_))), HasSubstr("tells no version"));
}

TEST_F(TrustTest, EntriesAndSignersExpire) {
  const auto entry = std::string(kCredit);
  EXPECT_TRUE(judge(policy(entry + "expires = 2026-11-24\n"), sign("credit", "1", release_)));
  EXPECT_THAT(reason(judge(policy(entry + "expires = 2026-11-23\n"), sign("credit", "1", release_))),
              HasSubstr("the entry held until 2026-11-23T00:00:00Z alone"));
  const auto signer = "[signer.old]\nkey_file = \"release.pub\"\nexpires = 2026-11-23T12:00:00Z\n";
  const auto expired =
      parse(std::string(signer) + "[[allow]]\nname = \"a\"\nartefacts = \"*\"\nsigners = \"old\"\n");
  ASSERT_TRUE(expired) << expired.error().message;
  EXPECT_THAT(reason(judge(*expired, sign("credit", "1", release_))),
              HasSubstr("the signer old was trusted until"));
}

TEST_F(TrustTest, TheKeyOfADigestMayBeGivenApart) {
  auto trust = parse("[signer.release]\nkey = \"" + release_.public_key().id().prefixed() + "\"\n" + kCredit);
  ASSERT_TRUE(trust) << trust.error().message;
  EXPECT_THAT(reason(judge(*trust, sign("credit", "1", release_))), HasSubstr("give its file by --key"));
  const crypto::PublicKey keys[] = {lab_.public_key(), release_.public_key()};
  trust->offer_keys(keys);
  EXPECT_TRUE(judge(*trust, sign("credit", "1", release_)));
}

// A workload's certificate, whose URI is its name.
TEST_F(TrustTest, ACertificateCountsUnderItsRootAndName) {
  auto& random = base::system_random();
  const auto& clock = base::system_clock();
  const auto authority = crypto::CertificateAuthority::create("Root", clock, random).value();
  const auto leaf = authority
                        .issue_client(release_.public_key(), "spiffe://example.com/ci/credit",
                                      std::chrono::hours(1), clock, random)
                        .value();
  write("roots.pem", authority.certificate().to_pem());
  const inspect::SigningOptions options{.name = "credit", .certificates = {leaf, authority.certificate()}};
  const auto bundle = inspect::sign_artefact(model_, release_, options).value();
  const auto by = [&](const std::string& who) {
    auto parsed = parse("[signer.release]\nroots_file = \"roots.pem\"\n" + who + "\n" + kCredit);
    EXPECT_TRUE(parsed) << parsed.error().message;
    return judge(*parsed, bundle);
  };
  const auto accepted = by("uri = \"spiffe://example.com/ci/*\"");
  ASSERT_TRUE(accepted) << accepted.error().error.message;
  EXPECT_EQ(accepted->certificate, leaf);
  EXPECT_THAT(reason(by("uri = \"spiffe://example.com/dev/*\"")),
              HasSubstr("has none of the names of release"));
  EXPECT_THAT(reason(by("email = \"*\"")), HasSubstr("has none of the names of release"));
  const auto other = crypto::CertificateAuthority::create("Root", clock, random).value();
  write("roots.pem", other.certificate().to_pem());
  EXPECT_THAT(reason(by("uri = \"*\"")), HasSubstr("is not trusted"));
}

TEST_F(TrustTest, ProvenanceIsOfAnAllowedBuilder) {
  const auto trust = policy(std::string(kCredit) + R"(
[[allow.require]]
statement = "provenance"
signers = ["lab"]
builders = ["urn:holdfast:*"]
build_types = ["urn:holdfast:train:v1"]
)");
  const auto bundle = sign("credit", "1", release_);
  EXPECT_THAT(reason(judge(trust, bundle)), HasSubstr("no statement was given"));
  const auto good = seal(kProvenance, provenance("urn:holdfast:lab"), lab_);
  const auto accepted = judge(trust, bundle, {good});
  ASSERT_TRUE(accepted) << accepted.error().error.message;
  EXPECT_EQ(accepted->statements.at(0).signer, "lab");
  EXPECT_THAT(reason(judge(trust, bundle, {seal(kProvenance, provenance("urn:holdfast:lab"), release_)})),
              HasSubstr("lab did not sign it"));
  EXPECT_THAT(reason(judge(trust, bundle, {seal(kProvenance, provenance("https://else.example"), lab_)})),
              HasSubstr("it was built by \"https://else.example\", and urn:holdfast:* is allowed"));
  EXPECT_THAT(
      reason(judge(trust, bundle, {seal(kProvenance, provenance("urn:holdfast:lab", "by-hand"), lab_)})),
      HasSubstr("it was built as \"by-hand\""));
  EXPECT_THAT(reason(judge(trust, bundle, {seal(kTestResult, "{\"result\":\"PASSED\"}", lab_)})),
              HasSubstr("it is a https://in-toto.io/attestation/test-result/v0.1"));
  EXPECT_TRUE(judge(trust, bundle, {seal(kProvenance, provenance("x"), lab_), good}));
}

TEST_F(TrustTest, AStatementAboutOneFileIsNotAboutTheFolder) {
  const auto trust =
      policy(std::string(kCredit) + "[[allow.require]]\nstatement = \"provenance\"\nsigners = \"lab\"\n");
  const auto about = [&](std::vector<Subject> subjects) {
    const AttestedStatement statement{.subjects = std::move(subjects),
                                      .predicate_type = std::string(kProvenance),
                                      .predicate_json = provenance("b")};
    return parse_sealed_statements(attest(statement, lab_).value(), "s").value().front();
  };
  const auto bundle = sign("credit", "1", release_);
  const auto weights = crypto::sha256(base::as_bytes("weights"));
  EXPECT_THAT(reason(judge(trust, bundle, {about({{"weights.bin", weights}})})),
              HasSubstr("not about all of its files"));
  const auto root = inspect::verify_artefact(model_, bundle, release_.public_key())->root();
  EXPECT_TRUE(judge(trust, bundle, {about({{"credit", root}})}));
}

TEST_F(TrustTest, AVerificationPassedWithinItsAge) {
  const auto trust = policy(std::string(kCredit) + R"(
[[allow.require]]
statement = "verification"
signers = ["lab"]
verifiers = ["urn:holdfast:inspect"]
levels = ["HOLDFAST_INSPECTED"]
max_age_days = 30
)");
  const auto bundle = sign("credit", "1", release_);
  const auto days = [](int count) { return kNow + std::chrono::hours(24) * count; };
  EXPECT_TRUE(judge(trust, bundle, {seal(kVerificationSummary, summary(true, days(-30)), lab_)}));
  EXPECT_THAT(reason(judge(trust, bundle, {seal(kVerificationSummary, summary(true, days(-31)), lab_)})),
              HasSubstr("over 30 days ago"));
  EXPECT_THAT(reason(judge(trust, bundle, {seal(kVerificationSummary, summary(true, days(1)), lab_)})),
              HasSubstr("still to come"));
  EXPECT_THAT(reason(judge(trust, bundle, {seal(kVerificationSummary, summary(false, kNow), lab_)})),
              HasSubstr("its result is FAILED"));
}

TEST_F(TrustTest, ASignatureThatMustBeLoggedIsRefusedWithoutProof) {
  const auto key = crypto::NoteVerifier::create(
      "example.com/log", crypto::PrivateKey::generate(crypto::KeyAlgorithm::kEd25519).public_key());
  const auto trust = policy(std::string(kCredit) + "log_keys = \"" + key->text() + "\"\n");
  EXPECT_THAT(reason(judge(trust, sign("credit", "1", release_))), HasSubstr("give the proof by --proof"));
}

TEST(CheckLogged, IsForTheBundleThatWasLogged) {
  audit::ProvedRecord proved{.checkpoint = {}, .index = 4, .time = {}, .record = {}};
  proved.record.action = std::string(kLogSignature);
  proved.record.details = R"({"bundle":")" + crypto::sha256(base::as_bytes("bundle")).prefixed() + R"("})";
  EXPECT_TRUE(check_logged(proved, "bundle"));
  EXPECT_FALSE(check_logged(proved, "another"));
  proved.record.action = "person.create";
  EXPECT_FALSE(check_logged(proved, "bundle"));
  proved.record.action = std::string(kApproveModel);
  EXPECT_TRUE(check_logged(proved, "bundle"));
  proved.record.details.clear();
  EXPECT_FALSE(check_logged(proved, "bundle"));
}

}  // namespace
}  // namespace holdfast::trust
