// On the real log: what it recorded bears out the rows, as the check at start and `audit verify` see it.
#include "access/log_recorder.h"

#include <gmock/gmock-matchers.h>

#include "access/testing.h"
#include "base/encoding.h"
#include "keys/key_store.h"

namespace holdfast::access {
namespace {

using testing::HasSubstr;

class LogRecorderTest : public AccessTest {
 protected:
  base::Result<> rows_hold_against_the_log() {
    HF_CHECK(log_on_disk_->flush());
    audit::RowHistory history({.may_go = {std::string(kEndingRows)}});
    HF_CHECK(history.read(*log_on_disk_));
    HF_TRY(const auto view, rows_->snapshot());
    HF_TRY(const auto claims, row_claims(view, clock_.now()));
    HF_CHECK(history.check(claims));
    return {};
  }

  std::unique_ptr<keys::KeyStore> keys_ = [this] {
    auto master = keys::MasterKey::parse("holdfast-master-key-1:" +
                                         base::base64_encode(base::Bytes(32, 7), base::Base64::kUrl));
    return keys::KeyStore::open(folder_ / "keys", std::move(master).value()).value();
  }();
  std::unique_ptr<audit::Log> log_on_disk_ = audit::Log::open(folder_ / "log", *keys_).value();
  LogRecorder recorder_{*log_on_disk_};
  std::array<store::ModuleMigrations, 1> modules_{access_migrations()};
  std::unique_ptr<store::Database> rows_ =
      store::Database::open({.path = folder_ / "b.db"}, modules_).value();
  std::unique_ptr<Access> real_ =
      Access::open({*rows_, recorder_, clock_, base::system_random()}, options()).value();
};

TEST_F(LogRecorderTest, WhatItRecordsBearsOutTheRows) {
  const auto first = real_->bootstrap(kHome, "ada");
  ASSERT_TRUE(first) << first.error().message;
  const Caller local = real_->local_operator(kHome).value();
  ASSERT_TRUE(real_->change_password(
      {.workspace = kHome, .name = "ada", .password = first->password, .source = "10.0.0.1"},
      secret(kPassword)));
  const base::Secret password = secret(kPassword);
  const auto token = real_->sign_in(
      PasswordSignIn{.workspace = kHome, .name = "ada", .password = password, .source = "10.0.0.1"});
  ASSERT_TRUE(token) << token.error().message;
  const Caller ada = real_->authenticate(token->token.reveal_text(), kApiAudience).value();
  const PrincipalId service = real_->create_service(ada, {.name = "scorer", .owner = ada.id()}).value();
  ASSERT_TRUE(real_->grant(ada, service, Action::kInfer, endpoint("credit")));
  const auto read = real_->authorise(ada, Action::kReadModel, model("credit"));
  ASSERT_TRUE(read);
  ASSERT_TRUE(log_on_disk_->flush());
  EXPECT_TRUE(rows_hold_against_the_log()) << rows_hold_against_the_log().error().message;

  const auto stored = log_on_disk_->read(read->receipt()->index, 1).value().at(0);
  EXPECT_EQ(stored.receipt.leaf, read->receipt()->leaf);
  EXPECT_EQ(stored.record.actor, ada.text());
  EXPECT_EQ(stored.record.action, "readModel");
  EXPECT_EQ(stored.record.resource, R"(Model::"default/credit")");
  EXPECT_EQ(stored.record.decision, "allow");

  auto behind = rows_->begin().value();
  ASSERT_TRUE(behind.execute(store::Sql("UPDATE principals SET name = 'eve' WHERE name = 'scorer'")));
  ASSERT_TRUE(behind.commit());
  EXPECT_THAT(message_of(rows_hold_against_the_log()), HasSubstr("principals/default/" + service.value()));
}

// Whatever a principal holds, it can be disabled: the record of it stays small.
TEST_F(LogRecorderTest, APrincipalWithManyTokensCanBeDisabled) {
  const auto first = real_->bootstrap(kHome, "ada").value();
  const Caller local = real_->local_operator(kHome).value();
  ASSERT_TRUE(real_->change_password(
      {.workspace = kHome, .name = "ada", .password = first.password, .source = "10.0.0.1"},
      secret(kPassword)));
  const base::Secret password = secret(kPassword);
  base::Result<IssuedToken> token = base::fail(base::ErrorCode::kInternal, "none yet");
  for (std::int64_t i = 0; i < kMaxTokensOfPrincipal; ++i) {
    token = real_->sign_in(
        PasswordSignIn{.workspace = kHome, .name = "ada", .password = password, .source = "10.0.0.1"});
    ASSERT_TRUE(token) << token.error().message;
  }
  EXPECT_EQ(code_of(real_->sign_in(PasswordSignIn{
                .workspace = kHome, .name = "ada", .password = password, .source = "10.0.0.1"})),
            base::ErrorCode::kLimitExceeded);
  ASSERT_TRUE(real_->set_enabled(local, first.principal, false));
  EXPECT_FALSE(real_->authenticate(token->token.reveal_text(), kApiAudience));
  EXPECT_TRUE(rows_hold_against_the_log()) << rows_hold_against_the_log().error().message;
}

}  // namespace
}  // namespace holdfast::access
