#include "policy/authorizer.h"

#include <gmock/gmock-more-matchers.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "policy/entity_json.h"
#include "policy/parser.h"

namespace holdfast::policy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const Request& request() {
  static const Request kRequest(EntityUid("User", "alice"), EntityUid("Action", "deploy"),
                                EntityUid("Model", "m"), Record({{"n", Value::integer(1)}}));
  return kRequest;
}

Decision decide(std::string_view text, DecideOptions options = {}) {
  auto policies = parse_policies(text, PolicyIds::kAnnotation);
  EXPECT_TRUE(policies.has_value()) << policies.error().message;
  return Authorizer(*std::move(policies)).decide(request(), Entities(), options);
}

TEST(Authorizer, DeniesWhatNothingPermits) {
  const Decision decision = decide("");
  EXPECT_EQ(decision.verdict, Verdict::kDeny);
  EXPECT_THAT(decision.determining, IsEmpty());
}

TEST(Authorizer, LetsForbidBeatPermit) {
  const Decision decision = decide(R"(
      @id("p") permit(principal, action, resource);
      @id("f1") forbid(principal, action, resource);
      @id("f2") forbid(principal, action, resource) when { context.n == 1 };
      @id("f3") forbid(principal, action, resource) when { context.n == 2 };)");
  EXPECT_EQ(decision.verdict, Verdict::kDeny);
  EXPECT_THAT(decision.determining, ElementsAre("f1", "f2"));
}

TEST(Authorizer, NamesEveryPermitThatHeld) {
  const Decision decision = decide(R"(
      @id("a") permit(principal, action, resource) unless { context.n == 2 };
      @id("b") permit(principal, action, resource) when { false };
      @id("c") permit(principal, action, resource);)");
  EXPECT_EQ(decision.verdict, Verdict::kAllow);
  EXPECT_THAT(decision.determining, ElementsAre("a", "c"));
}

TEST(Authorizer, SkipsAndListsAPolicyThatFails) {
  const Decision decision = decide(R"(
      @id("p") permit(principal, action, resource);
      @id("f") forbid(principal, action, resource) when { context.missing };)");
  EXPECT_EQ(decision.verdict, Verdict::kAllow);
  ASSERT_EQ(decision.errors.size(), 1U);
  EXPECT_EQ(decision.errors[0].policy, "f");
  EXPECT_EQ(decision.errors[0].message, "the record has no attribute \"missing\"");
  EXPECT_FALSE(decision.denied_by_error);
}

// A forbid whose condition overflows vanishes; where that is dangerous, the caller asks for a denial.
TEST(Authorizer, DeniesOnAnyErrorWhenAsked) {
  constexpr std::string_view kOverflow = R"(
      @id("p") permit(principal, action, resource);
      @id("f") forbid(principal, action, resource) when { context.n + 9223372036854775807 > 0 };)";
  EXPECT_EQ(decide(kOverflow).verdict, Verdict::kAllow);
  const Decision decision = decide(kOverflow, {.deny_on_error = true});
  EXPECT_EQ(decision.verdict, Verdict::kDeny);
  EXPECT_TRUE(decision.denied_by_error);
  EXPECT_THAT(decision.determining, IsEmpty());
  EXPECT_EQ(decision.errors.size(), 1U);
  EXPECT_EQ(decide("permit(principal, action, resource);", {.deny_on_error = true}).verdict, Verdict::kAllow);
}

TEST(Authorizer, LooksAtALaterConditionOnlyWhenTheEarlierHeld) {
  EXPECT_THAT(decide("permit(principal, action, resource) when { false } when { context.missing };").errors,
              IsEmpty());
  EXPECT_THAT(decide("permit(principal, action, resource) unless { true } when { context.missing };").errors,
              IsEmpty());
  EXPECT_EQ(
      decide("permit(principal, action, resource) when { true } unless { context.missing };").errors.size(),
      1U);
  EXPECT_EQ(decide("permit(principal, action, resource) when { 1 };").errors.size(), 1U);
}

TEST(Authorizer, NeverEvaluatesOutsideTheScope) {
  const Decision decision = decide(R"(
      permit(principal == User::"bob", action, resource) when { context.missing };
      permit(principal is Group, action, resource) when { context.missing };
      permit(principal, action in [], resource) when { context.missing };
      permit(principal, action, resource in Model::"other") when { context.missing };)");
  EXPECT_THAT(decision.errors, IsEmpty());
}

TEST(Authorizer, LeavesTemplatesOutUntilTheyAreLinked) {
  auto policies = parse_policies("@id(\"t\") permit(principal == ?principal, action, resource in ?resource);",
                                 PolicyIds::kAnnotation);
  ASSERT_TRUE(policies.has_value());
  EXPECT_EQ(Authorizer(*policies).decide(request(), Entities()).verdict, Verdict::kDeny);
  ASSERT_TRUE(policies->link("t", "linked", EntityUid("User", "alice"), EntityUid("Model", "m")).has_value());
  EXPECT_THAT(Authorizer(*policies).decide(request(), Entities()).determining, ElementsAre("linked"));
}

