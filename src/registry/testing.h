#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "access/access.h"
#include "access/log_recorder.h"
#include "audit/log.h"
#include "registry/models.h"
#include "registry/parts.h"
#include "registry/row_record.h"
#include "registry/schema.h"

// For the tests of registry/ and of what lies above it: everything that it keeps its things in, in a folder
// of its own, under a clock that stands still.

namespace holdfast::registry {

class StillClock final : public base::Clock {
 public:
  [[nodiscard]] base::Timestamp now() const override { return now_; }
  void advance(std::chrono::microseconds by) { now_ = now_ + by; }

 private:
  base::Timestamp now_ = base::Timestamp::from_microseconds(1'764'000'000'000'000);
};

inline const base::WorkspaceId kHome("default");

// The bytes as a file that lies nowhere.
inline formats::FileSource file_of(std::string_view bytes) {
  base::UniqueFd fd(::memfd_create("test", MFD_CLOEXEC));
  EXPECT_TRUE(base::write_full(fd.get(), base::as_bytes(bytes)));
  return formats::FileSource::adopt(std::move(fd)).value();
}

class RegistryTest : public testing::Test {
 protected:
  // `more` are migrations of modules above.
  explicit RegistryTest(std::vector<store::ModuleMigrations> more = {}) : more_(std::move(more)) {
    std::string name = "/dev/shm/registry_test.XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    EXPECT_TRUE(
        keys::MasterKey::generate_file(folder_ / "master.key", folder_ / "state", base::system_random()));
    std::filesystem::create_directory(folder_ / "state");
    open();
    EXPECT_TRUE(access_->bootstrap(kHome, "admin"));
  }
  ~RegistryTest() override {
    close();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  void open() {
    const auto state = folder_ / "state";
    keys_ = keys::KeyStore::open(state / "keys",
                                 keys::MasterKey::from_file(folder_ / "master.key", state).value())
                .value();
    std::vector<store::ModuleMigrations> modules{access::access_migrations(), migrations()};
    modules.insert(modules.end(), more_.begin(), more_.end());
    database_ = store::Database::open({.path = state / "test.db"}, modules).value();
    blobs_ = store::BlobStore::open(state / "blobs").value();
    log_ = audit::Log::open(state / "log", *keys_).value();
    recorder_ = std::make_unique<access::LogRecorder>(*log_);
    access_ =
        access::Access::open({.database = *database_,
                              .recorder = *recorder_,
                              .clock = clock_,
                              .random = base::system_random()},
                             {.issuer = "test", .password_cost = {.memory_kib = 8, .passes = 1, .lanes = 1}})
            .value();
    parts_.emplace(
        Parts{.database = *database_, .blobs = *blobs_, .keys = *keys_, .log = *log_, .clock = clock_});
    models_.emplace(*parts_, AdmissionRules{.inspect_memory_bytes = 1UL << 30});
  }
  void close() {
    models_.reset();
    parts_.reset();
    access_.reset();
    recorder_.reset();
    log_.reset();
    blobs_.reset();
    database_.reset();
    keys_.reset();
  }

  access::Caller local() { return access_->local_operator(kHome).value(); }
  access::Authorised may(access::Action action, access::ResourceType type, const std::string& id = {}) {
    return may(local(), action, {.type = type, .workspace = kHome, .id = id});
  }
  access::Authorised may(const access::Caller& caller, access::Action action,
                         const access::Resource& resource) {
    return access_->authorise(caller, action, resource).value();
  }
  // A person in a group, signed in.
  access::Caller person(const std::string& name, std::string_view group) {
    constexpr std::string_view kPassword = "correct horse battery staple";
    const auto made = access_->create_person(local(), name).value();
    EXPECT_TRUE(access_->add_member(local(), access::PrincipalId(std::string(group)), made.principal));
    const auto password = base::Secret::copy_of(base::as_bytes(kPassword));
    EXPECT_TRUE(access_->change_password(
        {.workspace = kHome, .name = name, .password = made.password, .source = "10.0.0.1"},
        base::Secret::copy_of(base::as_bytes(kPassword))));
    const auto token = access_
                           ->sign_in(access::PasswordSignIn{
                               .workspace = kHome, .name = name, .password = password, .source = "10.0.0.1"})
                           .value();
    return access_->authenticate(token.token.reveal_text(), access::kApiAudience).value();
  }
  // What somebody does who has the database file and not the log.
  void behind_the_back(store::Sql sql) {
    auto change = database_->begin().value();
    EXPECT_EQ(change.execute(sql).value(), 1);
    EXPECT_TRUE(change.commit());
  }

  // Rows against the log, as far as tables of these modules are in both.
  base::Result<> rows_hold(std::vector<audit::RowClaim> claims) {
    HF_CHECK(log_->flush());
    audit::RowHistory history({.may_go = {std::string(access::kEndingRows)}});
    HF_CHECK(history.read(*log_));
    HF_TRY(const auto view, database_->snapshot());
    HF_TRY(auto rights, access::row_claims(view, clock_.now()));
    for (auto& claim : rights) claims.push_back(std::move(claim));
    HF_CHECK(history.check(claims));
    return {};
  }

  StillClock clock_;
  std::filesystem::path folder_;
  std::unique_ptr<keys::KeyStore> keys_;
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<store::BlobStore> blobs_;
  std::unique_ptr<audit::Log> log_;
  std::unique_ptr<access::Recorder> recorder_;
  std::unique_ptr<access::Access> access_;
  std::optional<Parts> parts_;
  std::optional<Models> models_;

 private:
  std::vector<store::ModuleMigrations> more_;
};

}  // namespace holdfast::registry
