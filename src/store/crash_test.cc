// kill -9 at any moment: what was acknowledged is there, what was not is whole or absent, and the file is
// sound.

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "store/database.h"
#include "store/testing.h"

namespace holdfast::store {
namespace {

namespace fs = std::filesystem;

constexpr std::array kSteps{Migration{
    "entries",
    Sql("CREATE TABLE entries (id BIGINT NOT NULL PRIMARY KEY, half BIGINT NOT NULL, body BYTEA)")}};
constexpr std::array kModules{ModuleMigrations{.module = "test", .steps = kSteps}};

base::Result<std::unique_ptr<Database>> open(const fs::path& file) {
  return Database::open({.path = file}, kModules);
}

// Two rows in one transaction, with bodies that spread over several pages.
base::Result<> add_pair(Database& database, std::int64_t id) {
  HF_TRY(Transaction change, database.begin());
  const Sql insert("INSERT INTO entries (id, half, body) VALUES ($1, $2, $3)");
  HF_CHECK(change.execute(insert, 2 * id, 0, base::Bytes(9'000, 0x5A)));
  HF_CHECK(change.execute(insert, 2 * id + 1, 1, base::Bytes(100, 0xA5)));
  return change.commit();
}

// The file is sound and holds the pairs 0..n-1 for an n of at least `acknowledged`, which it gives.
std::int64_t check_pairs(const fs::path& file, std::int64_t acknowledged) {
  const auto database = open(file);
  if (!database) {
    ADD_FAILURE() << database.error().message;
    return -1;
  }
  const auto view = (*database)->snapshot().value();
  const auto sound = view.rows<std::string>(Sql("PRAGMA integrity_check")).value();
  EXPECT_EQ(sound, (std::vector<std::tuple<std::string>>{{"ok"}}));
  const auto row =
      view.row<std::int64_t, std::optional<std::int64_t>>(Sql("SELECT count(*), max(id) FROM entries"));
  const auto [count, largest] = row.value().value();
  EXPECT_EQ(count % 2, 0);
  EXPECT_EQ(count, largest.value_or(-1) + 1);
  EXPECT_GE(count / 2, acknowledged);
  return count / 2;
}

[[noreturn]] void write_until_killed(const fs::path& file, int acknowledge) noexcept {
  const auto database = open(file);
  std::int64_t next = 0;
  if (database) {
    const auto row =
        (*database)->snapshot().value().row<std::int64_t>(Sql("SELECT count(*) / 2 FROM entries"));
    next = std::get<0>(row.value().value());
  }
  while (database && add_pair(**database, next).has_value() && ::write(acknowledge, &next, sizeof(next)) > 0)
    ++next;
  ::_exit(1);
}

TEST(CrashTest, NothingAcknowledgedIsLostWhereverTheWriterIsKilled) {
  constexpr int kRounds = 40;
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "a.db";
  std::int64_t kept = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::array<int, 2> acks{};
    ASSERT_EQ(::pipe(acks.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) write_until_killed(file, acks[1]);
    ::close(acks[1]);
    // Rounds end at different counts, and at whatever the writer is doing by then.
    std::int64_t last = kept - 1;
    std::int64_t id = 0;
    for (int i = 0; i <= round % 5 && ::read(acks[0], &id, sizeof(id)) == sizeof(id); ++i) last = id;
    ::kill(child, SIGKILL);
    while (::read(acks[0], &id, sizeof(id)) == sizeof(id)) last = id;
    ::close(acks[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    kept = check_pairs(file, last + 1);
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
  EXPECT_GE(kept, kRounds);
}

// SQLite's own writes, of which the one with this number is cut in half and is the process's last.
int writes_left = -1;
ssize_t torn_write(int fd, const void* bytes, size_t size, off_t offset) {
  if (writes_left == 0) {
    if (::pwrite(fd, bytes, size / 2, offset) < 0) ::_exit(1);
    ::raise(SIGKILL);
  }
  --writes_left;
  return ::pwrite(fd, bytes, size, offset);
}

[[noreturn]] void write_until_torn(const fs::path& file, int torn_at, int acknowledge) noexcept {
  sqlite3_vfs* vfs = sqlite3_vfs_find(nullptr);
  writes_left = torn_at;
  if (vfs->xSetSystemCall(vfs, "pwrite64", reinterpret_cast<sqlite3_syscall_ptr>(&torn_write)) != SQLITE_OK)
    ::_exit(2);
  const auto database = open(file);
  for (char id = 0; database && id < 2; ++id) {
    if (!add_pair(**database, id) || ::write(acknowledge, &id, 1) != 1) ::_exit(1);
  }
  ::_exit(database ? 0 : 1);
}

TEST(CrashTest, NothingIsHalfDoneWhicheverWriteIsTornFromTheVeryFirstOn) {
  constexpr int kMostWrites = 1'000;
  bool finished = false;
  for (int torn_at = 0; torn_at < kMostWrites && !finished; ++torn_at) {
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "a.db";
    std::array<int, 2> acks{};
    ASSERT_EQ(::pipe(acks.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) write_until_torn(file, torn_at, acks[1]);
    ::close(acks[1]);
    std::int64_t acknowledged = 0;
    for (char id = 0; ::read(acks[0], &id, 1) == 1;) ++acknowledged;
    ::close(acks[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    finished = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    ASSERT_TRUE(finished || WIFSIGNALED(status));
    check_pairs(file, acknowledged);
    ASSERT_FALSE(HasFailure()) << "write " << torn_at;
    if (finished) {
      EXPECT_EQ(acknowledged, 2);
      EXPECT_GT(torn_at, 20);
    }
  }
  EXPECT_TRUE(finished);
}

}  // namespace
}  // namespace holdfast::store
