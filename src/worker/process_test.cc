#include "worker/process.h"

#include <gmock/gmock-matchers.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "worker/child.h"
#include "worker/probe/harness.h"
#include "worker/usage.h"

namespace holdfast::worker {
namespace {

using base::Bytes;
using base::ErrorCode;
using probe::exit_after;
using probe::kPatience;
using probe::outcome;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;

constexpr milliseconds kShort{100};

bool exists(pid_t process) { return ::kill(process, 0) == 0; }

TEST(Process, AnswersWhatItIsAsked) {
  auto worker = probe::start({"jailed"});
  for (const auto* text : {"one", "two", ""}) EXPECT_EQ(outcome(worker, std::string("echo ") + text), text);
  const std::string large(8UL << 20, 'x');
  EXPECT_EQ(outcome(worker, "echo " + large), large);
}

TEST(Process, RunsOrdinaryCode) {
  auto worker = probe::start({"jailed"});
  EXPECT_EQ(outcome(worker, "call-virtually text"), "text");
}

TEST(Process, EndsWhenNothingMoreCanCome) {
  auto worker = probe::start({"jailed"});
  EXPECT_EQ(worker.wait(deadline_in(kPatience)).value(), (Exit{ExitCause::kFinished, 0}));
  EXPECT_EQ(worker.stop(), (Exit{ExitCause::kFinished, 0}));
  EXPECT_EQ(worker.exchange(base::as_bytes("echo"), deadline_in(kPatience)).error().code,
            ErrorCode::kUnavailable);
}

TEST(Process, IsGoneWithItsObject) {
  pid_t id = 0;
  {
    const auto worker = probe::start({"jailed"});
    id = worker.id();
    EXPECT_TRUE(exists(id));
  }
  EXPECT_FALSE(exists(id));
}

TEST(Process, CanBeMovedAndIsEndedOnce) {
  auto first = probe::start({"jailed"});
  auto second = std::move(first);
  EXPECT_EQ(outcome(second, "print 10000"), "done");
  EXPECT_THAT(second.diagnostics(), EndsWith("the last line"));
}

TEST(Process, TellsWhatItTook) {
  const auto worker = probe::start({"jailed"});
  const auto usage = usage_of(worker.id()).value();
  EXPECT_GT(usage.resident_bytes, 0U);
  EXPECT_LT(usage.processor, kPatience);
  EXPECT_EQ(usage_of(::getpid()).error().code, ErrorCode::kNotFound);  // runs, but is no worker
}

TEST(Process, WaitsNoLongerThanAsked) {
  auto worker = probe::start({"jailed"});
  ASSERT_TRUE(worker.channel().send(base::as_bytes("sleep"), deadline_in(kPatience)));
  EXPECT_EQ(worker.wait(deadline_in(kShort)).error().code, ErrorCode::kDeadline);
  EXPECT_EQ(worker.stop(), (Exit{ExitCause::kStopped, SIGKILL}));
}

TEST(Process, StaysUsableAfterARequestThatIsTooLarge) {
  auto worker = probe::start({"jailed"});
  const auto refused = worker.exchange(Bytes(kMaxFrameBytes + 1), deadline_in(kPatience));
  EXPECT_EQ(refused.error().code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(outcome(worker, "echo still here"), "still here");
}

struct Misdeed {
  const char* deed;
  ErrorCode code;
  Exit exit;
};

class Misbehaving : public ::testing::TestWithParam<Misdeed> {};

TEST_P(Misbehaving, EndsAndIsToldApart) {
  const auto& [deed, code, exit] = GetParam();
  auto worker = probe::start({"jailed"});
  const auto answer = worker.exchange(base::as_bytes(deed), deadline_in(kPatience));
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, code) << answer.error().message;
  EXPECT_EQ(worker.wait(deadline_in(kPatience)).value(), exit);
  EXPECT_THAT(answer.error().message, HasSubstr(exit.sentence()));
  EXPECT_FALSE(exists(worker.id()));
}

INSTANTIATE_TEST_SUITE_P(
    All, Misbehaving,
    ::testing::Values(Misdeed{"crash", ErrorCode::kUnavailable, {ExitCause::kCrashed, SIGSEGV}},
                      Misdeed{"overflow-stack", ErrorCode::kUnavailable, {ExitCause::kCrashed, SIGSEGV}},
                      Misdeed{"abort", ErrorCode::kUnavailable, {ExitCause::kCrashed, SIGABRT}},
                      Misdeed{"throw", ErrorCode::kUnavailable, {ExitCause::kCrashed, SIGABRT}},
                      Misdeed{"exit 0", ErrorCode::kUnavailable, {ExitCause::kFinished, 0}},
                      Misdeed{"exit 7", ErrorCode::kUnavailable, {ExitCause::kFinished, 7}},
                      Misdeed{"pause", ErrorCode::kPermissionDenied, {ExitCause::kForbiddenCall, SIGSYS}},
                      Misdeed{"close", ErrorCode::kUnavailable, {ExitCause::kStopped, SIGKILL}},
                      Misdeed{"half-a-frame", ErrorCode::kDataCorrupt, {ExitCause::kStopped, SIGKILL}},
                      Misdeed{"announce 67108865", ErrorCode::kLimitExceeded, {ExitCause::kStopped, SIGKILL}},
                      Misdeed{
                          "announce 4294967295", ErrorCode::kLimitExceeded, {ExitCause::kStopped, SIGKILL}},
                      Misdeed{"send-descriptor", ErrorCode::kDataCorrupt, {ExitCause::kStopped, SIGKILL}}));

class Stalling : public ::testing::TestWithParam<const char*> {};

TEST_P(Stalling, IsStoppedAtTheDeadline) {
  auto worker = probe::start({"jailed"});
  const auto before = steady_clock::now();
  const auto answer = worker.exchange(base::as_bytes(GetParam()), deadline_in(kShort));
  EXPECT_EQ(answer.error().code, ErrorCode::kDeadline);
  EXPECT_GE(steady_clock::now() - before, kShort);
  EXPECT_LT(steady_clock::now() - before, kPatience / 3);
  EXPECT_EQ(worker.wait(kNoDeadline).value(), (Exit{ExitCause::kStopped, SIGKILL}));
}

INSTANTIATE_TEST_SUITE_P(All, Stalling, ::testing::Values("sleep", "spin", "announce 100", "trickle"));

TEST(Process, IsKilledWhenItDiesByAnothersHand) {
  auto worker = probe::start({"jailed"});
  ASSERT_EQ(::kill(worker.id(), SIGKILL), 0);
  EXPECT_EQ(worker.exchange(base::as_bytes("echo"), deadline_in(kPatience)).error().code,
            ErrorCode::kUnavailable);
  EXPECT_EQ(worker.stop(), (Exit{ExitCause::kKilled, SIGKILL}));
}

TEST(Process, NeverStandsStillForWhatItPrintsAndKeepsTheLast) {
  auto worker = probe::start({"jailed"});
  EXPECT_EQ(outcome(worker, "print 1048576"), "done");
  EXPECT_THAT(outcome(worker, "abort"), EndsWith("the last line"));
  EXPECT_LE(worker.diagnostics().size(), StderrTail::kKept);
}

TEST(Process, DiesWithTheProcessThatStartedIt) {
  auto middle = probe::start({"unjailed"});
  const auto id = static_cast<pid_t>(std::stol(outcome(middle, "start-another")));
  const base::UniqueFd orphan(static_cast<int>(::syscall(SYS_pidfd_open, id, 0)));
  ASSERT_TRUE(orphan.valid());
  EXPECT_EQ(await(orphan.get(), POLLIN, deadline_in(kShort), nullptr).error().code, ErrorCode::kDeadline);
  middle.stop();
  EXPECT_TRUE(await(orphan.get(), POLLIN, deadline_in(kPatience), nullptr));
}

TEST(Process, ManyThreadsStartTheirOwn) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([i] {
      for (int round = 0; round < 4; ++round) {
        auto worker = probe::start({"jailed"});
        EXPECT_EQ(outcome(worker, "echo " + std::to_string(i)), std::to_string(i));
        EXPECT_EQ(outcome(worker, "descriptors"), "0 1 2 3 ");
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST(StartingAProcess, FailsForAProgramThatIsNotThere) {
  EXPECT_EQ(Process::start({.executable = "/nowhere/worker", .argv = {"worker"}}).error().code,
            ErrorCode::kNotFound);
}

TEST(StartingAProcess, FailsForOneThatSaysNothing) {
  auto options = probe::options({"mute"});
  options.start_time = kShort;
  EXPECT_EQ(Process::start(options).error().code, ErrorCode::kDeadline);
}

TEST(StartingAProcess, FailsForOneThatEndsFirstAndGivesItsLastWords) {
  const auto started = Process::start(probe::options({"quit"}));
  EXPECT_EQ(started.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(started.error().message, AllOf(HasSubstr("status 3"), HasSubstr("not today?[31m")));
}

TEST(StartingAProcess, FailsForOneWhoseParentHasEnded) {
  EXPECT_THAT(Process::start(probe::options({"orphan"})).error().message, HasSubstr("has ended"));
}

TEST(BeginningWork, IsNotForPeople) { EXPECT_EQ(begin_work().error().code, ErrorCode::kInvalidArgument); }

TEST(StartingAProcess, RunsThisProgramAgainUnlessTold) {
  const auto started = Process::start({.argv = {"worker_test", "--gtest_list_tests"}});
  EXPECT_THAT(started.error().message, HasSubstr("ended by itself with status 0"));
}

}  // namespace
}  // namespace holdfast::worker
