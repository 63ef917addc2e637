// kill -9 at any moment: what was acknowledged is there, and the log holds before and after the next start.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "audit/testing.h"

namespace holdfast::audit {
namespace {

[[noreturn]] void write_until_killed(const TestFolder& folder, int acknowledge) noexcept {
  const auto keys = open_keys(folder);
  const auto log = Log::open(folder.log(), *keys);
  if (!log) ::_exit(2);
  for (;;) {
    // Notes between the records that somebody waits for, so that rounds are of several.
    const std::uint64_t next = (*log)->size();
    for (std::uint64_t i = 0; i < next % 7; ++i) {
      if (!(*log)->note(record_of(i))) ::_exit(3);
    }
    const auto receipt = (*log)->append(record_of(next));
    if (!receipt || ::write(acknowledge, &*receipt, sizeof(*receipt)) <= 0) ::_exit(1);
  }
}

// The last receipt that the child gave before it was killed, after at least `count` of them.
Receipt kill_after(const TestFolder& folder, int count) {
  std::array<int, 2> acks{};
  EXPECT_EQ(::pipe(acks.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) write_until_killed(folder, acks[1]);
  ::close(acks[1]);
  Receipt last;
  Receipt receipt;
  for (int i = 0; i < count && ::read(acks[0], &receipt, sizeof(receipt)) == sizeof(receipt); ++i)
    last = receipt;
  ::kill(child, SIGKILL);
  while (::read(acks[0], &receipt, sizeof(receipt)) == sizeof(receipt)) last = receipt;
  ::close(acks[0]);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << WEXITSTATUS(status);
  return last;
}

TEST(AuditCrashTest, NothingAcknowledgedIsLostWhereverTheWriterIsKilled) {
  constexpr int kRounds = 25;
  const TestFolder folder;
  const auto keys = open_keys(folder);
  std::uint64_t kept = 0;
  for (int round = 0; round < kRounds; ++round) {
    const Receipt last = kill_after(folder, 1 + round % 5 * 11);
    const auto report = verify_log(folder.log(), verifier_of(folder), {.keys = keys.get()});
    ASSERT_TRUE(report) << report.error().message;
    ASSERT_FALSE(report->fault) << round << ": " << report->fault->file << ": " << report->fault->message;
    ASSERT_GT(report->checkpoint.size, last.index);
    const auto log = Log::open(folder.log(), *keys);
    ASSERT_TRUE(log) << log.error().message;
    // What was whole on the disk is kept, no more and no less.
    ASSERT_EQ((*log)->size(), report->checkpoint.size);
    ASSERT_EQ((*log)->read(last.index, 1)->at(0).receipt, last);
    ASSERT_GT((*log)->size(), kept);
    kept = (*log)->size();
  }
  EXPECT_EQ(fault_of(folder, {.keys = keys.get()}), "");
}

}  // namespace
}  // namespace holdfast::audit
