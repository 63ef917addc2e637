#include "store/outbox.h"

#include <gmock/gmock-matchers.h>

#include <map>
#include <thread>

#include "base/mutex.h"
#include "store/testing.h"

namespace holdfast::store {
namespace {

using base::Bytes;
using base::ErrorCode;
using base::WorkspaceId;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

const WorkspaceId kDefault("default");

class OutboxTest : public testing::Test {
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
  MessageId post(const std::string& destination, std::uint8_t body = 0,
                 const WorkspaceId& workspace = kDefault) {
    return in_transaction([&](Transaction& t) {
             return outbox_.post(
                 t, {.workspace = workspace, .destination = destination, .kind = "hook", .body = {body}});
           })
        .value();
  }
  std::optional<Delivery> lease() {
    return in_transaction([&](Transaction& t) { return outbox_.lease(t, seconds(10)); }).value();
  }
  base::Result<> delivered(const Delivery& delivery) {
    return in_transaction([&](Transaction& t) { return outbox_.delivered(t, delivery); });
  }
  base::Result<MessageState> failed(const Delivery& delivery, std::string_view error) {
    return in_transaction([&](Transaction& t) { return outbox_.failed(t, delivery, error); });
  }
  MessageStatus status(MessageId id) {
    return outbox_.status(database_->snapshot().value(), kDefault, id).value();
  }

