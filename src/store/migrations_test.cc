#include "store/migrations.h"

#include <gmock/gmock-matchers.h>

#include <array>

#include "store/database.h"
#include "store/testing.h"

namespace holdfast::store {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

constexpr Migration kPeople{"people", Sql("CREATE TABLE people (id BIGINT NOT NULL PRIMARY KEY)")};
constexpr Migration kNames{
    "names", Sql("ALTER TABLE people ADD COLUMN name TEXT; CREATE INDEX by_name ON people (name)")};
constexpr Migration kOther{"people", Sql("CREATE TABLE people (id TEXT NOT NULL PRIMARY KEY)")};
constexpr Migration kBroken{"broken", Sql("CREATE TABLE half (id BIGINT); CREATE TABLE people (id BIGINT)")};
constexpr Migration kPets{"pets", Sql("CREATE TABLE pets (owner BIGINT REFERENCES people (id))")};

class MigrationsTest : public testing::Test {
 protected:
  base::Result<std::unique_ptr<Database>> open(std::vector<ModuleMigrations> modules) {
    return Database::open({.path = folder_.path() / "a.db"}, modules);
  }
  static bool has(Database& database, std::string_view table) {
    return database.snapshot()
        .value()
        .row<std::string>(Sql("SELECT name FROM sqlite_schema WHERE type = 'table' AND name = $1"), table)
        .value()
        .has_value();
  }

  TemporaryFolder folder_;
};

TEST_F(MigrationsTest, TakesEachStepOnceAndRecordsIt) {
  static constexpr std::array kFirst{kPeople};
  static constexpr std::array kBoth{kPeople, kNames};
  ASSERT_TRUE(open({{"people", kFirst}}));
  for (int i = 0; i < 2; ++i) {
    const auto database = open({{"people", kBoth}}).value();
    const auto steps = database->snapshot().value().rows<std::int64_t, std::string>(
        Sql("SELECT version, name FROM schema_steps WHERE module = 'people' ORDER BY version"));
    EXPECT_EQ(steps.value(),
              (std::vector<std::tuple<std::int64_t, std::string>>{{1, "people"}, {2, "names"}}));
  }
}

TEST_F(MigrationsTest, ModulesNumberTheirOwnStepsAndMayReferBack) {
  static constexpr std::array kOne{kPeople};
  static constexpr std::array kTwo{kPets};
  const auto database = open({{"people", kOne}, {"pets", kTwo}}).value();
  EXPECT_TRUE(has(*database, "people"));
  EXPECT_TRUE(has(*database, "pets"));
}

TEST_F(MigrationsTest, AFailedStepLeavesTheDatabaseAsItWas) {
  static constexpr std::array kGood{kPeople};
  static constexpr std::array kBad{kPeople, kNames, kBroken};
  ASSERT_TRUE(open({{"people", kGood}}));
  const auto failed = open({{"people", kBad}});
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("step 3 of people (broken)"));
  const auto database = open({{"people", kGood}}).value();
  EXPECT_FALSE(has(*database, "half"));
  EXPECT_FALSE(database->snapshot().value().rows<std::string>(Sql("SELECT name FROM people")));
}

TEST_F(MigrationsTest, RefusesADatabaseOfANewerProgram) {
  static constexpr std::array kNew{kPeople, kNames};
  static constexpr std::array kOld{kPeople};
  ASSERT_TRUE(open({{"people", kNew}}));
  const auto older = open({{"people", kOld}});
  EXPECT_EQ(code_of(older), ErrorCode::kUnsupported);
  EXPECT_THAT(older.error().message, HasSubstr("step 2 of people"));
  EXPECT_EQ(code_of(open({})), ErrorCode::kUnsupported);
}

TEST_F(MigrationsTest, RefusesAStepWhoseTextIsNotTheRecordedOne) {
  static constexpr std::array kMine{kPeople};
  static constexpr std::array kTheirs{kOther};
  ASSERT_TRUE(open({{"people", kMine}}));
  EXPECT_EQ(code_of(open({{"people", kTheirs}})), ErrorCode::kDataCorrupt);
}

// The steps of store/ itself that were released: their text is history. Add a step instead of changing one.
TEST_F(MigrationsTest, TheStepsOfStoreAreThoseThatWereReleased) {
  const auto database = open({}).value();
  const auto steps =
      database->snapshot()
          .value()
          .rows<std::int64_t, base::Digest>(
              Sql("SELECT version, sha256 FROM schema_steps WHERE module = 'store' ORDER BY version"))
          .value();
  std::vector<std::string> digests;
  for (const auto& [version, digest] : steps) digests.push_back(digest.hex());
  EXPECT_THAT(digests,
              testing::ElementsAre("b99d1e87a3b9b9e8f41ed98faf0193e129830ea5d49728e749c29764110475e5",
                                   "87324cd8e8d0b3695ee90891d5991c353133c8f0f806e310d8cb5e14da84339e",
                                   "5e89ba3c57dde9519b6413593f28b74c0ac771dc6e792500ad5c0dbc94979cb9"));
}

}  // namespace
}  // namespace holdfast::store
