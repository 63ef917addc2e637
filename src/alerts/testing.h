#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "alerts/alerts.h"
#include "alerts/webhooks.h"
#include "audit/pending_rows.h"

// For the tests of alerts/ alone: a database in a folder that goes with its scope, and a clock that stands
// still.

namespace holdfast::alerts {

class StillClock final : public base::Clock {
 public:
  [[nodiscard]] base::Timestamp now() const override { return base::Timestamp::from_microseconds(now_); }
  void advance(std::chrono::microseconds by) { now_ += by.count(); }

 private:
  std::atomic<std::int64_t> now_{1'764'000'000'000'000};
};

inline const base::WorkspaceId kDefault("default");

inline base::Digest digest_of(std::uint8_t mark) {
  std::array<std::uint8_t, base::Digest::kSize> bytes{};
  bytes.fill(mark);
  return base::Digest(bytes);
}

class AlertsFixture : public testing::Test {
 protected:
  AlertsFixture() {
    // In memory where there is such a place: nothing here is proved by waiting for a disk.
    const std::filesystem::path memory = "/dev/shm";
    const auto where =
        std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
    std::string name = (where / "holdfast-alerts-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "cannot make a temporary folder";
    folder_ = name;
    reopen();
  }
  ~AlertsFixture() override {
    database_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  void reopen() {
    database_.reset();
    const std::array modules{alerts_migrations()};
    database_ = store::Database::open({.path = folder_ / "holdfast.db"}, modules).value();
  }
  // Runs one verb in a transaction of its own.
  template <typename Verb>
  auto in_transaction(Verb verb) -> decltype(verb(std::declval<store::Transaction&>())) {
    HF_TRY(store::Transaction transaction, database_->begin());
    auto result = verb(transaction);
    if (!result) return result;
    HF_CHECK(transaction.commit());
    return result;
  }
  [[nodiscard]] store::Snapshot snapshot() { return database_->snapshot().value(); }

  static Signal signal(std::string name = "feature PAY_0", Severity severity = Severity::kMedium) {
    Signal signal{.workspace = kDefault,
                  .source = "drift",
                  .subject = "endpoint:credit",
                  .name = std::move(name),
                  .severity = severity,
                  .details = R"({"figure":"psi","interval":[0.21,0.4],"rows":500})",
                  .practice = "P18",
                  .risk = "R10",
                  .runbook = "/docs/alerts#drift"};
    signal.summary = "The distribution of " + signal.name + " has moved";
    return signal;
  }
  // Keeps what is recorded as a log would, as done at once.
  RecordRows recorded(std::uint8_t mark) {
    return [this, mark](const nlohmann::json& rows) -> base::Result<audit::Receipt> {
      const audit::Receipt receipt{.index = ++last_record_, .leaf = digest_of(mark)};
      HF_CHECK(history_.add(receipt, nlohmann::json{{"about", {{"rows", rows}}}}.dump()));
      HF_CHECK(history_.add({}, audit::settled_record(kDefault, receipt.index, true).details));
      return receipt;
    };
  }
  // What the log says against the rows, the first thing; empty where they agree.
  std::string fault() {
    const auto checked = history_.check(row_claims(snapshot()).value());
    return checked ? std::string() : checked.error().message;
  }
  // What somebody does who has the database file and not the log.
  template <typename... Values>
  void behind_the_back(store::Sql sql, const Values&... values) {
    ASSERT_TRUE(in_transaction([&](store::Transaction& t) { return t.execute(sql, values...); }));
  }
  base::Result<Alerts::Raised> raise(const Signal& signal, std::uint8_t record = 1) {
    return in_transaction([&](store::Transaction& t) { return alerts_.raise(t, signal, recorded(record)); });
  }
  bool quiet(std::uint8_t record = 2) {
    return in_transaction([&](store::Transaction& t) {
             return alerts_.quiet(t, kDefault, "drift", "endpoint:credit", recorded(record));
           })
        .value();
  }
  void put(const std::string& name, const std::string& url) {
    const Webhook webhook{.workspace = kDefault, .name = name, .url = url, .changed_at = clock_.now()};
    ASSERT_TRUE(in_transaction([&](store::Transaction& t) {
      return put_webhook(t, webhook, base::Secret::copy_of(base::as_bytes(kSecret)), key_,
                         base::system_random(), recorded(7));
    }));
  }
  AlertDetails find(AlertId id) { return find_alert(snapshot(), kDefault, id).value(); }

  static constexpr std::string_view kSecret = "sixteen bytes or more";
  audit::RowHistory history_;
  std::uint64_t last_record_ = 0;
  StillClock clock_;
  std::filesystem::path folder_;
  std::unique_ptr<store::Database> database_;
  const crypto::AeadKey key_ =
      crypto::AeadKey::generate(crypto::AeadAlgorithm::kAes256Gcm, base::system_random());
  const store::Outbox outbox_{
      clock_,
      {.backoff = {.first = std::chrono::seconds(4), .longest = std::chrono::seconds(10)},
       .max_attempts = 3}};
  const Alerts alerts_{clock_, outbox_};
};

}  // namespace holdfast::alerts
