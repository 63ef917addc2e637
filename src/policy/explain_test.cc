#include "policy/explain.h"

#include <gtest/gtest.h>

#include <string>

#include "policy/entity_json.h"
#include "policy/parser.h"

namespace holdfast::policy {
namespace {

std::string_view to_text(Truth truth) {
  switch (truth) {
    case Truth::kTrue:
      return "true";
    case Truth::kFalse:
      return "false";
    case Truth::kError:
      return "error";
    case Truth::kNotReached:
      return "not reached";
  }
  return "";
}

// One line for each policy, condition, check and value.
std::string to_text(const std::vector<ExplainedPolicy>& policies) {
  std::string out;
  for (const ExplainedPolicy& policy : policies) {
    out += policy.id + (policy.effect == Effect::kForbid ? " forbids" : " permits") + "\n";
    for (const auto& [name, text] : policy.annotations) out += "  @" + name + " " + text + "\n";
    for (const ExplainedCondition& condition : policy.conditions) {
      out += std::string("  ") + (condition.unless ? "unless " : "when ") +
             std::string(to_text(condition.truth)) + "\n";
      for (const Check& check : condition.checks) {
        out += "    " + std::string(to_text(check.truth)) + ": " + check.text +
               (check.error.empty() ? "" : " (" + check.error + ")") + "\n";
        for (const SeenValue& seen : check.seen)
          out += "      " + seen.expression + " = " + seen.value + "\n";
      }
    }
  }
  return out;
}

struct Asked {
  Decision decision;
  Explanation explanation;
};

Asked ask(std::string_view text, DecideOptions options = {}) {
  auto policies = parse_policies(text, PolicyIds::kAnnotation);
  EXPECT_TRUE(policies.has_value()) << policies.error().message;
  const auto store = parse_entities(R"([
      {"uid": {"type": "Model", "id": "credit"}, "parents": [],
       "attrs": {"fairness": {"gap": {"__extn": {"fn": "decimal", "arg": "0.0812"}}}, "signed": true}},
      {"uid": {"type": "User", "id": "alice"}, "parents": [{"type": "Role", "id": "engineer"}], "attrs": {}}])");
  EXPECT_TRUE(store.has_value());
  const Request request(EntityUid("User", "alice"), EntityUid("Action", "release"),
                        EntityUid("Model", "credit"));
  const Authorizer authorizer(*std::move(policies));
  const Decision decision = authorizer.decide(request, *store, options);
  return {decision, explain(authorizer, request, *store, decision)};
}

TEST(Explain, ShowsWhyAGateRefused) {
  const Asked asked = ask(R"(
      @id("allow") permit(principal in Role::"engineer", action == Action::"release", resource is Model);
      @id("fair") @figure("the gap between groups, below 0.05") @remedy("retrain with reweighing")
      forbid(principal, action == Action::"release", resource is Model)
      unless { resource has fairness.gap && resource.fairness.gap.lessThan(decimal("0.05")) };
      @id("signed") forbid(principal, action == Action::"release", resource) unless { resource.signed };)");
  EXPECT_EQ(asked.decision.verdict, Verdict::kDeny);
  EXPECT_EQ(to_text(asked.explanation.determining),
            "fair forbids\n"
            "  @figure the gap between groups, below 0.05\n"
            "  @id fair\n"
            "  @remedy retrain with reweighing\n"
            "  unless false\n"
            "    true: resource has fairness.gap\n"
            "    false: resource.fairness.gap.lessThan(decimal(\"0.0500\"))\n"
            "      resource.fairness.gap = decimal(\"0.0812\")\n");
  EXPECT_TRUE(asked.explanation.errors.empty());
  EXPECT_TRUE(asked.explanation.unmet.empty());
}

TEST(Explain, ShowsMissingEvidence) {
  const Asked asked = ask(R"(@id("g") forbid(principal, action, resource)
                             unless { resource has privacy.epsilon && resource.privacy.epsilon < 8 };)");
  EXPECT_EQ(to_text(asked.explanation.determining),
            "g forbids\n  @id g\n  unless false\n"
            "    false: resource has privacy.epsilon\n"
            "    not reached: resource.privacy.epsilon < 8\n");
}

TEST(Explain, ShowsWhichPermitsWereNotMet) {
  const Asked asked = ask(R"(
      @id("night") permit(principal, action, resource)
        when { principal in Role::"oncall" || !(context has ticket) && false };
      @id("other") permit(principal == User::"bob", action, resource);
      @id("never") forbid(principal, action, resource) when { false };)");
  EXPECT_EQ(to_text(asked.explanation.unmet),
            "night permits\n  @id night\n  when false\n"
            "    false: principal in Role::\"oncall\"\n"
            "      principal = User::\"alice\"\n"
            "    false: context has ticket\n"
            "    false: false\n");
  EXPECT_TRUE(asked.explanation.determining.empty());
}

TEST(Explain, ShowsWhatFailed) {
  const Asked asked = ask(R"(
      @id("p") permit(principal, action, resource);
      @id("f") forbid(principal, action, resource)
        when { if resource.signed then resource.score > 3 else true } when { true };)",
                          {.deny_on_error = true});
  EXPECT_TRUE(asked.decision.denied_by_error);
  EXPECT_EQ(to_text(asked.explanation.errors),
            "f forbids\n  @id f\n  when error\n"
            "    true: resource.signed\n"
            "      resource.signed = true\n"
            "    error: resource.score > 3 (Model::\"credit\" has no attribute \"score\")\n"
            "      resource.score = Model::\"credit\" has no attribute \"score\"\n"
            "    not reached: true\n"
            "  when not reached\n"
            "    not reached: true\n");
}

TEST(Explain, IsBounded) {
  std::string many = "@id(\"big\") forbid(principal, action, resource) when { true";
  for (int i = 0; i < 1'000; ++i) many += " && resource.signed == true";
  const Asked asked = ask(many + " };");
  ASSERT_EQ(asked.explanation.determining.size(), 1U);
  EXPECT_EQ(asked.explanation.determining[0].conditions[0].checks.size(), kMaxChecks);
}

}  // namespace
}  // namespace holdfast::policy
