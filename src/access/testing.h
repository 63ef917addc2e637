#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "access/access.h"
#include "audit/pending_rows.h"
#include "base/mutex.h"
#include "crypto/sha256.h"

// For the tests of access/ alone: a database in memory's file system, a clock that stands still, and a log
// that can be read and made to fail.

namespace holdfast::access {

class StillClock final : public base::Clock {
 public:
  [[nodiscard]] base::Timestamp now() const override { return base::Timestamp::from_microseconds(now_); }
  void advance(std::chrono::microseconds by) { now_ += by.count(); }

 private:
  std::atomic<std::int64_t> now_{1'764'000'000'000'000};
};

class MemoryLog final : public Recorder {
 public:
  struct Kept {
    Entry entry;
    Receipt receipt;
    bool durable;
  };
  base::Result<Receipt> record(const Entry& entry) override { return keep(entry, true); }
  base::Result<Receipt> note(const Entry& entry) override {
    if (entry.action != audit::kSettleAction) return keep(entry, false);
    const base::MutexLock lock(mutex_);
    settled_.push_back(entry.details);
    return Receipt{};
  }
  void break_down() { broken_ = true; }
  void repair() { broken_ = false; }
  std::vector<Kept> all() {
    const base::MutexLock lock(mutex_);
    return kept_;
  }
  Kept last() { return all().back(); }
  // What was noted of changes after they were made, which is none of the above.
  std::vector<std::string> settled() {
    const base::MutexLock lock(mutex_);
    return settled_;
  }

 private:
  base::Result<Receipt> keep(const Entry& entry, bool durable) {
    if (broken_) return base::fail(base::ErrorCode::kIo, "the log cannot be written");
    const base::MutexLock lock(mutex_);
    const Receipt receipt{.index = kept_.size(),
                          .leaf = crypto::sha256(base::as_bytes(std::to_string(kept_.size())))};
    kept_.push_back({entry, receipt, durable});
    return receipt;
  }
  std::atomic<bool> broken_ = false;
  base::Mutex mutex_;
  std::vector<Kept> kept_ HF_GUARDED_BY(mutex_);
  std::vector<std::string> settled_ HF_GUARDED_BY(mutex_);
};

inline const base::WorkspaceId kHome("default");
inline constexpr std::string_view kIssuer = "https://holdfast.example";
inline constexpr crypto::Argon2Cost kCheapCost{.memory_kib = 8, .passes = 1, .lanes = 1};

inline base::Secret secret(std::string_view text) { return base::Secret::copy_of(base::as_bytes(text)); }

inline Resource endpoint(const std::string& id, const base::WorkspaceId& workspace = kHome) {
  return {.type = ResourceType::kEndpoint, .workspace = workspace, .id = id};
}
inline Resource version(const std::string& id, std::vector<PrincipalId> makers) {
  return {.type = ResourceType::kVersion,
          .workspace = kHome,
          .id = id,
          .model = "credit",
          .makers = std::move(makers)};
}
inline Resource model(const std::string& id) {
  return {.type = ResourceType::kModel, .workspace = kHome, .id = id};
}

// The code of a Result that must be an error.
template <typename T>
base::ErrorCode code_of(const base::Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result ? base::ErrorCode::kInternal : result.error().code;
}
template <typename T>
std::string message_of(const base::Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result ? std::string() : result.error().message;
}

class AccessTest : public testing::Test {
 protected:
  AccessTest() {
    std::string name = "/dev/shm/access_test.XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    open();
    first_ = std::make_unique<OneTimePassword>(access_->bootstrap(kHome, "ada").value());
    local_ = std::make_unique<Caller>(access_->local_operator(kHome).value());
  }
  ~AccessTest() override {
    access_.reset();
    database_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  void open() {
    access_.reset();
    database_.reset();
    const std::array modules{access_migrations()};
    database_ = store::Database::open({.path = folder_ / "a.db"}, modules).value();
    access_ = Access::open(parts(), options()).value();
  }
  AccessParts parts() { return {*database_, log_, clock_, base::system_random()}; }
  static AccessOptions options() { return {.issuer = std::string(kIssuer), .password_cost = kCheapCost}; }

  // A person who has chosen a password, in a group unless that is empty.
  PrincipalId person(const std::string& name, std::string_view group = {}) {
    const auto made = access_->create_person(*local_, name);
    EXPECT_TRUE(made.has_value()) << made.error().message;
    choose(name, made->password);
    if (!group.empty()) {
      EXPECT_TRUE(access_->add_member(*local_, PrincipalId(std::string(group)), made->principal));
    }
    return made->principal;
  }
  void choose(const std::string& name, const base::Secret& one_time) {
    const auto changed = access_->change_password(
        {.workspace = kHome, .name = name, .password = one_time, .source = "10.0.0.1"}, secret(kPassword));
    EXPECT_TRUE(changed.has_value()) << changed.error().message;
  }
  base::Result<IssuedToken> sign_in(const std::string& name, std::string_view password = kPassword,
                                    std::string_view source = "10.0.0.1",
                                    std::string_view audience = kApiAudience) {
    const base::Secret given = secret(password);
    return access_->sign_in(PasswordSignIn{
        .workspace = kHome, .name = name, .password = given, .source = source, .audience = audience});
  }
  Caller caller(const std::string& name) {
    const auto token = sign_in(name);
    EXPECT_TRUE(token.has_value()) << token.error().message;
    return access_->authenticate(token->token.reveal_text(), kApiAudience).value();
  }
  bool may(const Caller& who, Action action, const Resource& resource) {
    return access_->decide(who, action, resource).value().allowed();
  }
  base::Result<> rows_hold() {
    audit::RowHistory history({.may_go = {std::string(kEndingRows)}});
    for (const auto& kept : log_.all()) HF_CHECK(history.add(kept.receipt, kept.entry.details));
    for (const auto& details : log_.settled()) HF_CHECK(history.add({}, details));
    HF_TRY(const auto view, database_->snapshot());
    HF_TRY(const auto claims, row_claims(view, clock_.now()));
    HF_CHECK(history.check(claims));
    return {};
  }

  static constexpr std::string_view kPassword = "four words in a row";
  std::filesystem::path folder_;
  StillClock clock_;
  MemoryLog log_;
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<Access> access_;
  std::unique_ptr<OneTimePassword> first_;
  std::unique_ptr<Caller> local_;
};

}  // namespace holdfast::access
