#include "access/refusal_tally.h"

#include <gtest/gtest.h>

namespace holdfast::access {
namespace {

using base::Timestamp;
using Counts = std::map<int, std::uint64_t>;

Timestamp second(std::int64_t seconds) { return Timestamp::from_microseconds(seconds * 1'000'000); }

constexpr RefusalTally::Limits kFew{.in_full = 2, .window = std::chrono::seconds(60), .max_callers = 2};

TEST(RefusalTally, RecordsTheFirstInFullAndCountsTheRest) {
  RefusalTally tally(kFew);
  EXPECT_TRUE(tally.take("eve", 400, second(0)).in_full);
  EXPECT_TRUE(tally.take("eve", 400, second(1)).in_full);
  EXPECT_FALSE(tally.take("eve", 400, second(2)).in_full);
  EXPECT_FALSE(tally.take("eve", 422, second(59)).in_full);
  EXPECT_TRUE(tally.take("ada", 400, second(59)).in_full);  // somebody else's are not hers

  const auto next = tally.take("eve", 400, second(60));
  EXPECT_TRUE(next.in_full);
  ASSERT_TRUE(next.ended);
  EXPECT_EQ(next.ended->principal, "eve");
  EXPECT_EQ(next.ended->from, second(0));
  EXPECT_EQ(next.ended->until, second(60));
  EXPECT_EQ(next.ended->by_status, (Counts{{400, 1}, {422, 1}}));
  EXPECT_FALSE(tally.take("eve", 400, second(61)).ended);
}

TEST(RefusalTally, TellsWhatEndedWithoutAnotherRefusal) {
  RefusalTally tally(kFew);
  for (int i = 0; i < 5; ++i) tally.take("eve", 429, second(0));
  tally.take("ada", 400, second(0));  // nothing of hers was only counted
  EXPECT_TRUE(tally.take_ended(second(59)).empty());
  const auto ended = tally.take_ended(second(60));
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(ended[0].by_status, (Counts{{429, 3}}));
  EXPECT_TRUE(tally.take_ended(second(200)).empty());
}

TEST(RefusalTally, LosesNothingAtTheEnd) {
  RefusalTally tally(kFew);
  for (int i = 0; i < 3; ++i) tally.take("eve", 400, second(0));
  EXPECT_EQ(tally.take_all().size(), 1U);
  EXPECT_TRUE(tally.take_all().empty());
}

TEST(RefusalTally, CallersBeyondItsRoomAreRecordedInFull) {
  RefusalTally tally(kFew);
  tally.take("eve", 400, second(0));
  tally.take("mal", 400, second(0));
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(tally.take("ada", 400, second(1)).in_full);
  EXPECT_TRUE(tally.take_ended(second(60)).empty());
}

}  // namespace
}  // namespace holdfast::access
