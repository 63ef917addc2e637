// A power cut keeps what was synced and may forget all else. kill -9 does not show that, since the kernel
// keeps what a process wrote. So this file stands between the program (with the SQLite library) and fsync,
// and rebuilds the folder as a disk that forgets everything else would have it.

#include <dirent.h>
#include <fcntl.h>
#include <gmock/gmock-matchers.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <fstream>
#include <map>
#include <memory>

#include "base/file.h"
#include "store/blob_testing.h"
#include "store/blobs.h"
#include "store/database.h"
#include "store/testing.h"

namespace holdfast::store {
namespace {

namespace fs = std::filesystem;
using base::Bytes;

// What is durable: of each file its bytes, of each folder its names, as of their last sync.
struct Image {
  std::map<ino_t, std::shared_ptr<const Bytes>> files;
  std::map<ino_t, std::map<std::string, std::pair<ino_t, bool>>> folders;  // name -> inode, is a folder

  void restore(ino_t folder, const fs::path& to) const {
    const auto names = folders.find(folder);
    if (names == folders.end()) return;
    for (const auto& [name, entry] : names->second) {
      const auto& [inode, is_folder] = entry;
      if (is_folder) {
        fs::create_directory(to / name);
        restore(inode, to / name);
      } else {
        const auto bytes = files.find(inode);
        std::ofstream out(to / name, std::ios::binary);
        if (bytes != files.end()) out.write(base::as_text(*bytes->second).data(), std::ssize(*bytes->second));
      }
    }
  }
};

class ForgetfulDisk;
std::atomic<ForgetfulDisk*> forgetful_disk = nullptr;

// From its making to its end, sees every sync of this process, and keeps the image after each.
class ForgetfulDisk {
 public:
  ForgetfulDisk() { forgetful_disk = this; }
  ForgetfulDisk(const ForgetfulDisk&) = delete;
  ForgetfulDisk& operator=(const ForgetfulDisk&) = delete;
  ~ForgetfulDisk() { forgetful_disk = nullptr; }

  void acknowledge() { ++acknowledged_; }
  // The image after each sync, with the count of what was acknowledged before the next; the last is that of
  // the end.
  [[nodiscard]] std::vector<std::pair<Image, int>> history() const {
    auto all = history_;
    all.emplace_back(image_, acknowledged_);
    return all;
  }

  void synced(int fd) {
    history_.emplace_back(image_, acknowledged_);
    struct stat status{};
    if (::fstat(fd, &status) != 0) return;
    if (S_ISDIR(status.st_mode)) {
      image_.folders[status.st_ino] = names_of(fd);
    } else {
      image_.files[status.st_ino] = bytes_of(fd, static_cast<std::size_t>(status.st_size));
    }
  }

 private:
  static std::string again(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

  static std::map<std::string, std::pair<ino_t, bool>> names_of(int fd) {
    std::map<std::string, std::pair<ino_t, bool>> names;
    DIR* folder = ::opendir(again(fd).c_str());
    while (const dirent* entry = ::readdir(folder)) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") names[name] = {entry->d_ino, entry->d_type == DT_DIR};
    }
    ::closedir(folder);
    return names;
  }

  static std::shared_ptr<const Bytes> bytes_of(int fd, std::size_t size) {
    auto bytes = std::make_shared<Bytes>(size);
    if (::pread(fd, bytes->data(), size, 0) < 0 && errno == EBADF) {  // open for writing only
      const base::UniqueFd readable(::open(again(fd).c_str(), O_RDONLY | O_CLOEXEC));
      EXPECT_EQ(::pread(readable.get(), bytes->data(), size, 0), static_cast<ssize_t>(size));
    }
    return bytes;
  }

