#include <gmock/gmock-matchers.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "evaluate/gate.h"
#include "govern/testing.h"
#include "policy/authorizer.h"
#include "registry/requirements.h"

// The gate of examples/credit, held against figures that are told, never against a model's.

namespace holdfast::govern {
namespace {

using evaluate::GateOutcome;

policy::PolicySet gate() {
  const auto source = std::filesystem::path(HOLDFAST_TESTDATA).parent_path().parent_path().parent_path();
  std::ifstream file(source / "examples" / "credit" / "policies" / "gate.cedar");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  auto parsed = registry::parse_gate(text);
  EXPECT_TRUE(parsed.has_value()) << parsed.error().message;
  return *std::move(parsed);
}

evaluate::Figure told(std::string name, double low, double high, evaluate::Scope scope = {}) {
  auto one = figure(std::move(name), std::move(scope));
  one.measurement.value = (low + high) / 2;
  one.measurement.interval.low = low;
  one.measurement.interval.high = high;
  return one;
}

std::vector<evaluate::Figure> figures(double balanced, double auc, double robust, double sex, double age) {
  return {
      told("balanced_accuracy", balanced, balanced + .02), told("auc", auc, auc + .02),
      told("robust_balanced_accuracy", robust, robust + .02,
           {.over = "", .under = "pgd", .by = "", .group = ""}),
      told("equalized_odds_difference", sex - .02, sex, {.over = "", .under = "", .by = "sex", .group = ""}),
      told("equalized_odds_difference", age - .02, age, {.over = "", .under = "", .by = "age", .group = ""})};
}

evaluate::GateReport decide(const std::vector<evaluate::Figure>& figures) {
  const policy::Request request(policy::EntityUid("Person", "default/bea"),
                                policy::EntityUid("Action", "approve"),
                                policy::EntityUid("Version", "default/credit/1"));
  return evaluate::decide_gate(policy::Authorizer(gate()), request, {}, figures).value();
}

std::vector<std::string> failed(const std::vector<evaluate::Figure>& figures) {
  std::vector<std::string> ids;
  for (const auto& requirement : decide(figures).requirements) {
    if (requirement.outcome != GateOutcome::kPassed) ids.push_back(requirement.id);
  }
  return ids;
}

TEST(CreditGate, PassesOnlyWithEveryIntervalOnItsSide) {
  EXPECT_TRUE(decide(figures(.65, .72, .58, .10, .15)).passed);
  EXPECT_THAT(failed(figures(.649, .72, .58, .10, .15)), testing::ElementsAre("balanced-accuracy"));
  EXPECT_THAT(failed(figures(.65, .719, .58, .10, .15)), testing::ElementsAre("auc"));
  EXPECT_THAT(failed(figures(.65, .72, .579, .10, .15)), testing::ElementsAre("robustness-pgd"));
  EXPECT_THAT(failed(figures(.65, .72, .58, .101, .15)), testing::ElementsAre("equalized-odds-sex"));
  EXPECT_THAT(failed(figures(.65, .72, .58, .10, .151)), testing::ElementsAre("equalized-odds-age"));
}

TEST(CreditGate, RefusesWhoAlwaysSaysTheSame) {
  // It is perfectly robust and fair.
  EXPECT_THAT(failed(figures(.5, .5, .5, .02, .02)),
              testing::ElementsAre("balanced-accuracy", "auc", "robustness-pgd"));
}

TEST(CreditGate, RefusesWhatWasNotMeasured) {
  for (const auto& requirement : decide({}).requirements) {
    EXPECT_EQ(requirement.outcome, GateOutcome::kMissing) << requirement.id;
    EXPECT_FALSE(requirement.remedy.empty()) << requirement.id;
    EXPECT_FALSE(requirement.figure.empty()) << requirement.id;
  }
}

}  // namespace
}  // namespace holdfast::govern
