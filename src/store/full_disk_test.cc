// A disk that is really full: a file system of 1 MiB in memory, mounted in a namespace of the test's own.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>

#include "store/blob_testing.h"
#include "store/blobs.h"
#include "store/database.h"
#include "store/testing.h"

namespace holdfast::store {
namespace {

namespace fs = std::filesystem;
using base::Bytes;
using base::ErrorCode;

constexpr int kRefused = 77;  // exit status: no namespace or no mount to be had
constexpr std::array kSteps{
    Migration{"entries", Sql("CREATE TABLE entries (id BIGINT NOT NULL PRIMARY KEY, body BYTEA NOT NULL)")}};
constexpr std::array kModules{ModuleMigrations{.module = "test", .steps = kSteps}};

bool mount_small(const fs::path& at) {
  const std::string user = "0 " + std::to_string(::geteuid()) + " 1";
  const std::string group = "0 " + std::to_string(::getegid()) + " 1";
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  std::ofstream("/proc/self/setgroups") << "deny";
  std::ofstream("/proc/self/uid_map") << user;
  std::ofstream("/proc/self/gid_map") << group;
  return ::mount("none", at.c_str(), "tmpfs", 0, "size=1m") == 0;
}

// Runs in a process that sees the small file system at the folder; gives what is wrong, or an empty text.
using Check = std::string (*)(const fs::path& folder);

[[noreturn]] void run_child(const fs::path& folder, Check check) noexcept {
  if (!mount_small(folder)) ::_exit(kRefused);
  const std::string wrong = check(folder);
  if (!wrong.empty()) std::fprintf(stderr, "%s\n", wrong.c_str());
  ::_exit(wrong.empty() ? 0 : 1);
}

void on_a_small_disk(Check check) {
  const TemporaryFolder folder;
  const pid_t child = ::fork();
  if (child == 0) run_child(folder.path(), check);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kRefused)
    GTEST_SKIP() << "this system lets no user mount in a namespace of his own";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

base::Result<> add(Database& database, std::int64_t id) {
  HF_TRY(Transaction change, database.begin());
  HF_CHECK(change.execute(Sql("INSERT INTO entries (id, body) VALUES ($1, $2)"), id, Bytes(20'000, 1)));
  return change.commit();
}

std::string fill_database(const fs::path& folder) {
  std::ofstream(folder / "ballast") << std::string(300'000, 'x');
  std::int64_t kept = 0;
  {
    const auto database = Database::open({.path = folder / "a.db"}, kModules).value();
    for (;;) {
      const auto added = add(*database, kept);
      if (!added && added.error().code != ErrorCode::kUnavailable)
        return "wrong code: " + added.error().message;
      if (!added) break;
      if (++kept > 1000) return "the disk never filled";
    }
    fs::remove(folder / "ballast");
    if (const auto added = add(*database, kept); !added)
      return "not writable again: " + added.error().message;
    ++kept;
  }
  const auto database = Database::open({.path = folder / "a.db"}, kModules);
  if (!database) return "not readable again: " + database.error().message;
  const auto view = (*database)->snapshot().value();
  const auto count = view.row<std::int64_t>(Sql("SELECT count(*) FROM entries")).value().value();
  if (std::get<0>(count) != kept || kept < 5) return "rows lost";
  const auto sound = view.row<std::string>(Sql("PRAGMA integrity_check")).value().value();
  return std::get<0>(sound) == "ok" ? "" : std::get<0>(sound);
}

std::string fill_blobs(const fs::path& folder) {
  const BlobKeys keys = make_keys("default");
  const auto store = BlobStore::open(folder / "blobs").value();
  const auto small = put(*store, keys, pattern(100'000));
  if (!small) return small.error().message;
  const auto large = put(*store, keys, pattern(2'000'000));
  if (large || large.error().code != ErrorCode::kUnavailable)
    return "a blob fitted that can't, or a wrong code";
  if (large.error().message.find("No space left") == std::string::npos) return large.error().message;
  if (count_files(folder) != 1) return "half a blob is left";
  if (!store->verify(keys, small->id)) return "the blob before was harmed";
  const auto after = put(*store, keys, pattern(200'000));
  return after ? "" : after.error().message;
}

TEST(FullDiskTest, TheDatabaseRefusesAndLosesNothing) { on_a_small_disk(fill_database); }
TEST(FullDiskTest, TheBlobStoreRefusesAndLeavesNothing) { on_a_small_disk(fill_blobs); }

}  // namespace
}  // namespace holdfast::store
