// Who may do what: roles, grants, written policies, and what a doubt comes to.
#include <gmock/gmock-matchers.h>

#include <thread>

#include "access/testing.h"
#include "access/vocabulary.h"

namespace holdfast::access {
namespace {

using base::ErrorCode;
using base::WorkspaceId;
using testing::ElementsAre;
using testing::HasSubstr;
using DecisionsTest = AccessTest;

TEST_F(DecisionsTest, NobodyMayAnythingByDefault) {
  person("bob");
  const Caller bob = caller("bob");
  for (const ActionInfo& action : kActions) {
    EXPECT_FALSE(may(bob, action.action, {.workspace = kHome})) << action.name;
    EXPECT_FALSE(may(bob, action.action, endpoint("credit"))) << action.name;
  }
  const auto denied = access_->authorise(bob, Action::kRelease, endpoint("credit"));
  EXPECT_EQ(code_of(denied), ErrorCode::kPermissionDenied);
  EXPECT_EQ(message_of(denied), R"(bob may not release on Endpoint::"default/credit": no policy permits it)");
  EXPECT_EQ(log_.last().entry.decision, "deny");
  EXPECT_TRUE(log_.last().durable);
}

TEST_F(DecisionsTest, RolesAreAsTheirNamesSay) {
  struct Case {
    std::string_view group;
    std::vector<Action> may;
    std::vector<Action> may_not;
  };
  const std::vector<Case> cases{
      {kScientists,
       {Action::kReadModel, Action::kRegisterModel, Action::kTrainModel},
       {Action::kRelease, Action::kCreateEndpoint}},
      {kOperators,
       {Action::kReadAlerts, Action::kCreateEndpoint, Action::kAcknowledgeAlert},
       {Action::kRegisterModel}},
      {kApprovers, {Action::kReadPosture}, {Action::kRegisterModel, Action::kRelease}},
      {kAuditors,
       {Action::kReadAudit, Action::kReadPolicy, Action::kListPrincipals, Action::kReadMetrics},
       {Action::kRegisterModel}},
      {kAdministrators, {Action::kReadAudit, Action::kCreatePrincipal, Action::kRegisterModel}, {}},
  };
  for (const auto& [group, allowed, denied] : cases) {
    const std::string name = "in-" + std::string(group);
    person(name, group);
    const Caller who = caller(name);
    for (const Action action : allowed)
      EXPECT_TRUE(may(who, action, {.workspace = kHome})) << group << info(action).name;
    for (const Action action : denied)
      EXPECT_FALSE(may(who, action, {.workspace = kHome})) << group << info(action).name;
    const bool administers = group == kAdministrators;
    EXPECT_EQ(may(who, Action::kRelease, endpoint("credit")), group == kOperators || administers) << group;
    EXPECT_EQ(may(who, Action::kInfer, endpoint("credit")), administers) << group;
    EXPECT_EQ(may(who, Action::kApprove, version("3", {})), group == kApprovers || administers) << group;
    EXPECT_EQ(access_->create_group(who, "x-" + std::string(group)).has_value(), administers) << group;
  }
}

TEST_F(DecisionsTest, AnAdministratorDoesNotApproveWhatTheyMade) {
  const PrincipalId bob = person("bob", kAdministrators);
  const Caller who = caller("bob");
  EXPECT_TRUE(may(who, Action::kApprove, version("3", {PrincipalId("somebody")})));
  const auto denied = access_->authorise(who, Action::kApprove, version("3", {bob}));
  EXPECT_EQ(code_of(denied), ErrorCode::kPermissionDenied);
  EXPECT_THAT(message_of(denied),
              HasSubstr("forbidden by separation-of-duties; to do: Ask a person who took no part in it"));
  EXPECT_FALSE(may(who, Action::kWaive, version("3", {bob})));
  // A resource that has no makers can't be approved: the doubt denies.
  EXPECT_THAT(access_->decide(who, Action::kApprove, model("credit"))->why(),
              HasSubstr("not allowed on a doubt"));
}

TEST_F(DecisionsTest, TheProofIsForOneActionOnOneResource) {
  const auto proof = access_->authorise(*local_, Action::kRelease, endpoint("credit"));
  ASSERT_TRUE(proof) << proof.error().message;
  EXPECT_TRUE(proof->is_for(Action::kRelease, ResourceType::kEndpoint, kHome, "credit"));
  EXPECT_FALSE(proof->is_for(Action::kRollback, ResourceType::kEndpoint, kHome, "credit"));
  EXPECT_FALSE(proof->is_for(Action::kRelease, ResourceType::kEndpoint, kHome, "other"));
  EXPECT_FALSE(proof->is_for(Action::kRelease, ResourceType::kEndpoint, WorkspaceId("other"), "credit"));
  EXPECT_THAT(proof->determining(), ElementsAre("role:administrators"));
  ASSERT_TRUE(proof->receipt());
  EXPECT_EQ(proof->receipt()->leaf, log_.last().receipt.leaf);
  EXPECT_THAT(log_.last().entry.details, HasSubstr(R"("local":true)"));
  EXPECT_TRUE(log_.last().durable);
  EXPECT_TRUE(access_->authorise(*local_, Action::kReadModel, model("credit")));
  EXPECT_FALSE(log_.last().durable);  // a read is noted
  const auto count = log_.all().size();
  const auto decided = access_->decide(*local_, Action::kInfer, endpoint("credit"));
  EXPECT_FALSE(decided->authorised()->receipt());
  EXPECT_EQ(decided->entry()->decision, "allow");
  EXPECT_EQ(log_.all().size(), count);
}

TEST_F(DecisionsTest, WorkspacesAreApart) {
  const WorkspaceId other("other");
  ASSERT_TRUE(access_->bootstrap(other, "ada"));
  const Caller there = access_->local_operator(other).value();
  EXPECT_TRUE(may(there, Action::kRelease, endpoint("credit", other)));
  EXPECT_THAT(access_->decide(there, Action::kRelease, endpoint("credit"))->why(),
              HasSubstr("another workspace"));
  const PrincipalId bob = person("bob");
  EXPECT_EQ(code_of(access_->set_enabled(there, bob, false)), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(access_->grant(there, bob, Action::kInfer, endpoint("credit", other))),
            ErrorCode::kNotFound);
  // A policy of one workspace that names another's principal permits nothing there.
  ASSERT_TRUE(access_->write_policy(
      there, "reach",
      R"(permit (principal == Person::"default/)" + bob.value() + R"(", action, resource);)"));
  EXPECT_FALSE(may(caller("bob"), Action::kReadModel, model("credit")));
}

// Attack 12: a group that is only named like one that comes with Holdfast.
TEST_F(DecisionsTest, AGroupOfTheSameNameIsAnotherGroup) {
  const PrincipalId bob = person("bob");
  const auto group = access_->create_group(*local_, "Administrators");
  ASSERT_TRUE(group) << group.error().message;
  ASSERT_TRUE(access_->add_member(*local_, *group, bob));
  EXPECT_FALSE(may(caller("bob"), Action::kReadAudit, {.workspace = kHome}));
}

TEST_F(DecisionsTest, AGrantToAGroupIsItsMembers) {
  const PrincipalId bob = person("bob");
  const PrincipalId group = access_->create_group(*local_, "tellers").value();
  const auto grant = access_->grant(*local_, group, Action::kInfer, endpoint("credit"));
  ASSERT_TRUE(grant) << grant.error().message;
  EXPECT_FALSE(may(caller("bob"), Action::kInfer, endpoint("credit")));
  ASSERT_TRUE(access_->add_member(*local_, group, bob));
  ASSERT_TRUE(access_->add_member(*local_, group, bob));  // once is enough
  EXPECT_TRUE(may(caller("bob"), Action::kInfer, endpoint("credit")));
  EXPECT_FALSE(may(caller("bob"), Action::kInfer, endpoint("other")));
  ASSERT_TRUE(access_->remove_member(*local_, group, bob));
  EXPECT_FALSE(may(caller("bob"), Action::kInfer, endpoint("credit")));
  EXPECT_EQ(code_of(access_->remove_member(*local_, group, bob)), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(access_->add_member(*local_, group, group)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of(access_->add_member(*local_, bob, bob)), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(rows_hold()) << rows_hold().error().message;
}

TEST_F(DecisionsTest, TheSameGrantTwiceIsOne) {
  const PrincipalId bob = person("bob");
  const auto first = access_->grant(*local_, bob, Action::kInfer, endpoint("credit")).value();
  EXPECT_EQ(access_->grant(*local_, bob, Action::kInfer, endpoint("credit")).value(), first);
  EXPECT_NE(access_->grant(*local_, bob, Action::kInfer, endpoint("other")).value(), first);
  ASSERT_TRUE(access_->revoke_grant(*local_, first));
  EXPECT_FALSE(may(caller("bob"), Action::kInfer, endpoint("credit")));
  EXPECT_NE(access_->grant(*local_, bob, Action::kInfer, endpoint("credit")).value(), first);
}

TEST_F(DecisionsTest, AGrantThatFitsNoSchemaIsRefused) {
  const PrincipalId bob = person("bob");
  EXPECT_THAT(message_of(access_->grant(*local_, bob, Action::kInfer, model("credit"))),
              HasSubstr("does not fit"));
  EXPECT_EQ(code_of(access_->grant(caller("bob"), bob, Action::kInfer, endpoint("credit"))),
            ErrorCode::kPermissionDenied);
  // An id with Cedar's own signs in it stays one id.
  const std::string odd = R"(a"), action, resource); permit(principal, action, resource); //)";
  const auto grant = access_->grant(*local_, bob, Action::kInfer, endpoint(odd));
  ASSERT_TRUE(grant) << grant.error().message;
  EXPECT_TRUE(may(caller("bob"), Action::kInfer, endpoint(odd)));
  EXPECT_FALSE(may(caller("bob"), Action::kInfer, endpoint("credit")));
  // What can't be seen, or turns the text around it.
  for (const auto* unseen : {"credit\n",
                             "cre\xE2\x80\xAE"
                             "dit",
                             "cr\xC3\xA9"
                             "dit"}) {
    EXPECT_EQ(code_of(access_->grant(*local_, bob, Action::kInfer, endpoint(unseen))),
              ErrorCode::kInvalidArgument);
  }
}

TEST_F(DecisionsTest, APolicyWithAMistakeIsRefusedWithItsPlace) {
  EXPECT_THAT(message_of(access_->write_policy(*local_, "a", "permit (principal,\n  action resource);")),
              HasSubstr("the policy \"a\": 2:"));
  EXPECT_THAT(message_of(access_->write_policy(*local_, "a",
                                               "permit (principal, action == Action::\"fly\", resource);")),
              HasSubstr("does not fit the schema"));
  EXPECT_THAT(message_of(access_->write_policy(
                  *local_, "a", "forbid (principal, action, resource) when { principal.height > 2 };")),
              HasSubstr("does not fit the schema"));
  for (const char* many : {"", "permit (principal, action, resource); permit (principal, action, resource);",
                           "permit (principal == ?principal, action, resource);"}) {
    EXPECT_THAT(message_of(access_->write_policy(*local_, "a", many)), HasSubstr("exactly one policy"));
  }
  const std::string good = "permit (principal, action == Action::\"readModel\", resource);";
  EXPECT_EQ(code_of(access_->write_policy(*local_, "administrators", good)), ErrorCode::kAlreadyExists);
  EXPECT_EQ(code_of(access_->write_policy(*local_, "grant-x", good)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of(access_->write_policy(*local_, "a b", good)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of(access_->write_policy(*local_, "a", "@id(\"b\")" + good)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of(access_->write_policy(*local_, "a", good + std::string(kMaxPolicyBytes, ' '))),
            ErrorCode::kLimitExceeded);
  ASSERT_TRUE(access_->write_policy(*local_, "a", good));
  const std::string better = "forbid (principal, action == Action::\"readModel\", resource);";
  ASSERT_TRUE(access_->write_policy(*local_, "a", better));  // in place of the first
  EXPECT_EQ(access_->list_policies(*local_)->size(), 1U);
  EXPECT_EQ(access_->list_policies(*local_)->front().text, better);
  EXPECT_FALSE(may(*local_, Action::kReadModel, model("credit")));
  EXPECT_TRUE(rows_hold()) << rows_hold().error().message;
  EXPECT_EQ(code_of(access_->revoke_grant(*local_, "a")), ErrorCode::kNotFound);
  ASSERT_TRUE(access_->remove_policy(*local_, "a"));
  EXPECT_EQ(code_of(access_->remove_policy(*local_, "a")), ErrorCode::kNotFound);
  EXPECT_TRUE(rows_hold()) << rows_hold().error().message;
}

// Attack 11: a forbid whose evaluation fails would forbid nothing.
TEST_F(DecisionsTest, AnErrorInAForbidDeniesWhatWrites) {
  ASSERT_TRUE(
      access_->write_policy(*local_, "overflow",
                            "forbid (principal, action, resource)"
                            " when { 9223372036854775807 + context.now.toTime().toMilliseconds() < 0 };"));
  clock_.advance(std::chrono::seconds(1));
  EXPECT_EQ(code_of(access_->authorise(*local_, Action::kRelease, endpoint("credit"))),
            ErrorCode::kPermissionDenied);
  EXPECT_THAT(log_.last().entry.details, HasSubstr("overflow"));
  EXPECT_THAT(log_.last().entry.details, HasSubstr("denied_by_error"));
  EXPECT_TRUE(may(*local_, Action::kReadModel, model("credit")));  // and what only reads goes on
  ASSERT_TRUE(access_->remove_policy(*local_, "overflow"));
  EXPECT_TRUE(may(*local_, Action::kRelease, endpoint("credit")));
}

TEST_F(DecisionsTest, AForbidOfEverythingCanBeTakenBackByTheLocalOperatorAlone) {
  person("bob", kAdministrators);
  const Caller bob = caller("bob");
  ASSERT_TRUE(access_->write_policy(bob, "closed", "forbid (principal, action, resource);"));
  EXPECT_FALSE(may(*local_, Action::kReadModel, model("credit")));
  EXPECT_EQ(code_of(access_->remove_policy(bob, "closed")), ErrorCode::kPermissionDenied);
  ASSERT_TRUE(access_->remove_policy(*local_, "closed"));
  EXPECT_TRUE(may(bob, Action::kReadModel, model("credit")));
}

TEST_F(DecisionsTest, APolicyCanSpeakOfWhereAndWhen) {
  person("bob", kScientists);
  const Caller bob = caller("bob");
  ASSERT_TRUE(
      access_->write_policy(*local_, "inside",
                            "forbid (principal, action, resource) unless { context.local ||"
                            " (context has source && context.source.isInRange(ip(\"10.0.0.0/8\"))) };"));
  const auto from = [&](std::string_view source) {
    return access_->decide(bob, Action::kReadModel, model("credit"), source)->allowed();
  };
  EXPECT_TRUE(from("10.1.2.3"));
  EXPECT_FALSE(from("192.0.2.1"));
  EXPECT_FALSE(from("nonsense"));
  EXPECT_FALSE(from(""));
}

TEST_F(DecisionsTest, WhatIsNoResourceIsDenied) {
  EXPECT_FALSE(may(*local_, Action::kRelease, endpoint("")));
  EXPECT_FALSE(may(*local_, Action::kRelease, endpoint(std::string(300, 'a'))));
  EXPECT_FALSE(may(*local_, Action::kListPrincipals, {.workspace = kHome, .id = "x"}));
  // However long it is, that it was asked for is in the log.
  const auto denied = access_->authorise(*local_, Action::kRelease, endpoint(std::string(5'000, 'a')));
  EXPECT_EQ(code_of(denied), ErrorCode::kPermissionDenied);
  EXPECT_LE(log_.last().entry.resource.size(), 1024U);
}

TEST_F(DecisionsTest, WhoIsRefusedOverAndOverIsCounted) {
  person("bob");
  const Caller bob = caller("bob");
  const auto before = log_.all().size();
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(access_->authorise(bob, Action::kRelease, endpoint("credit")));
  EXPECT_EQ(log_.all().size() - before, 60U);
  ASSERT_TRUE(access_->record_counts(Access::Counts::kAll));
  EXPECT_EQ(log_.last().entry.actor, bob.text());
  EXPECT_EQ(log_.last().entry.action, "refusal.count");
  EXPECT_THAT(log_.last().entry.details, HasSubstr(R"("further_refusals":{"403":40})"));
}

// Snapshots are swapped while others decide: each decision is by one of them, whole.
TEST_F(DecisionsTest, DecisionsGoOnWhileWhatIsInForceChanges) {
  const PrincipalId bob = person("bob");
  const auto token = sign_in("bob");
  std::atomic<bool> stop = false;
  std::atomic<int> decided = 0;
  std::vector<std::thread> deciders;
  for (int i = 0; i < 2; ++i) {
    deciders.emplace_back([&] {
      while (!stop) {
        const auto who = access_->authenticate(token->token.reveal_text(), kApiAudience);
        ASSERT_TRUE(who) << who.error().message;
        const auto current = access_->snapshot().value();
        const auto decision =
            current->decide(*who, Action::kInfer, endpoint("credit"), {.now = clock_.now()});
        ASSERT_EQ(decision.allowed(), !decision.decision().determining.empty());
        ++decided;
      }
    });
  }
  for (int i = 0; i < 30 || decided < 100; ++i) {
    const auto grant = access_->grant(*local_, bob, Action::kInfer, endpoint("credit"));
    ASSERT_TRUE(grant);
    EXPECT_TRUE(may(caller("bob"), Action::kInfer, endpoint("credit")));
    ASSERT_TRUE(access_->revoke_grant(*local_, *grant));
  }
  stop = true;
  for (auto& thread : deciders) thread.join();
}

}  // namespace
}  // namespace holdfast::access
