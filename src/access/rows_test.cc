// Rows that do not say what the log says are found, whatever was done to them.
#include <gmock/gmock-matchers.h>

#include <functional>

#include "access/access.h"
#include "access/testing.h"

namespace holdfast::access {
namespace {

using store::Sql;
using testing::AllOf;
using testing::HasSubstr;

class RowsTest : public AccessTest {
 protected:
  RowsTest() {
    bob_ = person("bob", kScientists);
    grant_ = access_->grant(*local_, bob_, Action::kInfer, endpoint("credit")).value();
    EXPECT_TRUE(sign_in("bob"));
    EXPECT_TRUE(rows_hold()) << rows_hold().error().message;
  }
  void behind_the_log(const std::function<base::Result<std::int64_t>(store::Transaction&)>& work) {
    auto transaction = database_->begin().value();
    EXPECT_EQ(work(transaction).value(), 1);
    EXPECT_TRUE(transaction.commit());
  }
  PrincipalId bob_;
  std::string grant_;
};

TEST_F(RowsTest, AChangedRowIsFound) {
  behind_the_log([](auto& t) {
    return t.execute(Sql("UPDATE access_policies SET text = 'permit (principal, action, resource);'"));
  });
  EXPECT_THAT(message_of(rows_hold()), HasSubstr("access_policies/default/" + grant_ + " is not as record"));
}

TEST_F(RowsTest, AChangedPasswordIsFound) {
  behind_the_log([this](auto& t) {
    return t.execute(Sql("UPDATE passwords SET one_time = 1 WHERE principal = $1"), bob_);
  });
  EXPECT_THAT(message_of(rows_hold()), HasSubstr("passwords/default/" + bob_.value()));
}

TEST_F(RowsTest, AMadeUpRowIsFound) {
  behind_the_log([this](auto& t) {
    return t.execute(Sql("INSERT INTO memberships (workspace, group_id, member, record_index, record)"
                         " SELECT workspace, 'administrators', $1, record_index, record FROM memberships"
                         " WHERE member = 'local'"),
                     bob_);
  });
  EXPECT_THAT(message_of(rows_hold()), HasSubstr("no record in the log made the row memberships/default/"));
}

TEST_F(RowsTest, ATakenAwayRowIsFound) {
  behind_the_log([](auto& t) { return t.execute(Sql("DELETE FROM access_policies")); });
  EXPECT_THAT(message_of(rows_hold()), HasSubstr("is gone"));
}

TEST_F(RowsTest, ARowThatIsPutBackIsFound) {
  behind_the_log([](auto& t) { return t.execute(Sql("UPDATE access_policies SET id = 'kept'")); });
  behind_the_log([](auto& t) { return t.execute(Sql("UPDATE access_policies SET id = 'grant-' || 'x'")); });
  behind_the_log([this](auto& t) { return t.execute(Sql("UPDATE access_policies SET id = $1"), grant_); });
  EXPECT_TRUE(rows_hold());
  const auto row = database_->snapshot()
                       .value()
                       .row<std::string, std::int64_t, base::Digest>(
                           Sql("SELECT text, record_index, record FROM access_policies"))
                       .value()
                       .value();
  ASSERT_TRUE(access_->revoke_grant(*local_, grant_));
  behind_the_log([&](auto& t) {
    const auto& [text, index, leaf] = row;
    return t.execute(Sql("INSERT INTO access_policies (workspace, id, is_grant, text, record_index, record)"
                         " VALUES ('default', $1, 1, $2, $3, $4)"),
                     grant_, text, index, leaf);
  });
  EXPECT_THAT(message_of(rows_hold()), HasSubstr("and is there again"));
}

TEST_F(RowsTest, ARowSetBackToAnOlderStateIsFound) {
  const auto before = database_->snapshot()
                          .value()
                          .row<std::int64_t, base::Digest>(
                              Sql("SELECT record_index, record FROM principals WHERE id = $1"), bob_)
                          .value()
                          .value();
  ASSERT_TRUE(access_->set_enabled(*local_, bob_, false));
  EXPECT_TRUE(rows_hold()) << rows_hold().error().message;
  behind_the_log([&](auto& t) {
    const auto& [index, leaf] = before;
    return t.execute(Sql("UPDATE principals SET enabled = 1, version = 1, record_index = $2, record = $3"
                         " WHERE id = $1"),
                     bob_, index, leaf);
  });
  EXPECT_THAT(message_of(rows_hold()),
              AllOf(HasSubstr("principals/default/" + bob_.value() + " is not as record"),
                    HasSubstr("put back to an older record")));
}

TEST_F(RowsTest, AnExpiredTokenMayGo) {
  clock_.advance(std::chrono::hours(2));
  EXPECT_TRUE(rows_hold());
  EXPECT_TRUE(sign_in("bob"));  // forgets the old one
  EXPECT_TRUE(rows_hold()) << rows_hold().error().message;
  behind_the_log(
      [](auto& t) { return t.execute(Sql("UPDATE access_tokens SET expires_at = expires_at + 1")); });
  EXPECT_THAT(message_of(rows_hold()), HasSubstr("access_tokens/"));
}

TEST_F(RowsTest, TheLogSaysThatAChangeWasMade) {
  const std::size_t before = log_.settled().size();
  ASSERT_TRUE(access_->set_enabled(*local_, bob_, false));
  ASSERT_EQ(log_.settled().size(), before + 1);
  EXPECT_EQ(log_.settled().back(), R"({"about":{"done":)" + std::to_string(log_.last().receipt.index) + "}}");
}

}  // namespace
}  // namespace holdfast::access
