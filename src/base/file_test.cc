#include "base/file.h"

#include <gmock/gmock-matchers.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

namespace holdfast::base {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "holdfast-file-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  void TearDown() override { fs::remove_all(folder_); }
  [[nodiscard]] std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
  fs::path folder_;
};

TEST_F(FileTest, ReadsWithinItsBound) {
  ASSERT_TRUE(write_file_atomically(folder_ / "a", as_bytes("hello")));
  EXPECT_EQ(as_text(read_file(folder_ / "a", 5).value()), "hello");
  EXPECT_EQ(read_file(folder_ / "a", 4).error().code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(read_file(folder_ / "none", 4).error().code, ErrorCode::kNotFound);
}

TEST_F(FileTest, RefusesWhatIsNoRegularFile) {
  ASSERT_EQ(mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  const auto fifo = read_file(folder_ / "fifo", 10);
  ASSERT_FALSE(fifo);
  EXPECT_THAT(fifo.error().message, HasSubstr("is not a regular file"));
  EXPECT_FALSE(read_file(folder_, 10));
  EXPECT_FALSE(read_file("/dev/zero", 10));
}

TEST_F(FileTest, AnUncommittedFileLeavesNothing) {
  ASSERT_TRUE(write_file_atomically(folder_ / "a", as_bytes("old")));
  {
    auto file = AtomicFile::create(folder_ / "a", 0600).value();
    ASSERT_TRUE(file.write(as_bytes("new")));
  }
  EXPECT_EQ(as_text(read_file(folder_ / "a", 10).value()), "old");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(FileTest, CommitReplacesOrRefuses) {
  ASSERT_TRUE(write_file_atomically(folder_ / "a", as_bytes("old")));
  auto kept = AtomicFile::create(folder_ / "a", 0600).value();
  EXPECT_EQ(kept.commit(/*replace=*/false).error().code, ErrorCode::kAlreadyExists);
  ASSERT_TRUE(write_file_atomically(folder_ / "a", as_bytes("new"), 0600));
  EXPECT_EQ(as_text(read_file(folder_ / "a", 10).value()), "new");
  struct stat status{};
  ASSERT_EQ(stat((folder_ / "a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(FileTest, AFullDiskLeavesTheOldFile) {
  ASSERT_TRUE(write_file_atomically(folder_ / "a", as_bytes("old")));
  // A limit on file size stands in for the disk's end; it holds for this process alone, so a child takes it.
  const pid_t child = fork();
  if (child == 0) {
    const rlimit limit{4096, 4096};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    const bool refused = !write_file_atomically(folder_ / "a", Bytes(8192));
    _exit(refused ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(as_text(read_file(folder_ / "a", 10).value()), "old");
  EXPECT_EQ(entries(), 1U);
}

}  // namespace
}  // namespace holdfast::base
