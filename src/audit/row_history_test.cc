// Rows against the log: what was changed, added, taken away or put back is named; what a process that ended
// too early left behind is not taken for that.
#include "audit/row_history.h"

#include <gmock/gmock-more-matchers.h>

#include <nlohmann/json.hpp>

#include "audit/pending_rows.h"
#include "audit/testing.h"

namespace holdfast::audit {
namespace {

using base::ErrorCode;
using nlohmann::json;
using store::Sql;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Receipt receipt_of(std::uint64_t index) {
  std::array<std::uint8_t, base::Digest::kSize> bytes{};
  bytes[0] = static_cast<std::uint8_t>(index + 1);
  return {.index = index, .leaf = base::Digest(bytes)};
}
RowName row(const std::string& key, int value) { return name_row(key, {{"value", value}}); }
RowClaim claim(std::uint64_t record, const RowName& row) {
  return {.key = row.key, .receipt = receipt_of(record), .row = row.digest};
}
std::string makes(const RowName& row) { return json{{"about", {{"rows", named_rows({row})}}}}.dump(); }
std::string removes(const std::string& key) { return json{{"about", {{"rows", {{key, nullptr}}}}}}.dump(); }
std::string settles(std::uint64_t record, bool done) {
  return settled_record(base::WorkspaceId("default"), record, done).details;
}

class RowHistoryTest : public testing::Test {
 protected:
  void add(std::string_view details) { ASSERT_TRUE(history_.add(receipt_of(next_++), details)); }
  void change(std::string_view details) {
    add(details);
    add(settles(next_ - 1, true));
  }
  [[nodiscard]] std::string fault(const std::vector<RowClaim>& claims) const {
    const auto checked = history_.check(claims);
    return checked ? std::string() : checked.error().message;
  }
  RowHistory history_;
  std::uint64_t next_ = 0;
};

TEST_F(RowHistoryTest, WhatIsAsRecordedHolds) {
  EXPECT_EQ(fault({}), "");
  change(makes(row("t/a", 1)));
  change(makes(row("t/b", 2)));
  change(removes("t/b"));
  EXPECT_EQ(fault({claim(0, row("t/a", 1))}), "");
}

TEST_F(RowHistoryTest, EachWayToTamperIsNamed) {
  change(makes(row("t/a", 1)));  // record 0
  change(makes(row("t/a", 2)));  // record 2
  EXPECT_EQ(fault({claim(2, row("t/a", 2))}), "");
  EXPECT_EQ(fault({claim(2, row("t/a", 3))}), "the row t/a is not as record 2 left it: it was changed");
  EXPECT_EQ(fault({claim(0, row("t/a", 1))}),
            "the row t/a is not as record 2 left it: it was put back to an older record, 0");
  EXPECT_EQ(fault({claim(9, row("t/a", 2))}),
            "the row t/a is not as record 2 left it: it names another record, 9");
  EXPECT_EQ(fault({}), "the row t/a, which record 2 made, is gone");
  EXPECT_EQ(fault({claim(2, row("t/a", 2)), claim(2, row("t/b", 2))}),
            "no record in the log made the row t/b");
  change(removes("t/"));  // record 4
  EXPECT_EQ(fault({}), "");
  EXPECT_EQ(fault({claim(2, row("t/a", 2))}), "the row t/a was removed by record 4, and is there again");
}

TEST_F(RowHistoryTest, RowsThatMayEndMayBeGone) {
  RowHistory history({.may_go = {"tokens/"}});
  ASSERT_TRUE(history.add(receipt_of(0), makes(row("tokens/a", 1))));
  ASSERT_TRUE(history.add(receipt_of(1), settles(0, true)));
  EXPECT_TRUE(history.check({}));
  EXPECT_FALSE(history.check({claim(0, row("tokens/a", 2))}));
}

TEST_F(RowHistoryTest, WhatNobodySettledMayHaveHappenedOrNot) {
  change(makes(row("t/a", 1)));
  add(makes(row("t/a", 2)));  // record 2
  EXPECT_THAT(history_.check({claim(2, row("t/a", 2))})->done, ElementsAre(2));
  EXPECT_THAT(history_.check({claim(0, row("t/a", 1))})->undone, ElementsAre(2));
  EXPECT_EQ(fault({}), "the row t/a, which record 2 made, is gone");
  add(settles(2, true));
  EXPECT_EQ(fault({claim(0, row("t/a", 1))}),
            "the row t/a is not as record 2 left it: it was put back to an older record, 0");
}

TEST_F(RowHistoryTest, WhatWasUndoneNeverWas) {
  add(makes(row("t/a", 1)));
  add(settles(0, false));
  EXPECT_EQ(fault({}), "");
  EXPECT_EQ(fault({claim(0, row("t/a", 1))}), "no record in the log made the row t/a");
  change(makes(row("t/a", 2)));  // record 2
  add(removes("t/"));            // record 4
  add(settles(4, false));
  EXPECT_EQ(fault({claim(2, row("t/a", 2))}), "");
  EXPECT_NE(fault({}), "");
}

TEST_F(RowHistoryTest, AnUndoneChangeIsTakenOutFromUnderALaterOne) {
  change(makes(row("t/a", 1)));  // record 0
  add(makes(row("t/a", 2)));     // record 2
  add(makes(row("t/a", 3)));     // record 3
  add(settles(2, false));
  EXPECT_THAT(history_.check({claim(3, row("t/a", 3))})->done, ElementsAre(3));
  EXPECT_THAT(history_.check({claim(0, row("t/a", 1))})->undone, ElementsAre(3));
  EXPECT_NE(fault({claim(2, row("t/a", 2))}), "");
}

// A log that is read while a server goes on: what it says after the rows were read may or may not be in them.
TEST_F(RowHistoryTest, RecordsBehindTheMomentOfReadingBindNothing) {
  RowHistory history({.read_at = 2});
  ASSERT_TRUE(history.add(receipt_of(0), makes(row("t/a", 1))));
  ASSERT_TRUE(history.add(receipt_of(1), settles(0, true)));
  ASSERT_TRUE(history.add(receipt_of(2), makes(row("t/b", 1))));
  ASSERT_TRUE(history.add(receipt_of(3), settles(2, true)));
  EXPECT_TRUE(history.check({claim(0, row("t/a", 1))}));
  EXPECT_TRUE(history.check({claim(0, row("t/a", 1)), claim(2, row("t/b", 1))}));
  EXPECT_FALSE(history.check({}));
}

TEST_F(RowHistoryTest, OnlyWhatIsWellFormedIsRead) {
  add("");
  add(R"({"about":{"other":1}})");
  add(R"({"reason":"drift"})");
  add(R"({"about":{"done":-1,"undone":"x"}})");
  EXPECT_EQ(history_.add({}, "[]").error().code, ErrorCode::kDataCorrupt);
  EXPECT_EQ(history_.add({}, R"({"about":{"rows":{"a":7}}})").error().code, ErrorCode::kDataCorrupt);
  EXPECT_FALSE(history_.add({}, R"({"about":{"rows":{"a":"beef"}}})"));
  EXPECT_FALSE(history_.add({}, R"({"about":{"rows":{"a/":")" + std::string(64, '0') + R"("}}})"));
  EXPECT_EQ(fault({}), "");
}

// On a log and a database on disk.
class PendingRowsTest : public testing::Test {
 protected:
  struct Written {
    PendingRows pending;
    RowName row;
  };
  Written write(int value) {
    const RowName name = row("things/default/a", value);
    Record record = record_of(0);
    record.details = makes(name);
    return {PendingRows([this](const Record& settled) { return log_->note(settled); }, record.workspace,
                        log_->append(record).value()),
            name};
  }
  [[nodiscard]] RowHistory history() {
    EXPECT_TRUE(log_->flush());
    RowHistory history;
    EXPECT_TRUE(history.read(*log_));
    return history;
  }
  TestFolder folder_;
  std::unique_ptr<keys::KeyStore> keys_ = open_keys(folder_);
  std::unique_ptr<Log> log_ = Log::open(folder_.log(), *keys_).value();
  std::unique_ptr<store::Database> database_ =
      store::Database::open({.path = folder_.path() / "a.db"}).value();
};

TEST_F(PendingRowsTest, ACommitIsNoted) {
  auto change = database_->begin().value();
  auto written = write(1);
  const RowClaim made{
      .key = written.row.key, .receipt = written.pending.receipt(), .row = written.row.digest};
  EXPECT_THAT(history().check({made})->done, ElementsAre(0));
  ASSERT_TRUE(written.pending.commit(change));
  EXPECT_THAT(history().check({made})->done, IsEmpty());
  EXPECT_FALSE(history().check({}));
  EXPECT_TRUE(check_claim(*log_, made));
  RowClaim other = made;
  other.row = row(made.key, 2).digest;
  EXPECT_THAT(check_claim(*log_, other).error().message, HasSubstr("it was changed"));
  other.key = "things/default/b";
  EXPECT_THAT(check_claim(*log_, other).error().message, HasSubstr("record 0 did not make the row"));
  other.receipt.index = 99;
  EXPECT_THAT(check_claim(*log_, other).error().message, HasSubstr("no record in the log made"));
}

TEST_F(PendingRowsTest, SoIsWhatIsDropped) {
  {
    auto change = database_->begin().value();
    auto written = write(1);
    const PendingRows moved = std::move(written.pending);
    EXPECT_EQ(log_->size(), 1U);
  }
  EXPECT_TRUE(history().check({}));
  EXPECT_EQ(log_->size(), 2U);
}

}  // namespace
}  // namespace holdfast::audit
