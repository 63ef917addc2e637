#include "store/folder_lock.h"

#include <fcntl.h>
#include <gmock/gmock-matchers.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>

#include "store/testing.h"

namespace holdfast::store {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

constexpr std::array<std::string_view, 2> kKnown{"holdfast.db", "blobs"};

class FolderLockTest : public testing::Test {
 protected:
  TemporaryFolder temporary_;
  std::filesystem::path folder_ = temporary_.path() / "state";
};

TEST_F(FolderLockTest, MakesAPrivateFolderAndHoldsIt) {
  const auto lock = FolderLock::acquire(folder_, kKnown);
  ASSERT_TRUE(lock);
  struct stat status{};
  ASSERT_EQ(::stat(folder_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
  const auto second = FolderLock::acquire(folder_, kKnown);
  EXPECT_EQ(code_of(second), ErrorCode::kUnavailable);
  EXPECT_THAT(second.error().message, HasSubstr("process " + std::to_string(::getpid()) + ";"));
}

TEST_F(FolderLockTest, IsFreeAgainWhenItsHolderGoes) {
  ASSERT_TRUE(FolderLock::acquire(folder_, kKnown));
  EXPECT_TRUE(FolderLock::acquire(folder_, kKnown));
}

TEST_F(FolderLockTest, TakesAFolderThatAKilledWriterLeftAPartOfAFileIn) {
  ASSERT_TRUE(FolderLock::acquire(folder_, kKnown));
  std::ofstream(folder_ / "blobs.054b72259d274da8.partial") << "x";
  EXPECT_TRUE(FolderLock::acquire(folder_, kKnown));
  std::ofstream(folder_ / "thesis.054b72259d274da8.partial") << "x";
  EXPECT_THAT(FolderLock::acquire(folder_, kKnown).error().message, HasSubstr("thesis"));
}

TEST_F(FolderLockTest, IsFreeAgainWhenItsHolderIsKilled) {
  std::array<int, 2> ready{};
  ASSERT_EQ(::pipe(ready.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = FolderLock::acquire(folder_, kKnown);
    const char held = lock ? 'y' : 'n';
    if (::write(ready[1], &held, 1) == 1) ::pause();
    ::_exit(1);
  }
  char held = 'n';
  ASSERT_EQ(::read(ready[0], &held, 1), 1);
  ASSERT_EQ(held, 'y');
  const auto refused = FolderLock::acquire(folder_, kKnown);
  EXPECT_EQ(code_of(refused), ErrorCode::kUnavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("process " + std::to_string(child) + ";"));
  ::kill(child, SIGKILL);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(FolderLock::acquire(folder_, kKnown));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(FolderLockTest, RefusesAFolderThatOthersMayRead) {
  ASSERT_EQ(::mkdir(folder_.c_str(), 0700), 0);
  for (const mode_t mode : {0750U, 0704U, 0710U}) {
    ASSERT_EQ(::chmod(folder_.c_str(), mode), 0);
    const auto refused = FolderLock::acquire(folder_, kKnown);
    EXPECT_EQ(code_of(refused), ErrorCode::kPermissionDenied);
    EXPECT_THAT(refused.error().message, HasSubstr("chmod 700"));
  }
}

TEST_F(FolderLockTest, RefusesAFolderWithOtherFilesAndLeavesItAsItWas) {
  ASSERT_EQ(::mkdir(folder_.c_str(), 0700), 0);
  std::ofstream(folder_ / "holdfast.db") << "";
  ASSERT_EQ(::mkdir((folder_ / "lost+found").c_str(), 0700), 0);
  EXPECT_TRUE(FolderLock::acquire(folder_, kKnown));
  std::filesystem::remove(folder_ / FolderLock::kLockName);
  std::ofstream(folder_ / "thesis.doc") << "";
  const auto refused = FolderLock::acquire(folder_, kKnown);
  EXPECT_EQ(code_of(refused), ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused.error().message, HasSubstr("\"thesis.doc\""));
  EXPECT_FALSE(std::filesystem::exists(folder_ / FolderLock::kLockName));
}

TEST_F(FolderLockTest, RefusesWhatIsNoFolder) {
  std::ofstream(folder_.string()) << "";
  EXPECT_EQ(code_of(FolderLock::acquire(folder_, kKnown)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of(FolderLock::acquire(temporary_.path() / "none" / "state", kKnown)), ErrorCode::kNotFound);
}

TEST_F(FolderLockTest, DoesNotFollowALinkInPlaceOfTheLock) {
  ASSERT_EQ(::mkdir(folder_.c_str(), 0700), 0);
  const auto target = temporary_.path() / "target";
  std::ofstream(target) << "precious";
  std::filesystem::create_symlink(target, folder_ / FolderLock::kLockName);
  EXPECT_FALSE(FolderLock::acquire(folder_, kKnown));
  EXPECT_EQ(std::filesystem::file_size(target), 8U);
}

}  // namespace
}  // namespace holdfast::store
