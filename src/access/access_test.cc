#include "access/access.h"

#include <gmock/gmock-matchers.h>

#include <thread>

#include "access/testing.h"
#include "base/file.h"
#include "store/changes.h"

namespace holdfast::access {
namespace {

using base::ErrorCode;
using base::WorkspaceId;
using testing::HasSubstr;
using testing::Not;
using Home = AccessTest;

TEST_F(Home, BootstrapMakesOneAdministratorOnce) {
  EXPECT_EQ(code_of(access_->bootstrap(kHome, "ada")), ErrorCode::kAlreadyExists);
  EXPECT_EQ(code_of(access_->bootstrap(kHome, "eve")), ErrorCode::kAlreadyExists);
  EXPECT_EQ(code_of(access_->bootstrap(WorkspaceId("Not/One"), "eve")), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of(access_->bootstrap(WorkspaceId("other"), "local")), ErrorCode::kInvalidArgument);
  const auto all = access_->list_principals(*local_).value();
  EXPECT_EQ(all.size(), 7U);  // five groups, ada and the local operator
}

TEST_F(Home, BootstrapOfTwoThreadsMakesOneAdministrator) {
  const WorkspaceId other("other");
  std::atomic<int> made = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      if (access_->bootstrap(other, "admin" + std::to_string(i))) ++made;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(made, 1);
}

TEST_F(Home, AOneTimePasswordExpires) {
  const auto invited = access_->create_person(*local_, "bob").value();
  for (const auto& expires : {first_->expires, invited.expires}) {
    EXPECT_EQ(expires, clock_.now() + std::chrono::hours(24));
  }
  clock_.advance(std::chrono::hours(24));
  const auto change = [&](const std::string& name, const base::Secret& once) {
    return access_->change_password(
        {.workspace = kHome, .name = name, .password = once, .source = "10.0.0.1"}, secret(kPassword));
  };
  EXPECT_EQ(code_of(change("ada", first_->password)), ErrorCode::kPermissionDenied);
  const auto late = change("bob", invited.password);
  EXPECT_EQ(code_of(late), ErrorCode::kPermissionDenied);
  EXPECT_THAT(message_of(late), HasSubstr("holdfast person reset bob"));
  EXPECT_THAT(log_.last().entry.details, HasSubstr("expired"));

  const auto again = access_->reset_password(*local_, invited.principal).value();
  EXPECT_TRUE(change("bob", again.password));
  clock_.advance(std::chrono::hours(48));
  EXPECT_TRUE(sign_in("bob"));  // the password that they chose does not
  EXPECT_TRUE(rows_hold());
}

TEST_F(Home, ForgetsWhatHasEnded) {
  person("bob");
  const auto held = [this] {
    const auto rows =
        database_->snapshot().value().rows<std::int64_t>(store::Sql("SELECT count(*) FROM access_tokens"));
    return std::get<0>(rows.value().front());
  };
  ASSERT_TRUE(sign_in("bob"));
  ASSERT_TRUE(access_->forget_ended());
  EXPECT_EQ(held(), 1);
  clock_.advance(std::chrono::hours(2));
  ASSERT_TRUE(access_->forget_ended());
  EXPECT_EQ(held(), 0);
}

TEST_F(Home, AOneTimePasswordOnlySetsAnother) {
  const std::string once(first_->password.reveal_text());
  EXPECT_EQ(code_of(sign_in("ada", once)), ErrorCode::kPermissionDenied);
  choose("ada", first_->password);
  EXPECT_EQ(code_of(sign_in("ada", once)), ErrorCode::kUnauthenticated);
  EXPECT_TRUE(may(caller("ada"), Action::kCreatePrincipal, {.workspace = kHome}));
}

TEST_F(Home, NoSecretIsKeptOrRecordedInClear) {
  const std::string once(first_->password.reveal_text());
  choose("ada", first_->password);
  const auto token = sign_in("ada");
  const std::string bearer(token->token.reveal_text());
  access_.reset();
  database_.reset();
  for (const auto& file : std::filesystem::directory_iterator(folder_)) {
    const auto bytes = base::read_file(file.path(), 64UL << 20).value();
    for (const std::string_view hidden : {std::string_view(once), std::string_view(bearer), kPassword}) {
      EXPECT_EQ(base::as_text(bytes).find(hidden), std::string_view::npos) << file.path();
    }
  }
  for (const auto& kept : log_.all()) {
    EXPECT_THAT(kept.entry.details, Not(HasSubstr(once)));
    EXPECT_THAT(kept.entry.details, Not(HasSubstr(bearer)));
  }
}

TEST_F(Home, WeakPasswordsAreRefused) {
  for (const std::string_view weak : {"short", "aaaaaaaaaaaaaaaaaaaa"}) {
    EXPECT_EQ(
        code_of(access_->change_password(
            {.workspace = kHome, .name = "ada", .password = first_->password, .source = "s"}, secret(weak))),
        ErrorCode::kInvalidArgument);
  }
  const base::Secret same = secret(first_->password.reveal_text());
  EXPECT_EQ(code_of(access_->change_password(
                {.workspace = kHome, .name = "ada", .password = first_->password, .source = "s"}, same)),
            ErrorCode::kInvalidArgument);
}

TEST_F(Home, UnknownWrongAndDisabledAreToldTheSame) {
  const PrincipalId bob = person("bob");
  person("carol");
  ASSERT_TRUE(access_->set_enabled(*local_, bob, false));
  const std::string unknown = message_of(sign_in("nobody"));
  EXPECT_THAT(log_.last().entry.details, HasSubstr("there is no such person"));
  const std::string wrong = message_of(sign_in("carol", "another password"));
  EXPECT_THAT(log_.last().entry.details, HasSubstr("the password is wrong"));
  const std::string disabled = message_of(sign_in("bob"));
  EXPECT_THAT(log_.last().entry.details, HasSubstr("the person is disabled"));
  EXPECT_EQ(unknown, wrong);
  EXPECT_EQ(unknown, disabled);
  EXPECT_EQ(message_of(sign_in("local", "")), unknown);  // has no password at all
}

TEST_F(Home, ATokenIsForItsAudienceAndItsTime) {
  person("bob");
  const auto api = sign_in("bob");
  const auto credit = sign_in("bob", kPassword, "10.0.0.1", "endpoint:credit");
  const auto authenticate = [this](const IssuedToken& token, std::string_view audience) {
    return access_->authenticate(token.token.reveal_text(), audience);
  };
  EXPECT_TRUE(authenticate(*api, kApiAudience));
  EXPECT_TRUE(authenticate(*credit, "endpoint:credit"));
  EXPECT_EQ(code_of(authenticate(*api, "endpoint:credit")), ErrorCode::kUnauthenticated);
  EXPECT_EQ(code_of(authenticate(*credit, kApiAudience)), ErrorCode::kUnauthenticated);
  EXPECT_EQ(code_of(authenticate(*credit, "endpoint:other")), ErrorCode::kUnauthenticated);
  for (const std::string_view bad : {"", "hft_", "api", "hft_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}) {
    EXPECT_EQ(code_of(access_->authenticate(bad, kApiAudience)), ErrorCode::kUnauthenticated) << bad;
  }
  EXPECT_EQ(code_of(sign_in("bob", kPassword, "10.0.0.1", "everything")), ErrorCode::kInvalidArgument);
  clock_.advance(std::chrono::minutes(59));
  EXPECT_TRUE(authenticate(*api, kApiAudience));
  const Caller early = authenticate(*api, kApiAudience).value();
  clock_.advance(std::chrono::minutes(1));
  EXPECT_EQ(code_of(authenticate(*api, kApiAudience)), ErrorCode::kUnauthenticated);
  EXPECT_THAT(access_->decide(early, Action::kReadModel, model("credit"))->why(), HasSubstr("has ended"));
}

TEST_F(Home, AnEndpointsTokenIsGoodForNothingElse) {
  choose("ada", first_->password);  // an administrator
  const auto token = sign_in("ada", kPassword, "10.0.0.1", "endpoint:credit");
  const Caller ada = access_->authenticate(token->token.reveal_text(), "endpoint:credit").value();
  EXPECT_TRUE(may(ada, Action::kInfer, endpoint("credit")));
  EXPECT_FALSE(may(ada, Action::kInfer, endpoint("other")));
  EXPECT_FALSE(may(ada, Action::kRelease, endpoint("credit")));
  EXPECT_EQ(code_of(access_->create_person(ada, "eve")), ErrorCode::kPermissionDenied);
}

TEST_F(Home, RevokedTokensAndDisabledPrincipalsEndAtOnce) {
  const PrincipalId bob = person("bob", kScientists);
  const auto one = sign_in("bob");
  const auto two = sign_in("bob");
  const auto three = sign_in("bob");
  const auto is_live = [this](const IssuedToken& token) {
    return access_->authenticate(token.token.reveal_text(), kApiAudience).has_value();
  };
  const Caller held = access_->authenticate(one->token.reveal_text(), kApiAudience).value();
  EXPECT_TRUE(may(held, Action::kReadModel, model("credit")));
  EXPECT_EQ(access_->list_tokens(*local_, bob)->size(), 3U);
  ASSERT_TRUE(access_->revoke_token(*local_, one->id));
  EXPECT_FALSE(is_live(*one));
  EXPECT_FALSE(may(held, Action::kReadModel, model("credit")));  // as of an open stream
  EXPECT_TRUE(is_live(*two));
  EXPECT_EQ(code_of(access_->revoke_token(*local_, one->id)), ErrorCode::kNotFound);
  ASSERT_TRUE(access_->sign_out(access_->authenticate(two->token.reveal_text(), kApiAudience).value()));
  EXPECT_FALSE(is_live(*two));
  EXPECT_TRUE(is_live(*three));
  ASSERT_TRUE(access_->set_enabled(*local_, bob, false));
  EXPECT_FALSE(is_live(*three));
  ASSERT_TRUE(access_->set_enabled(*local_, bob, true));
  EXPECT_FALSE(is_live(*three));  // its time has passed for good
  EXPECT_TRUE(sign_in("bob"));
  ASSERT_TRUE(access_->revoke_tokens(*local_, bob));
  EXPECT_TRUE(rows_hold()) << rows_hold().error().message;
}

TEST_F(Home, AllThatIsInForceSurvivesARestart) {
  const PrincipalId bob = person("bob");
  const auto token = sign_in("bob");
  ASSERT_TRUE(access_->grant(*local_, bob, Action::kInfer, endpoint("credit")));
  open();
  const Caller again = access_->authenticate(token->token.reveal_text(), kApiAudience).value();
  EXPECT_EQ(again.id(), bob);
  EXPECT_TRUE(may(again, Action::kInfer, endpoint("credit")));
}

TEST_F(Home, AnotherProcessLearnsOfAChange) {
  const auto other = Access::open(parts(), options()).value();
  EXPECT_FALSE(other->refresh().value());
  person("bob");
  const auto token = sign_in("bob");
  EXPECT_FALSE(other->authenticate(token->token.reveal_text(), kApiAudience));
  EXPECT_TRUE(other->refresh().value());
  EXPECT_TRUE(other->authenticate(token->token.reveal_text(), kApiAudience));
  // A sign-in here, after one there: neither is lost.
  const base::Secret password = secret(kPassword);
  const auto there = other->sign_in(
      PasswordSignIn{.workspace = kHome, .name = "bob", .password = password, .source = "10.0.0.1"});
  const auto here = sign_in("bob");
  EXPECT_TRUE(access_->authenticate(there->token.reveal_text(), kApiAudience));
  EXPECT_TRUE(access_->authenticate(here->token.reveal_text(), kApiAudience));
}

// A process that has not yet heard of a change still can't act against it.
TEST_F(Home, WhatWasDecidedByAnOldSnapshotIsDecidedAgain) {
  const PrincipalId bob = person("bob", kAdministrators);
  const auto other = Access::open(parts(), options()).value();
  const auto token = sign_in("bob");
  EXPECT_TRUE(other->refresh().value());
  const Caller there = other->authenticate(token->token.reveal_text(), kApiAudience).value();
  ASSERT_TRUE(access_->remove_member(*local_, PrincipalId(std::string(kAdministrators)), bob));
  EXPECT_TRUE(other->decide(there, Action::kCreatePrincipal, {.workspace = kHome})->allowed());
  EXPECT_EQ(code_of(other->create_service(there, {.name = "robot"})), ErrorCode::kPermissionDenied);
  EXPECT_EQ(code_of(other->grant(there, bob, Action::kInfer, endpoint("credit"))),
            ErrorCode::kPermissionDenied);
}

TEST_F(Home, WhatCannotBeRecordedDoesNotHappen) {
  const PrincipalId bob = person("bob");
  log_.break_down();
  EXPECT_EQ(code_of(access_->create_service(*local_, {.name = "robot"})), ErrorCode::kIo);
  EXPECT_EQ(code_of(access_->grant(*local_, bob, Action::kInfer, endpoint("credit"))), ErrorCode::kIo);
  EXPECT_EQ(code_of(sign_in("bob")), ErrorCode::kIo);
  EXPECT_EQ(code_of(access_->authorise(*local_, Action::kRelease, endpoint("credit"))), ErrorCode::kIo);
  EXPECT_EQ(code_of(access_->authorise(*local_, Action::kReadModel, model("credit"))), ErrorCode::kIo);
  log_.repair();
  EXPECT_FALSE(may(caller("bob"), Action::kInfer, endpoint("credit")));
  EXPECT_TRUE(access_->create_service(*local_, {.name = "robot"}));
}

TEST_F(Home, NamesAreUniqueAmongTheirKind) {
  const PrincipalId bob = person("bob");
  EXPECT_EQ(code_of(access_->create_person(*local_, "bob")), ErrorCode::kAlreadyExists);
  EXPECT_TRUE(access_->create_service(*local_, {.name = "bob", .owner = bob}));
  EXPECT_TRUE(access_->create_group(*local_, "bob"));
  EXPECT_EQ(code_of(access_->create_group(*local_, "administrators")), ErrorCode::kAlreadyExists);
  for (const std::string_view bad : {"", "a b", "-a", "a/b", "a\n", "\xC3\xA4", "\"", "unknown:a"}) {
    EXPECT_EQ(code_of(access_->create_person(*local_, bad)), ErrorCode::kInvalidArgument) << bad;
  }
  EXPECT_EQ(code_of(access_->create_person(*local_, std::string(129, 'a'))), ErrorCode::kInvalidArgument);
}

TEST_F(Home, TwoThreadsMakeOneName) {
  std::atomic<int> made = 0;
  std::atomic<int> refused = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 5; ++k) {
        const auto result = access_->create_service(*local_, {.name = "robot" + std::to_string(k)});
        if (result) ++made;
        if (!result && result.error().code == ErrorCode::kAlreadyExists) ++refused;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(made, 5);
  EXPECT_EQ(refused, 15);
  EXPECT_TRUE(rows_hold());
}

TEST_F(Home, EveryChangeIsRecordedAndInTheFeed) {
  const auto before = store::last_change(database_->snapshot().value()).value();
  const PrincipalId bob = person("bob", kOperators);  // create, choose a password, join
  const auto changes = store::changes_after(database_->snapshot().value(), before).value();
  std::vector<std::string> kinds;
  for (const auto& change : changes) kinds.push_back(change.kind);
  EXPECT_THAT(kinds, testing::ElementsAre("principal", "credential", "membership"));
  const auto last = log_.last();
  EXPECT_TRUE(last.durable);
  EXPECT_EQ(last.entry.actor, R"(Person::"default/local")");
  EXPECT_EQ(last.entry.action, "grant");
  EXPECT_EQ(last.entry.resource, R"(Principal::"default/operators")");
  EXPECT_EQ(last.entry.decision, "allow");
  EXPECT_THAT(last.entry.details, HasSubstr(bob.value()));
  EXPECT_THAT(last.entry.details, HasSubstr("role:administrators"));
}

TEST_F(Home, TheLocalOperatorStays) {
  const PrincipalId local{std::string(kLocalOperator)};
  EXPECT_EQ(code_of(access_->set_enabled(*local_, local, false)), ErrorCode::kConflict);
  EXPECT_EQ(code_of(access_->remove_member(*local_, PrincipalId("administrators"), local)),
            ErrorCode::kConflict);
  EXPECT_EQ(code_of(access_->reset_password(*local_, local)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of(access_->sign_out(*local_)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of(access_->local_operator(WorkspaceId("other"))), ErrorCode::kNotFound);
}

TEST_F(Home, ResetPasswordEndsWhatWasThere) {
  const PrincipalId bob = person("bob");
  const auto token = sign_in("bob");
  const auto reset = access_->reset_password(*local_, bob);
  EXPECT_FALSE(access_->authenticate(token->token.reveal_text(), kApiAudience));
  EXPECT_EQ(code_of(sign_in("bob")), ErrorCode::kUnauthenticated);
  choose("bob", reset->password);
  EXPECT_TRUE(sign_in("bob"));
  EXPECT_EQ(code_of(access_->reset_password(*local_, PrincipalId("nobody"))), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace holdfast::access
