#include "govern/gather.h"

#include <array>
#include <fstream>

#include <nlohmann/json.hpp>

#include "access/access.h"
#include "access/log_recorder.h"
#include "alerts/alerts.h"
#include "alerts/webhooks.h"
#include "audit/testing.h"
#include "crypto/sha256.h"
#include "evaluate/evaluation.h"
#include "govern/posture.h"
#include "govern/testing.h"
#include "intake/testing.h"
#include "registry/blob_bytes.h"
#include "registry/datasets.h"
#include "registry/evidence.h"
#include "registry/schema.h"
#include "release/schema.h"

namespace holdfast::govern {
namespace {

// An installation in a folder that goes with it, without a server, engine or lab.
class Gather : public testing::Test {
 protected:
  Gather() {
    const std::array modules{access::access_migrations(), registry::migrations(), release::migrations(),
                             alerts::alerts_migrations()};
    database_ = store::Database::open({.path = folder_.path() / "holdfast.db"}, modules).value();
    blobs_ = store::BlobStore::open(folder_.path() / "blobs").value();
    access_ = access::Access::open(
                  {*database_, recorder_, clock_, base::system_random()},
                  {.issuer = "holdfast", .password_cost = {.memory_kib = 8, .passes = 1, .lanes = 1}})
                  .value();
    EXPECT_TRUE(access_->bootstrap(kHome, "ada").has_value());
    models_ = std::make_unique<registry::Models>(parts(), registry::AdmissionRules());
    gates_ = std::make_unique<registry::Gates>(parts(), *models_);
    releases_ = std::make_unique<release::Releases>(parts(), *models_);
  }

  registry::Parts parts() { return {*database_, *blobs_, *keys_, *log_, clock_}; }
  access::Authorised may(access::Action action, const access::Resource& resource) {
    auto authorised = access_->authorise(access_->local_operator(kHome).value(), action, resource);
    EXPECT_TRUE(authorised.has_value()) << authorised.error().message;
    return *std::move(authorised);
  }
  static access::Resource endpoint() {
    return {.type = access::ResourceType::kEndpoint, .workspace = kHome, .id = "credit"};
  }

  // A version as admission leaves it, without the worker that looks into it, then approved and signed.
  registry::Version approved_version(std::int64_t number, std::string_view bytes) {
    const formats::MemorySource source(base::as_bytes(bytes));
    const auto blob = registry::keep_blob(parts(), kHome, source).value();
    registry::Version version{.workspace = kHome,
                              .model = "credit",
                              .version = number,
                              .digest = blob.digest,
                              .size_bytes = bytes.size(),
                              .format = "onnx",
                              .run = 1,
                              .created_at = clock_.now(),
                              .created_by = "somebody",
                              .makers = {access::PrincipalId("somebody")}};
    auto change = database_->begin().value();
    EXPECT_TRUE(change.execute(
        store::Sql("INSERT INTO model_versions (workspace, model, version, digest, size, format, state, run,"
                   " created_at, created_by, makers, signature, record_index, record)"
                   " VALUES ($1, 'credit', $2, $3, $4, 'onnx', 'quarantined', $2, $5, 'somebody',"
                   " '[\"somebody\"]', '', 0, $3)"),
        kHome, number, version.digest, static_cast<std::int64_t>(bytes.size()), version.created_at));
    auto approved = models_->approve(change, may(access::Action::kApprove, version.resource()), version,
                                     nlohmann::json::object());
    EXPECT_TRUE(approved->commit(change));
    return models_->find(kHome, "credit", number).value();
  }
  void add_evidence(const registry::Version& version, std::string_view type, std::string predicate) {
    auto change = database_->begin().value();
    EXPECT_TRUE(registry::EvidenceRoom(parts()).add(change, kHome,
                                                    {.subject_name = "credit",
                                                     .subject = version.digest,
                                                     .predicate_type = std::string(type),
                                                     .predicate_json = std::move(predicate)}));
    EXPECT_TRUE(change.commit());
  }
  void release(const registry::Version& version, std::int64_t expected) {
    const auto released = releases_->release(may(access::Action::kRelease, endpoint()), version, expected);
    EXPECT_TRUE(released.has_value()) << released.error().message;
  }
  void make_endpoint() {
    EXPECT_TRUE(releases_->create_endpoint(may(access::Action::kCreateEndpoint, endpoint()),
                                           {.name = "credit", .model = "credit"}));
  }
  Facts gather() {
    const auto stores = parts();
    auto facts = gather_facts({stores, *models_, *gates_, *releases_}, kHome, log_facts_, {});
    EXPECT_TRUE(facts.has_value()) << facts.error().message;
    return *std::move(facts);
  }

