#include "store/changes.h"

#include <gmock/gmock-matchers.h>

#include <thread>

#include "store/testing.h"

namespace holdfast::store {
namespace {

using base::ErrorCode;
using base::WorkspaceId;
using testing::ElementsAre;

class ChangesTest : public testing::Test {
 protected:
  std::int64_t change(const std::string& subject) {
    auto transaction = database_->begin().value();
    const auto sequence = transaction.next_change(WorkspaceId("w"), "thing", subject).value();
    EXPECT_TRUE(transaction.commit());
    return sequence;
  }
  base::Result<> forget(std::int64_t through) {
    HF_TRY(Transaction transaction, database_->begin());
    HF_CHECK(forget_changes(transaction, through));
    return transaction.commit();
  }
  std::vector<std::string> subjects_after(std::int64_t after, std::int64_t limit = kMaxChanges) {
    const auto changes = changes_after(database_->snapshot().value(), after, limit).value();
    std::vector<std::string> subjects;
    for (const auto& c : changes) subjects.push_back(c.subject);
    return subjects;
  }

  TemporaryFolder folder_;
  std::unique_ptr<Database> database_ = Database::open({.path = folder_.path() / "a.db"}).value();
};

TEST_F(ChangesTest, NumbersRiseByOneInTheOrderOfCommits) {
  EXPECT_EQ(last_change(database_->snapshot().value()).value(), 0);
  EXPECT_EQ(change("a"), 1);
  {
    auto dropped = database_->begin().value();
    EXPECT_EQ(dropped.next_change(WorkspaceId("w"), "thing", "lost").value(), 2);
  }
  EXPECT_EQ(change("b"), 2);
  EXPECT_EQ(last_change(database_->snapshot().value()).value(), 2);
  const auto changes = changes_after(database_->snapshot().value(), 1).value();
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].sequence, 2);
  EXPECT_EQ(changes[0].workspace, WorkspaceId("w"));
  EXPECT_EQ(changes[0].kind, "thing");
  EXPECT_EQ(changes[0].subject, "b");
}

TEST_F(ChangesTest, RefuseNamesThatAreEmptyOrTooLong) {
  auto transaction = database_->begin().value();
  const std::string long_name(257, 'x');
  EXPECT_EQ(code_of(transaction.next_change(WorkspaceId(""), "kind", "id")), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of(transaction.next_change(WorkspaceId("w"), "", "id")), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of(transaction.next_change(WorkspaceId("w"), "kind", long_name)),
            ErrorCode::kInvalidArgument);
}

TEST_F(ChangesTest, AreReadInPieces) {
  for (const auto* subject : {"a", "b", "c"}) change(subject);
  EXPECT_THAT(subjects_after(0, 2), ElementsAre("a", "b"));
  EXPECT_THAT(subjects_after(2, 2), ElementsAre("c"));
  EXPECT_THAT(subjects_after(3, 2), ElementsAre());
}

TEST_F(ChangesTest, AFollowerLearnsThatItFellBehindWhatIsKept) {
  for (const auto* subject : {"a", "b", "c"}) change(subject);
  ASSERT_TRUE(forget(2));
  EXPECT_EQ(code_of(changes_after(database_->snapshot().value(), 1)), ErrorCode::kNotFound);
  EXPECT_THAT(subjects_after(2), ElementsAre("c"));
  ASSERT_TRUE(forget(1));
  EXPECT_EQ(code_of(changes_after(database_->snapshot().value(), 1)), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(forget(4)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(change("d"), 4);
}

// A follower that reads on from the last number it saw, while others write, sees every change once and in
// order.
TEST_F(ChangesTest, AFollowerMissesNothing) {
  constexpr std::int64_t kTotal = 100;
  std::thread one([&] {
    for (std::int64_t i = 0; i < kTotal / 2; ++i) change("x");
  });
  std::thread two([&] {
    for (std::int64_t i = 0; i < kTotal / 2; ++i) change("y");
  });
  std::int64_t seen = 0;
  while (seen < kTotal) {
    const auto changes = changes_after(database_->snapshot().value(), seen, 7).value();
    for (const auto& c : changes) {
      EXPECT_EQ(c.sequence, seen + 1);
      seen = c.sequence;
    }
  }
  one.join();
  two.join();
}

}  // namespace
}  // namespace holdfast::store
