// Who guesses passwords: slowed down, bounded in cost, and never able to keep the right one out.
#include <gmock/gmock-matchers.h>

#include <thread>

#include "access/testing.h"

namespace holdfast::access {
namespace {

using base::ErrorCode;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

class GuessingTest : public AccessTest {
 protected:
  GuessingTest() { choose("ada", first_->password); }
};

// Attack 22: 10^4 wrong passwords for an administrator, who still gets in.
TEST_F(GuessingTest, TenThousandGuessesFromOnePlaceCostFewHashes) {
  const auto before = log_.all().size();
  int tried = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto result = sign_in("ada", "wrong password " + std::to_string(i), "192.0.2.66");
    ASSERT_FALSE(result);
    tried += result.error().code == ErrorCode::kUnauthenticated ? 1 : 0;
    clock_.advance(std::chrono::milliseconds(10));  // 100 s in all
  }
  EXPECT_LE(tried, 12);
  EXPECT_GE(tried, 5);
  EXPECT_EQ(log_.all().size() - before, static_cast<std::size_t>(tried));
  EXPECT_TRUE(sign_in("ada", kPassword, "10.0.0.1")) << "the administrator, from elsewhere";
  clock_.advance(seconds(61));
  EXPECT_TRUE(sign_in("ada", kPassword, "192.0.2.66")) << "and from the same place, after a wait";
}

TEST_F(GuessingTest, TenThousandGuessesFromAsManyPlacesDoNotLockOut) {
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_EQ(code_of(sign_in("ada", "wrong password", "192.0.2." + std::to_string(i))),
              ErrorCode::kUnauthenticated);
  }
  EXPECT_TRUE(sign_in("ada"));
}

TEST_F(GuessingTest, TheNextRecordSaysHowManyWereRefused) {
  for (int i = 0; i < 25; ++i) (void)sign_in("ada", "wrong password", "192.0.2.66").has_value();
  clock_.advance(seconds(2));
  EXPECT_EQ(code_of(sign_in("ada", "wrong password", "192.0.2.66")), ErrorCode::kUnauthenticated);
  EXPECT_THAT(log_.last().entry.details, HasSubstr(R"("refused_before":20)"));
  EXPECT_THAT(message_of(sign_in("ada", "wrong password", "192.0.2.66")), HasSubstr("try again in 2 s"));
}

TEST_F(GuessingTest, OnePlaceThatTriesManyNamesHasToWaitToo) {
  int tried = 0;
  for (int i = 0; i < 1'000; ++i) {
    tried += code_of(sign_in("person" + std::to_string(i), "wrong password", "192.0.2.66")) ==
                     ErrorCode::kUnauthenticated
                 ? 1
                 : 0;
  }
  EXPECT_EQ(tried, 30);
}

TEST(Throttle, ForgetsWhatIsLongAgoAndWhatIsTooMuch) {
  Throttle throttle({.free_failures = 1, .free_source_failures = 1'000, .max_tracked = 8});
  auto now = base::Timestamp::from_microseconds(1'000'000'000);
  const auto fail_at = [&](const std::string& name) {
    auto attempt = throttle.admit(name, "s", now);
    if (attempt) attempt->failed(now);
    return attempt.has_value();
  };
  EXPECT_TRUE(fail_at("a"));
  EXPECT_FALSE(fail_at("a"));
  now = now + minutes(15);
  EXPECT_TRUE(fail_at("a"));
  EXPECT_FALSE(fail_at("a"));
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(fail_at("b" + std::to_string(i)));
  EXPECT_TRUE(fail_at("a"));  // whoever can fail that often elsewhere has paid for it
}

TEST(Throttle, RefusalsPushNothingOut) {
  Throttle throttle(
      {.free_failures = 1, .free_source_failures = 1, .longest_wait = seconds(60), .max_tracked = 4});
  const auto now = base::Timestamp::from_microseconds(1'000'000'000);
  {
    auto attempt = throttle.admit("a", "s", now);
    ASSERT_TRUE(attempt);
    attempt->failed(now);
  }
  for (int i = 0; i < 1'000; ++i) EXPECT_FALSE(throttle.admit("b" + std::to_string(i), "s", now));
  EXPECT_FALSE(throttle.admit("a", "s", now));
  EXPECT_TRUE(throttle.admit("a", "t", now));
  const auto later = throttle.admit("c", "s", now + seconds(2));
  ASSERT_TRUE(later);
  EXPECT_EQ(later->refused_before(), 1'000U);
}

TEST(Throttle, AWaitDoublesUpToItsBoundAndAClockSetBackDoesNotProlongIt) {
  Throttle throttle({.free_failures = 1, .free_source_failures = 1'000, .longest_wait = seconds(8)});
  auto now = base::Timestamp::from_microseconds(1'000'000'000);
  for (const int wait : {1, 2, 4, 8, 8, 8}) {
    auto attempt = throttle.admit("a", "s", now);
    ASSERT_TRUE(attempt);
    attempt->failed(now);
    const auto refused = throttle.admit("a", "s", now);
    EXPECT_THAT(message_of(refused), HasSubstr("in " + std::to_string(wait) + " s"));
    now = now + seconds(wait);
  }
  auto attempt = throttle.admit("a", "s", now);
  ASSERT_TRUE(attempt);
  attempt->failed(now);
  EXPECT_THAT(message_of(throttle.admit("a", "s", now + -std::chrono::hours(5))), HasSubstr("in 8 s"));
}

TEST(Throttle, OneAttemptAtATime) {
  Throttle throttle({});
  const auto now = base::Timestamp::from_microseconds(1'000'000'000);
  {
    const auto first = throttle.admit("a", "s", now);
    EXPECT_TRUE(first);
    EXPECT_EQ(code_of(throttle.admit("a", "s", now)), ErrorCode::kLimitExceeded);
    EXPECT_TRUE(throttle.admit("a", "other", now));
  }
  EXPECT_TRUE(throttle.admit("a", "s", now));
}

TEST(PasswordGate, BoundsHowManyAreInsideAndHowManyWait) {
  PasswordGate gate({.at_once = 1, .waiting = 1, .wait = std::chrono::milliseconds(20)});
  {
    const auto turn = gate.enter();
    ASSERT_TRUE(turn);
    EXPECT_EQ(code_of(gate.enter()), ErrorCode::kUnavailable);  // waited in vain
  }
  EXPECT_TRUE(gate.enter());
}

TEST(PasswordGate, NeverLetsInMoreThanItsBound) {
  PasswordGate gate({.at_once = 2, .waiting = 100});
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 100; ++k) {
        const auto turn = gate.enter();
        ASSERT_TRUE(turn);
        const int now = ++inside;
        int seen = most;
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
        --inside;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_LE(most, 2);
}

}  // namespace
}  // namespace holdfast::access