TEST(PolicySet, RefusesWrongLinks) {
  auto policies = parse_policies(
      "@id(\"t\") permit(principal == ?principal, action, resource); "
      "@id(\"s\") permit(principal, action, resource);",
      PolicyIds::kAnnotation);
  ASSERT_TRUE(policies.has_value());
  const EntityUid uid("User", "u");
  EXPECT_EQ(policies->link("s", "x", uid, std::nullopt).error().code, base::ErrorCode::kNotFound);
  EXPECT_EQ(policies->link("none", "x", uid, std::nullopt).error().code, base::ErrorCode::kNotFound);
  EXPECT_EQ(policies->link("t", "x", uid, uid).error().message,
            "the template \"t\" takes a ?principal and no ?resource");
  EXPECT_EQ(policies->link("t", "x", std::nullopt, std::nullopt).error().code,
            base::ErrorCode::kInvalidArgument);
  EXPECT_EQ(policies->link("t", "s", uid, std::nullopt).error().code, base::ErrorCode::kAlreadyExists);
  EXPECT_EQ(policies->policies().size(), 1U);
}

// The index leaves out no policy that a look at each would find.
TEST(Authorizer, DecidesAsIfItLookedAtEveryPolicy) {
  std::mt19937 random(1);
  const auto pick = [&](const std::vector<std::string>& from) { return from[random() % from.size()]; };
  const std::vector<std::string> uids{"User::\"a\"", "User::\"b\"", "Group::\"g\"", "Group::\"h\""};
  const auto constraint = [&](const std::string& variable) {
    switch (random() % 6) {
      case 0:
        return variable + " == " + pick(uids);
      case 1:
        return variable + " in " + pick(uids);
      case 2:
        return variable + " is " + pick({"User", "Group"});
      case 3:
        return variable + " is " + pick({"User", "Group"}) + " in " + pick(uids);
      default:
        return variable;
    }
  };
  std::string text;
  for (int i = 0; i < 400; ++i) {
    text += pick({"permit(", "forbid("}) + constraint("principal") + ", " +
            pick({"action", "action == Action::\"x\"", "action in Action::\"all\"",
                  "action in [Action::\"x\", Action::\"all\", Action::\"y\"]"}) +
            ", " + constraint("resource") + ") when { " + pick({"true", "false", "context.missing"}) +
            " };\n";
  }
  const auto policies = parse_policies(text);
  ASSERT_TRUE(policies.has_value());
  const auto store = parse_entities(R"([
      {"uid": {"type": "User", "id": "a"}, "attrs": {}, "parents": [{"type": "Group", "id": "g"}]},
      {"uid": {"type": "Group", "id": "g"}, "attrs": {}, "parents": [{"type": "Group", "id": "h"}]},
      {"uid": {"type": "Action", "id": "x"}, "attrs": {}, "parents": [{"type": "Action", "id": "all"}]}])");
  ASSERT_TRUE(store.has_value());
  const Authorizer authorizer(*policies);
  for (const auto& principal : {EntityUid("User", "a"), EntityUid("User", "b"), EntityUid("Group", "g")}) {
    for (const auto& action :
         {EntityUid("Action", "x"), EntityUid("Action", "y"), EntityUid("Action", "z")}) {
      for (const auto& resource : {EntityUid("User", "a"), EntityUid("Group", "h")}) {
        const Request asked(principal, action, resource);
        std::vector<std::string> permits;
        std::vector<std::string> forbids;
        std::vector<std::string> errors;
        for (const Policy& policy : policies->policies()) {
          if (!in_scope(policy, asked, *store)) continue;
          Evaluator evaluator(asked, *store);
          const Outcome outcome = evaluate_conditions(policy, evaluator);
          if (outcome == Outcome::kError) errors.push_back(policy.id);
          if (outcome != Outcome::kSatisfied) continue;
          (policy.effect == Effect::kPermit ? permits : forbids).push_back(policy.id);
        }
        const Decision decision = authorizer.decide(asked, *store);
        EXPECT_EQ(decision.determining, forbids.empty() ? permits : forbids);
        EXPECT_EQ(decision.verdict == Verdict::kAllow, forbids.empty() && !permits.empty());
        EXPECT_TRUE(
            std::equal(errors.begin(), errors.end(), decision.errors.begin(), decision.errors.end(),
                       [](const std::string& id, const PolicyError& error) { return id == error.policy; }));
      }
    }
  }
}

}  // namespace
}  // namespace holdfast::policy