  Image image_;
  int acknowledged_ = 0;
  std::vector<std::pair<Image, int>> history_;
};

std::atomic<bool> syncs_fail = false;

int note_and_sync(int fd, long call) {
  if (syncs_fail) {
    errno = EIO;
    return -1;
  }
  const auto result = static_cast<int>(::syscall(call, fd));
  if (ForgetfulDisk* disk = forgetful_disk; disk != nullptr && result == 0) disk->synced(fd);
  return result;
}

ino_t inode_of(const fs::path& folder) {
  struct stat status{};
  EXPECT_EQ(::stat(folder.c_str(), &status), 0);
  return status.st_ino;
}

constexpr std::array kSteps{
    Migration{"entries", Sql("CREATE TABLE entries (id BIGINT NOT NULL PRIMARY KEY, body BYTEA NOT NULL)")}};
constexpr std::array kModules{ModuleMigrations{.module = "test", .steps = kSteps}};

base::Result<> add(Database& database, int id) {
  HF_TRY(Transaction change, database.begin());
  // 28 pages each, so that the log is folded into the file on the way, at 1000 pages.
  HF_CHECK(change.execute(Sql("INSERT INTO entries (id, body) VALUES ($1, $2)"), id, Bytes(110'000, 7)));
  return change.commit();
}

TEST(PowerCutTest, EveryAcknowledgedCommitIsOnTheDisk) {
  constexpr int kCommits = 45;
  const TemporaryFolder folder;
  ForgetfulDisk disk;
  {
    const auto database = Database::open({.path = folder.path() / "a.db"}, kModules).value();
    for (int id = 0; id < kCommits; ++id) {
      ASSERT_TRUE(add(*database, id));
      disk.acknowledge();
    }
  }
  const auto history = disk.history();
  EXPECT_GT(history.size(), static_cast<std::size_t>(kCommits + 3));
  for (const auto& [image, acknowledged] : history) {
    const TemporaryFolder after;
    image.restore(inode_of(folder.path()), after.path());
    const auto database = Database::open({.path = after.path() / "a.db"}, kModules);
    ASSERT_TRUE(database) << database.error().message;
    const auto view = (*database)->snapshot().value();
    const auto row =
        view.row<std::int64_t, std::optional<std::int64_t>>(Sql("SELECT count(*), max(id) FROM entries"));
    const auto [count, largest] = row.value().value();
    ASSERT_GE(count, acknowledged);
    ASSERT_EQ(count, largest.value_or(-1) + 1);
    ASSERT_EQ(std::get<0>(view.row<std::string>(Sql("PRAGMA integrity_check")).value().value()), "ok");
  }
}

// What a failed sync left on the disk nobody knows, and a second one may tell that all is well.
TEST(PowerCutTest, AfterAFailedSyncTheDatabaseTakesNoWritesUntilItIsOpenedAgain) {
  const TemporaryFolder folder;
  {
    const auto database = Database::open({.path = folder.path() / "a.db"}, kModules).value();
    ASSERT_TRUE(add(*database, 0));
    syncs_fail = true;
    const auto failed = add(*database, 1);
    syncs_fail = false;
    EXPECT_EQ(code_of(failed), base::ErrorCode::kIo);
    const auto refused = add(*database, 2);
    EXPECT_EQ(code_of(refused), base::ErrorCode::kUnavailable);
    EXPECT_THAT(refused.error().message, testing::HasSubstr("check the disk and start again"));
    EXPECT_TRUE(
        database->snapshot().value().row<std::int64_t>(Sql("SELECT id FROM entries WHERE id = 0")).value());
  }
  const auto database = Database::open({.path = folder.path() / "a.db"}, kModules).value();
  EXPECT_TRUE(add(*database, 3));
}

TEST(PowerCutTest, EveryAcknowledgedBlobIsOnTheDiskAndNothingHalf) {
  const BlobKeys keys = make_keys("default");
  const TemporaryFolder folder;
  ForgetfulDisk disk;
  std::vector<BlobId> put_so_far;
  {
    const auto store = BlobStore::open(folder.path() / "blobs").value();
    for (std::size_t i = 0; i < 8; ++i) {
      put_so_far.push_back(put(*store, keys, pattern(30'000 * i)).value().id);
      disk.acknowledge();
    }
  }
  for (const auto& [image, acknowledged] : disk.history()) {
    const TemporaryFolder after;
    image.restore(inode_of(folder.path()), after.path());
    const auto store = BlobStore::open(after.path() / "blobs").value();
    const auto there = store->list(keys.workspace).value();
    for (const auto& id : there) ASSERT_TRUE(store->verify(keys, id));
    ASSERT_THAT(there, testing::IsSupersetOf(put_so_far.begin(), put_so_far.begin() + acknowledged));
  }
}

// A removed blob does not come back.
TEST(PowerCutTest, EveryAcknowledgedRemovalIsOnTheDisk) {
  const BlobKeys keys = make_keys("default");
  const TemporaryFolder folder;
  ForgetfulDisk disk;
  const auto store = BlobStore::open(folder.path() / "blobs").value();
  const BlobId id = put(*store, keys, pattern(10)).value().id;
  ASSERT_TRUE(store->remove(keys.workspace, id));
  const TemporaryFolder after;
  disk.history().back().first.restore(inode_of(folder.path()), after.path());
  EXPECT_TRUE(BlobStore::open(after.path() / "blobs").value()->list(keys.workspace).value().empty());
}

}  // namespace
}  // namespace holdfast::store

// In place of the C library's, for this program and the libraries that it loads.
extern "C" int fsync(int fd) { return holdfast::store::note_and_sync(fd, SYS_fsync); }
extern "C" int fdatasync(int fd) { return holdfast::store::note_and_sync(fd, SYS_fdatasync); }
