#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "base/file.h"
#include "base/random.h"
#include "crypto/sha256.h"
#include "inspect/signing.h"
#include "trust/decide.h"
#include "trust/policy.h"
#include "trust/predicates.h"

// For tests alone: a model of two files, keys, and a policy beside them.

namespace holdfast::trust {

inline const base::Timestamp kNow = base::Timestamp::parse("2026-11-23T12:00:00Z").value();

class TrustTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(model_);
    write("model/weights.bin", "weights");
    write("model/config.json", "{}");
    write("release.pub", release_.public_key().to_pem());
    write("lab.pub", lab_.public_key().to_pem());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ / name, std::ios::binary) << content;
  }

  [[nodiscard]] std::string sign(const std::string& name, const std::string& version,
                                 const crypto::PrivateKey& key) const {
    const inspect::SigningOptions options{.name = name,
                                          .uri = version.empty() ? "" : generic_purl(name, version)};
    return inspect::sign_artefact(model_, key, options).value();
  }

  // About both files.
  [[nodiscard]] SealedStatement seal(std::string_view type, const std::string& predicate,
                                     const crypto::PrivateKey& key) const {
    const AttestedStatement statement{.subjects = {{"weights.bin", crypto::sha256(base::as_bytes("weights"))},
                                                   {"config.json", crypto::sha256(base::as_bytes("{}"))}},
                                      .predicate_type = std::string(type),
                                      .predicate_json = predicate};
    return parse_sealed_statements(attest(statement, key).value(), "statement.json").value().front();
  }

  [[nodiscard]] base::Result<TrustPolicy> parse(const std::string& toml) const {
    write("trust.toml", toml);
    return read_trust_policy(folder_ / "trust.toml");
  }
  // With a signer for each key before it.
  [[nodiscard]] TrustPolicy policy(const std::string& rest) const {
    auto parsed =
        parse("[signer.release]\nkey_file = \"release.pub\"\n[signer.lab]\nkey_file = \"lab.pub\"\n" + rest);
    EXPECT_TRUE(parsed) << parsed.error().message;
    return *std::move(parsed);
  }
  [[nodiscard]] tl::expected<Acceptance, TrustRefusal> judge(
      const TrustPolicy& policy, const std::string& bundle,
      std::vector<SealedStatement> statements = {}) const {
    return decide(policy, model_,
                  {.bundle_json = bundle,
                   .bundle = {},
                   .statements = statements,
                   .proof = std::nullopt,
                   .now = kNow,
                   .progress = {}});
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / base::hex_encode(base::system_random().take(8));
  const std::filesystem::path model_ = folder_ / "model";
  const crypto::PrivateKey release_ = crypto::PrivateKey::generate(crypto::KeyAlgorithm::kEcdsaP256);
  const crypto::PrivateKey lab_ = crypto::PrivateKey::generate(crypto::KeyAlgorithm::kEcdsaP256);
};

}  // namespace holdfast::trust
