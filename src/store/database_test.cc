#include "store/database.h"

#include <fcntl.h>
#include <gmock/gmock-matchers.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <array>
#include <fstream>
#include <latch>
#include <thread>

#include "store/testing.h"

namespace holdfast::store {
namespace {

namespace fs = std::filesystem;
using base::Bytes;
using base::ErrorCode;
using testing::HasSubstr;

constexpr std::array kSteps{Migration{"things", Sql(R"(
  CREATE TABLE things (id BIGINT NOT NULL PRIMARY KEY, name TEXT, body BYTEA, amount BIGINT CHECK (amount > 0));
  CREATE TABLE parts (id BIGINT NOT NULL PRIMARY KEY, thing BIGINT NOT NULL REFERENCES things (id)))")}};
constexpr std::array kModules{ModuleMigrations{.module = "test", .steps = kSteps}};

class DatabaseTest : public testing::Test {
 protected:
  std::unique_ptr<Database> open(std::chrono::milliseconds wait = std::chrono::seconds(5)) {
    return Database::open({.path = file(), .wait = wait}, kModules).value();
  }
  [[nodiscard]] fs::path file() const { return folder_.path() / "holdfast.db"; }

  // A statement by SQLite itself, past store/.
  std::string raw(const std::string& sql) const {
    sqlite3* database = nullptr;
    EXPECT_EQ(sqlite3_open(file().c_str(), &database), SQLITE_OK);
    std::string value;
    const auto keep = [](void* out, int columns, char** values, char**) {
      if (columns > 0 && values[0] != nullptr) *static_cast<std::string*>(out) = values[0];
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), keep, &value, nullptr), SQLITE_OK)
        << sqlite3_errmsg(database);
    sqlite3_close(database);
    return value;
  }

  TemporaryFolder folder_;
};

std::int64_t count(Database& database) {
  return std::get<0>(
      database.snapshot().value().row<std::int64_t>(Sql("SELECT count(*) FROM things")).value().value());
}

base::Result<> add(Database& database, std::int64_t id) {
  HF_TRY(Transaction change, database.begin());
  HF_CHECK(change.execute(Sql("INSERT INTO things (id) VALUES ($1)"), id));
  return change.commit();
}

TEST_F(DatabaseTest, MakesPrivateFilesInWalMode) {
  const auto database = open();
  struct stat status{};
  ASSERT_EQ(::stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_EQ(raw("PRAGMA journal_mode"), "wal");
  EXPECT_EQ(raw("PRAGMA application_id"), "1215261796");  // 0x486F6C64
}

TEST_F(DatabaseTest, GivesEveryValueBackAsItWentIn) {
  const auto database = open();
  const std::string name("a\0b", 3);
  const Bytes body{0, 1, 0, 255};
  {
    auto change = database->begin().value();
    const Sql insert("INSERT INTO things (id, name, body, amount) VALUES ($1, $2, $3, $4)");
    ASSERT_TRUE(change.execute(insert, std::numeric_limits<std::int64_t>::min(), name, body, 1));
    ASSERT_TRUE(change.execute(insert, 2, "", Bytes{}, std::nullopt));
    ASSERT_TRUE(
        change.execute(insert, 3, std::optional<std::string>(), std::optional<Bytes>(), std::optional(7)));
    ASSERT_TRUE(change.commit());
  }
  using Row =
      std::tuple<std::int64_t, std::optional<std::string>, std::optional<Bytes>, std::optional<std::int64_t>>;
  const auto rows =
      database->snapshot()
          .value()
          .rows<std::int64_t, std::optional<std::string>, std::optional<Bytes>, std::optional<std::int64_t>>(
              Sql("SELECT id, name, body, amount FROM things ORDER BY id"))
          .value();
  EXPECT_EQ(rows, (std::vector<Row>{{std::numeric_limits<std::int64_t>::min(), name, body, 1},
                                    {2, "", Bytes{}, std::nullopt},
                                    {3, std::nullopt, std::nullopt, 7}}));
}

TEST_F(DatabaseTest, BindsByTheNumberOfTheParameterWhereverItStands) {
  const auto database = open();
  const auto row = database->snapshot().value().row<std::string, std::string, std::string>(
      Sql("SELECT $2 AS b, $1 AS a, $2 AS c"), "one", "two");
  EXPECT_EQ(row.value().value(), std::make_tuple("two", "one", "two"));
}

TEST_F(DatabaseTest, KeepsDigestsMomentsFlagsAndStrongTypes) {
  using Id = base::Strong<struct IdTag, std::string>;
  const auto database = open();
  const auto digest = base::Digest::from_hex(std::string(64, 'a')).value();
  const auto moment = base::Timestamp::from_microseconds(-1);
  const auto row = database->snapshot().value().row<base::Digest, base::Timestamp, bool, Id>(
      Sql("SELECT $1, $2, $3, $4"), digest, moment, true, Id("x"));
  EXPECT_EQ(row.value().value(), std::make_tuple(digest, moment, true, Id("x")));
}

TEST_F(DatabaseTest, RefusesARowOfOtherTypesThanAsked) {
  const auto database = open();
  const auto view = database->snapshot().value();
  EXPECT_EQ(code_of(view.rows<std::int64_t>(Sql("SELECT 'text'"))), ErrorCode::kDataCorrupt);
  EXPECT_EQ(code_of(view.rows<std::string>(Sql("SELECT 1"))), ErrorCode::kDataCorrupt);
  EXPECT_EQ(code_of(view.rows<std::string>(Sql("SELECT NULL"))), ErrorCode::kDataCorrupt);
  EXPECT_EQ(code_of(view.rows<bool>(Sql("SELECT 2"))), ErrorCode::kDataCorrupt);
  EXPECT_EQ(code_of(view.rows<base::Digest>(Sql("SELECT $1"), Bytes(31))), ErrorCode::kDataCorrupt);
  EXPECT_EQ(code_of(view.rows<std::int64_t>(Sql("SELECT 1.5"))), ErrorCode::kDataCorrupt);
  EXPECT_EQ(code_of(view.rows<std::int64_t>(Sql("SELECT 1, 2"))), ErrorCode::kDataCorrupt);
}

TEST_F(DatabaseTest, BoundsAResult) {
  const auto database = open();
  const auto view = database->snapshot().value();
  const Sql numbers(
      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) SELECT i FROM n");
  EXPECT_EQ(view.rows<std::int64_t>(numbers, kMaxRows).value().size(), static_cast<std::size_t>(kMaxRows));
  EXPECT_EQ(code_of(view.rows<std::int64_t>(numbers, kMaxRows + 1)), ErrorCode::kLimitExceeded);
  const Bytes large(kMaxValueBytes / 2);
  EXPECT_EQ(code_of(view.rows<Bytes>(
                Sql("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9)"
                    " SELECT $1 FROM n"),
                large)),
            ErrorCode::kLimitExceeded);
  EXPECT_EQ(code_of(view.rows<Bytes>(Sql("SELECT $1"), Bytes(kMaxValueBytes + 1))),
            ErrorCode::kLimitExceeded);
}

TEST_F(DatabaseTest, DropsWhatWasNotCommitted) {
  const auto database = open();
  {
    auto change = database->begin().value();
    ASSERT_TRUE(change.execute(Sql("INSERT INTO things (id) VALUES (1)")));
    EXPECT_TRUE(change.view().row<std::int64_t>(Sql("SELECT id FROM things")).value());
    EXPECT_EQ(count(*database), 0);
  }
  EXPECT_EQ(count(*database), 0);
  ASSERT_TRUE(add(*database, 1));
  EXPECT_EQ(count(*database), 1);
}

TEST_F(DatabaseTest, SaysWhatWasWrongWithAChange) {
  const auto database = open();
  ASSERT_TRUE(add(*database, 1));
  const auto attempt = [&](Sql sql) { return code_of(database->begin().value().execute(sql)); };
  EXPECT_EQ(attempt(Sql("INSERT INTO things (id) VALUES (1)")), ErrorCode::kAlreadyExists);
  EXPECT_EQ(attempt(Sql("INSERT INTO parts (id, thing) VALUES (1, 9)")), ErrorCode::kConflict);
  EXPECT_EQ(attempt(Sql("INSERT INTO things (id) VALUES (NULL)")), ErrorCode::kInvalidArgument);
  EXPECT_EQ(attempt(Sql("INSERT INTO things (id, amount) VALUES (2, 0)")), ErrorCode::kInvalidArgument);
  EXPECT_EQ(attempt(Sql("INSERT INTO nothing (id) VALUES (2)")), ErrorCode::kInternal);
  EXPECT_EQ(attempt(Sql("INSERT INTO things (id) VALUES (2) RETURNING id")), ErrorCode::kInternal);
  EXPECT_EQ(attempt(Sql("INSERT INTO things (id) VALUES ($1)")), ErrorCode::kInternal);
  EXPECT_EQ(attempt(Sql("INSERT INTO things (name) VALUES (\"id\")")), ErrorCode::kInternal);
}

TEST_F(DatabaseTest, ATransactionWithAFailedStatementCannotCommit) {
  const auto database = open();
  auto change = database->begin().value();
  ASSERT_TRUE(change.execute(Sql("INSERT INTO things (id) VALUES (1)")));
  EXPECT_FALSE(change.execute(Sql("INSERT INTO things (id) VALUES (1)")));
  EXPECT_EQ(code_of(change.execute(Sql("INSERT INTO things (id) VALUES (2)"))), ErrorCode::kInternal);
  EXPECT_EQ(code_of(change.commit()), ErrorCode::kInternal);
  {
    const auto dropped = std::move(change);
  }
  EXPECT_EQ(count(*database), 0);
}

TEST_F(DatabaseTest, ASnapshotCannotWriteAndStandsStill) {
  const auto database = open();
  const auto view = database->snapshot().value();
  EXPECT_EQ(code_of(view.rows<std::int64_t>(Sql("INSERT INTO things (id) VALUES (1) RETURNING id"))),
            ErrorCode::kInternal);
  const Sql sql("SELECT count(*) FROM things");
  EXPECT_EQ(view.row<std::int64_t>(sql).value(), std::tuple(0));
  ASSERT_TRUE(add(*database, 1));
  EXPECT_EQ(view.row<std::int64_t>(sql).value(), std::tuple(0));
}

TEST_F(DatabaseTest, WaitsForTheWriterNoLongerThanAllowed) {
  const auto database = open(std::chrono::milliseconds(20));
  const auto first = database->begin().value();
  EXPECT_EQ(code_of(database->begin()), ErrorCode::kDeadline);
  const auto other = Database::open({.path = file(), .wait = std::chrono::milliseconds(20)}, kModules);
  EXPECT_EQ(code_of(other), ErrorCode::kDeadline);
}

TEST_F(DatabaseTest, WaitsForAReaderNoLongerThanAllowed) {
  const auto database =
      Database::open({.path = file(), .readers = 1, .wait = std::chrono::milliseconds(20)}, kModules).value();
  {
    const auto view = database->snapshot().value();
    EXPECT_EQ(code_of(database->snapshot()), ErrorCode::kDeadline);
  }
  EXPECT_TRUE(database->snapshot());
}

TEST_F(DatabaseTest, EndsAStatementThatTakesTooLong) {
  const auto database =
      Database::open({.path = file(), .statement_limit = std::chrono::milliseconds(50)}, kModules).value();
  const auto endless = database->snapshot().value().rows<std::int64_t>(
      Sql("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"));
  EXPECT_EQ(code_of(endless), ErrorCode::kDeadline);
  EXPECT_THAT(endless.error().message, HasSubstr("50 ms"));
  EXPECT_EQ(count(*database), 0);
}

TEST_F(DatabaseTest, LeavesAnotherProgramsDatabaseAlone) {
  raw("CREATE TABLE theirs (x)");
  const auto opened = Database::open({.path = file()}, kModules);
  EXPECT_EQ(code_of(opened), ErrorCode::kInvalidArgument);
  EXPECT_THAT(opened.error().message, HasSubstr("another program"));
  EXPECT_EQ(raw("PRAGMA journal_mode"), "delete");
  EXPECT_EQ(raw("SELECT count(*) FROM sqlite_schema"), "1");
}

TEST_F(DatabaseTest, RefusesAFileThatIsNoDatabase) {
  std::ofstream(file()) << std::string(5000, 'x');
  EXPECT_EQ(code_of(Database::open({.path = file()}, kModules)), ErrorCode::kDataCorrupt);
}

TEST_F(DatabaseTest, NamesTheFolderThatIsMissing) {
  const auto opened = Database::open({.path = folder_.path() / "none" / "x.db"}, kModules);
  EXPECT_EQ(code_of(opened), ErrorCode::kNotFound);
  EXPECT_THAT(opened.error().message, HasSubstr("none/x.db"));
}

// More threads than connections: writers take turns, readers see whole transactions only.
TEST_F(DatabaseTest, ManyThreadsLoseNothingAndSeeNoHalves) {
  constexpr int kWriters = 4;
  constexpr int kReaders = 6;
  constexpr std::int64_t kEach = 40;
  const auto database = open(std::chrono::seconds(60));
  std::latch start(kWriters + kReaders);
  std::vector<std::thread> threads;
  for (int writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&, writer] {
      start.arrive_and_wait();
      for (std::int64_t i = 0; i < kEach; ++i) {
        auto change = database->begin().value();
        const std::int64_t id = 2 * (writer * kEach + i);
        EXPECT_TRUE(change.execute(Sql("INSERT INTO things (id) VALUES ($1)"), id));
        EXPECT_TRUE(change.execute(Sql("INSERT INTO things (id) VALUES ($1)"), id + 1));
        EXPECT_TRUE(change.commit());
      }
    });
  }
  for (int reader = 0; reader < kReaders; ++reader) {
    threads.emplace_back([&] {
      start.arrive_and_wait();
      for (int i = 0; i < 100; ++i) EXPECT_EQ(count(*database) % 2, 0);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(count(*database), 2 * kWriters * kEach);
}

}  // namespace
}  // namespace holdfast::store