  audit::TestFolder folder_;
  audit::StillClock clock_;
  std::unique_ptr<keys::KeyStore> keys_ = audit::open_keys(folder_);
  std::unique_ptr<audit::Log> log_ = audit::Log::open(folder_.log(), *keys_, {.clock = &clock_}).value();
  access::LogRecorder recorder_{*log_};
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<store::BlobStore> blobs_;
  std::unique_ptr<access::Access> access_;
  std::unique_ptr<registry::Models> models_;
  std::unique_ptr<registry::Gates> gates_;
  std::unique_ptr<release::Releases> releases_;
  LogFacts log_facts_{kHome};
};

std::string evaluation_json(const registry::Version& version) {
  return evaluate::to_json({.model = version.digest,
                            .dataset = digest_of(3),
                            .split = "test",
                            .rows = 6000,
                            .seed = 1,
                            .threshold = .5,
                            .minimum_group_rows = 200,
                            .figures = served_version().evaluation->figures,
                            .left_out = {}})
      .value();
}

std::string provenance_json(std::string_view attack) {
  return nlohmann::json{{"buildDefinition", {{"externalParameters", {{"attack", attack}}}}}}.dump();
}

const VersionFacts& facts_of(const Facts& facts, std::int64_t version) {
  for (const auto& one : facts.versions) {
    if (one.version == version) return one;
  }
  ADD_FAILURE() << "no version " << version;
  return facts.versions.front();
}

TEST_F(Gather, FindsNothingInAnEmptyInstallation) {
  const Facts facts = gather();
  EXPECT_TRUE(facts.log_read_to_end);
  EXPECT_TRUE(facts.versions.empty());
  EXPECT_TRUE(facts.datasets.empty());
  EXPECT_TRUE(facts.alerts.empty());
  EXPECT_FALSE(facts.rolled_back);
  for (const auto& one : judge(facts).practices)
    EXPECT_NE(one.state, PracticeState::kHolds) << one.practice->id;
}

TEST_F(Gather, OpensADatasetFromItsSealedBlob) {
  const auto csv = folder_.path() / "people.csv";
  std::ofstream out(csv);
  out << "sex,income\n";
  for (int row = 0; row < 400; ++row) out << row % 2 << ',' << 1000 + row * 7 << '\n';
  out.close();
  const access::Resource workspace{.type = access::ResourceType::kWorkspace, .workspace = kHome};
  const auto added = registry::Datasets(parts()).add(
      may(access::Action::kRegisterDataset, workspace),
      {.name = "people", .purpose = "tests", .keep_until = clock_.now() + std::chrono::hours(24)},
      formats::FileSource::open(csv).value());
  ASSERT_TRUE(added.has_value()) << added.error().message;
  const Facts facts = gather();
  ASSERT_EQ(facts.datasets.size(), 1U);
  EXPECT_TRUE(facts.datasets[0].tried);
  EXPECT_EQ(facts.datasets[0].failed, "");
  EXPECT_EQ(facts.datasets[0].sensitive_columns, 1U);
  EXPECT_EQ(facts.log.find(Happening::kDatasetRegistered)->count, 1U);
}

TEST_F(Gather, TriesWhatServesAndWhatMustBeRefused) {
  make_endpoint();
  const auto first = approved_version(1, "the bytes of a model");
  const auto second = approved_version(2, "the bytes of another model");
  add_evidence(second, registry::kProvenancePredicate, provenance_json("pgd"));
  add_evidence(second, registry::kEvaluationPredicate, evaluation_json(second));
  release(first, 0);
  release(second, 1);
  const Facts facts = gather();
  ASSERT_EQ(facts.versions.size(), 2U);
  const auto& serves = facts_of(facts, 2);
  EXPECT_EQ(serves.serves, std::vector<std::string>{"credit"});
  EXPECT_TRUE(serves.approved);
  EXPECT_TRUE(serves.hardened);
  ASSERT_TRUE(serves.load);
  EXPECT_EQ(serves.load->failed, "");
  EXPECT_TRUE(serves.load->signature_holds);
  EXPECT_TRUE(serves.load->changed_byte_refused);
  EXPECT_TRUE(serves.load->other_signer_refused);
  ASSERT_TRUE(serves.evaluation);
  EXPECT_EQ(serves.evaluation->figures.size(), 5U);
  EXPECT_FALSE(facts_of(facts, 1).load);  // it serves no more
  ASSERT_TRUE(facts.rolled_back);
  EXPECT_EQ(facts.rolled_back->endpoint, "credit");
  EXPECT_TRUE(facts.rolled_back->refused);
  const Posture posture = judge(facts);
  EXPECT_EQ(posture.practices[4].state, PracticeState::kHolds) << posture.practices[4].why;
}

TEST_F(Gather, TrainingWithoutAnAttackHardensNothing) {
  make_endpoint();
  const auto version = approved_version(1, "the bytes of a model");
  add_evidence(version, registry::kProvenancePredicate, provenance_json(""));
  release(version, 0);
  const Facts facts = gather();
  EXPECT_TRUE(facts_of(facts, 1).provenance);
  EXPECT_FALSE(facts_of(facts, 1).hardened);
  EXPECT_FALSE(facts.rolled_back);  // one release: there is no older one to try
}

TEST_F(Gather, ADamagedBlobIsAFactNotAnError) {
  make_endpoint();
  const auto version = approved_version(1, "the bytes of a model");
  release(version, 0);
  for (const auto& file : audit::files_of(folder_.path() / "blobs")) {
    audit::flip_byte(file, std::filesystem::file_size(file) - 3);
  }
  const Facts facts = gather();
  ASSERT_TRUE(facts_of(facts, 1).load);
  EXPECT_NE(facts_of(facts, 1).load->failed, "");
  EXPECT_EQ(judge(facts).practices[4].state, PracticeState::kFallsShort);
}

TEST_F(Gather, DamagedEvidenceIsAFactNotAnError) {
  make_endpoint();
  const auto version = approved_version(1, "the bytes of a model");
  add_evidence(version, registry::kEvaluationPredicate, evaluation_json(version));
  release(version, 0);
  auto change = database_->begin().value();
  ASSERT_TRUE(change.execute(store::Sql("UPDATE evidence SET envelope = '{}' WHERE workspace = $1"), kHome));
  ASSERT_TRUE(change.commit());
  const Facts facts = gather();
  EXPECT_NE(facts_of(facts, 1).damaged, "");
  EXPECT_EQ(judge(facts).practices[24].state, PracticeState::kFallsShort);
}

TEST_F(Gather, CountsAlertsAndWhatAWebhookTook) {
  const store::Outbox outbox(clock_);
  const alerts::Alerts alerts(clock_, outbox);
  const auto recorded = [](const nlohmann::json& /*rows*/) -> base::Result<audit::Receipt> {
    return audit::Receipt{.index = 1, .leaf = digest_of(1)};
  };
  const alerts::Signal signal{.workspace = kHome,
                              .source = "drift",
                              .subject = "endpoint:credit",
                              .name = "feature PAY_0",
                              .severity = alerts::Severity::kHigh,
                              .summary = "The distribution of feature PAY_0 has moved",
                              .practice = "P18",
                              .risk = "R10",
                              .runbook = "/docs/alerts#drift"};
  auto change = database_->begin().value();
  ASSERT_TRUE(alerts::put_webhook(
      change,
      {.workspace = kHome, .name = "ops", .url = "http://127.0.0.1:9000/", .changed_at = clock_.now()},
      base::Secret::copy_of(base::as_bytes("sixteen bytes or more")),
      crypto::AeadKey::generate(crypto::AeadAlgorithm::kAes256Gcm, base::system_random()),
      base::system_random(), recorded));
  const auto raised = alerts.raise(change, signal, recorded).value();
  ASSERT_TRUE(alerts.raise(change, signal, recorded).has_value());
  ASSERT_TRUE(alerts.acknowledge(
      change, {.workspace = kHome, .id = raised.id, .who = "ada", .comment = "", .record = recorded}));
  ASSERT_TRUE(change.commit());
  auto delivery = database_->begin().value();
  const auto message = outbox.lease(delivery, std::chrono::minutes(1)).value().value();
  ASSERT_TRUE(outbox.delivered(delivery, message));
  ASSERT_TRUE(delivery.commit());
  const Facts facts = gather();
  ASSERT_EQ(facts.alerts.size(), 1U);
  EXPECT_EQ(facts.alerts[0].windows, 2);
  EXPECT_TRUE(facts.alerts[0].acknowledged);
  EXPECT_FALSE(facts.alerts[0].resolved);
  EXPECT_EQ(facts.alerts[0].delivered, 1U);
  EXPECT_EQ(facts.plain_webhooks, std::vector<std::string>{"ops"});
}

}  // namespace
}  // namespace holdfast::govern

int main(int argc, char** argv) { return holdfast::intake::run_tests_or_worker(argc, argv); }