  TemporaryFolder folder_;
  StillClock clock_;
  std::unique_ptr<Database> database_ = Database::open({.path = folder_.path() / "a.db"}).value();
  Outbox outbox_{clock_, {.backoff = {.first = seconds(4), .longest = seconds(10)}, .max_attempts = 3}};
};

TEST_F(OutboxTest, AMessageGoesOutOnce) {
  const MessageId id = post("a", 7);
  const auto delivery = lease().value();
  EXPECT_EQ(delivery.id, id);
  EXPECT_EQ(delivery.workspace, kDefault);
  EXPECT_EQ(delivery.destination, "a");
  EXPECT_EQ(delivery.kind, "hook");
  EXPECT_EQ(delivery.body, Bytes{7});
  EXPECT_EQ(delivery.attempt, 1);
  EXPECT_FALSE(lease());
  EXPECT_EQ(status(id).state, MessageState::kPending);
  EXPECT_TRUE(delivered(delivery));
  EXPECT_EQ(status(id).state, MessageState::kDelivered);
  EXPECT_EQ(code_of(delivered(delivery)), ErrorCode::kConflict);
  EXPECT_EQ(code_of(failed(delivery, "late")), ErrorCode::kConflict);
  clock_.advance(seconds(1000));
  EXPECT_FALSE(lease());
}

TEST_F(OutboxTest, IsCommittedWithTheChangeOrNotAtAll) {
  {
    auto dropped = database_->begin().value();
    ASSERT_TRUE(
        outbox_.post(dropped, {.workspace = kDefault, .destination = "a", .kind = "hook", .body = {}}));
  }
  EXPECT_FALSE(lease());
}

TEST_F(OutboxTest, KeepsTheOrderOfADestinationAndLetsOthersPass) {
  const auto a1 = post("a");
  const auto a2 = post("a");
  clock_.advance(seconds(1));
  const auto b1 = post("b");
  const auto other = post("a", 0, WorkspaceId("other"));
  const auto first = lease().value();
  EXPECT_EQ(first.id, a1);
  EXPECT_EQ(lease()->id, b1);
  EXPECT_EQ(lease()->id, other);
  EXPECT_FALSE(lease());
  ASSERT_EQ(failed(first, "down").value(), MessageState::kPending);
  const auto a3 = post("a");
  EXPECT_FALSE(lease());
  clock_.advance(seconds(4));
  for (const auto id : {a1, a2, a3}) {
    const auto delivery = lease().value();
    EXPECT_EQ(delivery.id, id);
    ASSERT_TRUE(delivered(delivery));
  }
}

TEST_F(OutboxTest, GivesAMessageUpAfterItsAttemptsAndGoesOn) {
  const auto first = post("a");
  const auto second = post("a");
  EXPECT_EQ(failed(lease().value(), "one").value(), MessageState::kPending);
  clock_.advance(seconds(4));
  EXPECT_EQ(failed(lease().value(), "two").value(), MessageState::kPending);
  clock_.advance(seconds(8));
  EXPECT_EQ(failed(lease().value(), "three").value(), MessageState::kGivenUp);
  EXPECT_EQ(status(first).state, MessageState::kGivenUp);
  EXPECT_EQ(status(first).attempts, 3);
  EXPECT_EQ(status(first).last_error, "three");
  EXPECT_EQ(lease()->id, second);
}

TEST_F(OutboxTest, RemembersTheLastErrorOfADeliveredMessage) {
  const auto id = post("a");
  ASSERT_TRUE(failed(lease().value(), "was down"));
  clock_.advance(seconds(4));
  ASSERT_TRUE(delivered(lease().value()));
  EXPECT_EQ(status(id).state, MessageState::kDelivered);
  EXPECT_EQ(status(id).attempts, 2);
  EXPECT_EQ(status(id).last_error, "was down");
}

TEST_F(OutboxTest, AMessageWhoseDelivererStopsGoesOutAgainAndTheZombieIsRefused) {
  const auto id = post("a");
  const auto zombie = lease().value();
  clock_.advance(seconds(10));
  const auto heir = lease().value();
  EXPECT_EQ(heir.id, id);
  EXPECT_EQ(heir.attempt, 2);
  EXPECT_GT(heir.fence, zombie.fence);
  EXPECT_EQ(code_of(delivered(zombie)), ErrorCode::kConflict);
  EXPECT_EQ(code_of(failed(zombie, "x")), ErrorCode::kConflict);
  EXPECT_EQ(status(id).last_error, "");
  EXPECT_TRUE(delivered(heir));
}

TEST_F(OutboxTest, AMessageWhoseDeliverersAlwaysStopIsGivenUp) {
  const auto first = post("a");
  const auto second = post("a");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(lease()->id, first);
    clock_.advance(seconds(10));
  }
  EXPECT_EQ(lease()->id, second);
  EXPECT_EQ(status(first).state, MessageState::kGivenUp);
  EXPECT_THAT(status(first).last_error, HasSubstr("without a word"));
}

TEST_F(OutboxTest, RefusesNamesAndBodiesOverTheirBounds) {
  const auto refusal = [&](const NewMessage& message) {
    return code_of(in_transaction([&](Transaction& t) { return outbox_.post(t, message); }));
  };
  EXPECT_EQ(refusal({.workspace = WorkspaceId(""), .destination = "a", .kind = "b", .body = {}}),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(refusal({.workspace = kDefault, .destination = "", .kind = "b", .body = {}}),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(refusal({.workspace = kDefault,
                     .destination = "a",
                     .kind = std::string(kMaxNameBytes + 1, 'k'),
                     .body = {}}),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(
      refusal({.workspace = kDefault, .destination = "a", .kind = "b", .body = Bytes(kMaxPayloadBytes + 1)}),
      ErrorCode::kLimitExceeded);
}

TEST_F(OutboxTest, GivesTheNewestThatWereDelivered) {
  for (std::uint8_t body = 1; body <= 3; ++body) {
    post("a", body);
    ASSERT_TRUE(delivered(lease().value()));
  }
  post("a", 4);
  post("b", 5, WorkspaceId("other"));
  const auto newest = [&](std::string_view kind, std::int64_t limit) {
    return Outbox::newest_delivered(database_->snapshot().value(), kDefault, kind, limit).value();
  };
  EXPECT_THAT(newest("hook", 2), ElementsAre(Bytes{3}, Bytes{2}));
  EXPECT_EQ(newest("hook", 10).size(), 3U);
  EXPECT_TRUE(newest("ticket", 10).empty());
}

TEST_F(OutboxTest, ForgetsWhatEndedLongAgo) {
  const auto done = post("a");
  const auto pending = post("a");
  ASSERT_TRUE(delivered(lease().value()));
  const auto after = clock_.now() + std::chrono::microseconds(1);
  EXPECT_EQ(in_transaction([&](Transaction& t) { return outbox_.forget(t, clock_.now()); }).value(), 0);
  EXPECT_EQ(in_transaction([&](Transaction& t) { return outbox_.forget(t, after); }).value(), 1);
  EXPECT_EQ(code_of(outbox_.status(database_->snapshot().value(), kDefault, done)), ErrorCode::kNotFound);
  EXPECT_EQ(status(pending).state, MessageState::kPending);
}

TEST_F(OutboxTest, ManyDeliverersKeepTheOrder) {
  constexpr int kMessages = 60;
  for (int i = 0; i < kMessages; ++i) post(i % 3 == 0 ? "a" : "b");
  base::Mutex mutex;
  std::map<std::string, std::vector<std::int64_t>> sent;
  std::atomic<int> left = kMessages;
  std::vector<std::thread> deliverers;
  for (int i = 0; i < 4; ++i) {
    deliverers.emplace_back([&] {
      while (left > 0) {
        const auto delivery = lease();
        if (!delivery) continue;
        {
          const base::MutexLock lock(mutex);
          sent[delivery->destination].push_back(delivery->id.value());
        }
        EXPECT_TRUE(delivered(*delivery));
        --left;
      }
    });
  }
  for (auto& deliverer : deliverers) deliverer.join();
  EXPECT_EQ(sent["a"].size() + sent["b"].size(), static_cast<std::size_t>(kMessages));
  for (const auto& [destination, ids] : sent)
    EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end())) << destination;
}

}  // namespace
}  // namespace holdfast::store
