#include "store/jobs.h"

#include <gmock/gmock-matchers.h>

#include <set>
#include <thread>

#include "base/mutex.h"
#include "store/testing.h"

namespace holdfast::store {
namespace {

using base::Bytes;
using base::ErrorCode;
using base::WorkspaceId;
using std::chrono::seconds;
using testing::HasSubstr;

const WorkspaceId kDefault("default");

class JobsTest : public testing::Test {
 protected:
  // Runs one verb in a transaction of its own.
  template <typename Verb>
  auto in_transaction(Verb verb) -> decltype(verb(std::declval<Transaction&>())) {
    HF_TRY(Transaction transaction, database_->begin());
    auto result = verb(transaction);
    if (!result) return result;
    HF_CHECK(transaction.commit());
    return result;
  }
  base::Result<JobId> enqueue(const NewJob& job) {
    return in_transaction([&](Transaction& t) { return jobs_.enqueue(t, job); });
  }
  JobId enqueue(const std::string& key, std::int64_t max_attempts = 3) {
    return enqueue(NewJob{.workspace = kDefault,
                          .kind = "scan",
                          .idempotency_key = key,
                          .payload = {1},
                          .not_before = clock_.now(),
                          .max_attempts = max_attempts})
        .value();
  }
  std::optional<LeasedJob> lease() {
    return in_transaction([&](Transaction& t) { return jobs_.lease(t, "scan", seconds(10)); }).value();
  }
  base::Result<> complete(const LeasedJob& job) {
    return in_transaction([&](Transaction& t) { return jobs_.complete(t, job); });
  }
  base::Result<JobState> fail(const LeasedJob& job, std::string_view error) {
    return in_transaction([&](Transaction& t) { return jobs_.fail(t, job, error); });
  }
  base::Result<base::Timestamp> heartbeat(const LeasedJob& job) {
    return in_transaction([&](Transaction& t) { return jobs_.heartbeat(t, job, seconds(10)); });
  }
  JobStatus status(JobId id) { return jobs_.status(database_->snapshot().value(), kDefault, id).value(); }

  TemporaryFolder folder_;
  StillClock clock_;
  std::unique_ptr<Database> database_ = Database::open({.path = folder_.path() / "a.db"}).value();
  Jobs jobs_{clock_, Backoff{.first = seconds(4), .longest = seconds(10)}};
};

TEST_F(JobsTest, WhatIsGivenBackIsDueAtOnceAndCountsAsNoAttempt) {
  const JobId id = enqueue("a", 1);
  const auto first = lease().value();
  ASSERT_TRUE(in_transaction([&](Transaction& t) { return jobs_.give_back(t, first); }));
  EXPECT_EQ(status(id).state, JobState::kWaiting);
  EXPECT_EQ(status(id).attempts, 0);
  const auto second = lease().value();
  EXPECT_EQ(second.attempt, 1);
  EXPECT_GT(second.fence, first.fence);
  // The first holds nothing any more.
  EXPECT_EQ(in_transaction([&](Transaction& t) { return jobs_.give_back(t, first); }).error().code,
            ErrorCode::kConflict);
  ASSERT_TRUE(complete(second));
  EXPECT_EQ(in_transaction([&](Transaction& t) { return jobs_.give_back(t, second); }).error().code,
            ErrorCode::kConflict);
}

TEST(BackoffTest, DoublesUpToItsLongest) {
  const Backoff backoff{.first = seconds(4), .longest = seconds(10)};
  EXPECT_EQ(backoff.delay(1), seconds(4));
  EXPECT_EQ(backoff.delay(2), seconds(8));
  EXPECT_EQ(backoff.delay(3), seconds(10));
  EXPECT_EQ(backoff.delay(std::numeric_limits<std::int64_t>::max()), seconds(10));
  EXPECT_EQ((Backoff{.first = seconds(9), .longest = seconds(2)}).delay(1), seconds(2));
}

TEST_F(JobsTest, AJobIsLeasedOnceAndDoneOnce) {
  const JobId id = enqueue("a");
  const auto job = lease();
  ASSERT_TRUE(job);
  EXPECT_EQ(job->id, id);
  EXPECT_EQ(job->payload, Bytes{1});
  EXPECT_EQ(job->attempt, 1);
  EXPECT_EQ(job->deadline, clock_.now() + seconds(10));
  EXPECT_FALSE(lease());
  EXPECT_EQ(status(id).state, JobState::kRunning);
  EXPECT_TRUE(complete(*job));
  EXPECT_EQ(status(id).state, JobState::kDone);
  EXPECT_EQ(code_of(complete(*job)), ErrorCode::kConflict);
  EXPECT_EQ(code_of(fail(*job, "late")), ErrorCode::kConflict);
  EXPECT_EQ(code_of(heartbeat(*job)), ErrorCode::kConflict);
  clock_.advance(seconds(1000));
  EXPECT_FALSE(lease());
}

TEST_F(JobsTest, OneKeyIsOneJobAlsoAfterItsEnd) {
  const JobId id = enqueue("a");
  EXPECT_EQ(enqueue("a"), id);
  EXPECT_NE(enqueue("b"), id);
  ASSERT_TRUE(complete(lease().value()));
  EXPECT_EQ(enqueue("a"), id);
  EXPECT_NE(
      enqueue({.workspace = WorkspaceId("other"), .kind = "scan", .idempotency_key = "a", .payload = {1}})
          .value(),
      id);
  EXPECT_NE(enqueue({.workspace = kDefault, .kind = "seal", .idempotency_key = "a", .payload = {1}}).value(),
            id);
  const auto other = enqueue({.workspace = kDefault, .kind = "scan", .idempotency_key = "a", .payload = {2}});
  EXPECT_EQ(code_of(other), ErrorCode::kConflict);
}

TEST_F(JobsTest, RefusesNamesAndPayloadsOverTheirBounds) {
  const NewJob good{.workspace = kDefault, .kind = "scan", .idempotency_key = "a"};
  const auto refusal = [&](auto change) {
    NewJob job = good;
    change(job);
    return code_of(enqueue(job));
  };
  EXPECT_EQ(refusal([](NewJob& j) { j.workspace = WorkspaceId(""); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refusal([](NewJob& j) { j.kind = ""; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refusal([](NewJob& j) { j.idempotency_key = std::string(kMaxNameBytes + 1, 'x'); }),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(refusal([](NewJob& j) { j.payload = Bytes(kMaxPayloadBytes + 1); }), ErrorCode::kLimitExceeded);
  EXPECT_EQ(refusal([](NewJob& j) { j.max_attempts = 0; }), ErrorCode::kInvalidArgument);
  NewJob largest = good;
  largest.idempotency_key = std::string(kMaxNameBytes, 'x');
  largest.payload = Bytes(kMaxPayloadBytes);
  EXPECT_TRUE(enqueue(largest));
}

TEST_F(JobsTest, AreEnqueuedWithTheChangeOrNotAtAll) {
  {
    auto dropped = database_->begin().value();
    ASSERT_TRUE(jobs_.enqueue(dropped, {.workspace = kDefault, .kind = "scan", .idempotency_key = "a"}));
  }
  EXPECT_FALSE(lease());
}

TEST_F(JobsTest, TheOneDueLongestComesFirstAndNoneBeforeItsTime) {
  const auto start = clock_.now();
  const auto enqueue_at = [&](const std::string& key, seconds after) {
    return enqueue(
               {.workspace = kDefault, .kind = "scan", .idempotency_key = key, .not_before = start + after})
        .value();
  };
  const JobId last = enqueue_at("last", seconds(5));
  const JobId second = enqueue_at("second", seconds(2));
  const JobId first = enqueue_at("first", seconds(1));
  EXPECT_FALSE(lease());
  clock_.advance(seconds(3));
  EXPECT_EQ(lease()->id, first);
  EXPECT_EQ(lease()->id, second);
  EXPECT_FALSE(lease());
  clock_.advance(seconds(2));
  EXPECT_EQ(lease()->id, last);
}

TEST_F(JobsTest, AZombieIsRefusedByItsFencingNumber) {
  const JobId id = enqueue("a");
  const auto zombie = lease().value();
  clock_.advance(seconds(10));
  const auto heir = lease().value();
  EXPECT_EQ(heir.id, id);
  EXPECT_EQ(heir.attempt, 2);
  EXPECT_GT(heir.fence, zombie.fence);
  const auto refused = complete(zombie);
  EXPECT_EQ(code_of(refused), ErrorCode::kConflict);
  EXPECT_THAT(refused.error().message, HasSubstr("another worker"));
  EXPECT_EQ(code_of(heartbeat(zombie)), ErrorCode::kConflict);
  EXPECT_EQ(code_of(fail(zombie, "x")), ErrorCode::kConflict);
  EXPECT_TRUE(complete(heir));
}

TEST_F(JobsTest, AHeartbeatHoldsTheLease) {
  enqueue("a");
  const auto job = lease().value();
  clock_.advance(seconds(9));
  EXPECT_EQ(heartbeat(job).value(), clock_.now() + seconds(10));
  clock_.advance(seconds(9));
  EXPECT_FALSE(lease());
  clock_.advance(seconds(1));
  EXPECT_TRUE(lease());
}

TEST_F(JobsTest, AFailedJobWaitsLongerEachTimeAndThenIsDead) {
  const JobId id = enqueue("a", 3);
  EXPECT_EQ(fail(lease().value(), "first").value(), JobState::kWaiting);
  clock_.advance(seconds(4) - std::chrono::microseconds(1));
  EXPECT_FALSE(lease());
  clock_.advance(std::chrono::microseconds(1));
  EXPECT_EQ(fail(lease().value(), "second").value(), JobState::kWaiting);
  clock_.advance(seconds(8) - std::chrono::microseconds(1));
  EXPECT_FALSE(lease());
  clock_.advance(std::chrono::microseconds(1));
  EXPECT_EQ(status(id).last_error, "second");
  EXPECT_EQ(fail(lease().value(), "third").value(), JobState::kDead);
  EXPECT_EQ(status(id).state, JobState::kDead);
  EXPECT_EQ(status(id).attempts, 3);
  EXPECT_EQ(status(id).last_error, "third");
  clock_.advance(seconds(1000));
  EXPECT_FALSE(lease());
}

TEST_F(JobsTest, AJobWhoseWorkersAlwaysStopIsDead) {
  const JobId id = enqueue("a", 2);
  const JobId next = enqueue("b", 2);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(lease()->id, id);
    EXPECT_EQ(lease()->id, next);
    clock_.advance(seconds(10));
  }
  EXPECT_FALSE(lease());
  EXPECT_EQ(status(id).state, JobState::kDead);
  EXPECT_THAT(status(next).last_error, HasSubstr("without a word"));
}

TEST_F(JobsTest, KeepsTheStartOfALongError) {
  const JobId id = enqueue("a");
  std::string error(kMaxKeptErrorBytes - 1, 'x');
  error += "\xE2\x82\xAC";  // one character across the bound
  ASSERT_TRUE(fail(lease().value(), error));
  EXPECT_EQ(status(id).last_error, std::string(kMaxKeptErrorBytes - 1, 'x'));
}

TEST_F(JobsTest, ForgetsWhatEndedLongAgo) {
  const JobId done = enqueue("a");
  const JobId waiting = enqueue("b");
  ASSERT_TRUE(complete(lease().value()));
  const auto forget = [&](base::Timestamp before) {
    return in_transaction([&](Transaction& t) { return jobs_.forget(t, before); }).value();
  };
  EXPECT_EQ(forget(clock_.now()), 0);
  EXPECT_EQ(forget(clock_.now() + std::chrono::microseconds(1)), 1);
  EXPECT_EQ(code_of(jobs_.status(database_->snapshot().value(), kDefault, done)), ErrorCode::kNotFound);
  EXPECT_EQ(status(waiting).state, JobState::kWaiting);
  EXPECT_NE(enqueue("a"), done);
}

TEST_F(JobsTest, ManyWorkersDoEachJobOnce) {
  constexpr int kJobs = 60;
  for (int i = 0; i < kJobs; ++i) enqueue(std::to_string(i));
  base::Mutex mutex;
  std::multiset<std::int64_t> done;
  std::vector<std::thread> workers;
  for (int i = 0; i < 4; ++i) {
    workers.emplace_back([&] {
      while (const auto job = lease()) {
        EXPECT_TRUE(complete(*job));
        const base::MutexLock lock(mutex);
        done.insert(job->id.value());
      }
    });
  }
  for (auto& worker : workers) worker.join();
  EXPECT_EQ(done.size(), static_cast<std::size_t>(kJobs));
  EXPECT_EQ(std::set(done.begin(), done.end()).size(), static_cast<std::size_t>(kJobs));
}

}  // namespace
}  // namespace holdfast::store
