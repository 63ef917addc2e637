#include "evaluate/gate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "policy/parser.h"

namespace holdfast::evaluate {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::string_view kPermit =
    R"(@id("may") permit(principal, action == Action::"register", resource);)";

constexpr std::string_view kFloor = R"(
    @id("balanced") @figure("balanced accuracy") @remedy("train longer")
    forbid(principal, action == Action::"register", resource)
    unless { context has evidence.balanced_accuracy.lower &&
             context.evidence.balanced_accuracy.lower.greaterThanOrEqual(decimal("0.66")) };)";

constexpr std::string_view kCeiling = R"(
    @id("odds") @remedy("reweigh")
    forbid(principal, action == Action::"register", resource)
    unless { context has evidence.by.sex.equalized_odds_difference.upper &&
             context.evidence.by.sex.equalized_odds_difference.upper.lessThanOrEqual(decimal("0.1")) };)";

Figure figure(std::string name, double value, double low, double high, Scope scope = {},
              std::uint64_t rows = 1000) {
  return {.scope = std::move(scope),
          .measurement = {.name = std::move(name),
                          .value = value,
                          .interval = {.low = low, .high = high, .confidence = stats::kConfidence95},
                          .sample_size = rows,
                          .method = "told"}};
}

Figure balanced(double value, double low, double high) {
  return figure("balanced_accuracy", value, low, high);
}

Figure odds(double value, double low, double high) {
  return figure("equalized_odds_difference", value, low, high,
                {.over = "", .under = "", .by = "sex", .group = ""});
}

GateReport decide(const std::string& policies, const std::vector<Figure>& figures) {
  auto parsed = policy::parse_policies(policies, policy::PolicyIds::kAnnotation);
  EXPECT_TRUE(parsed.has_value()) << parsed.error().message;
  const policy::Request request(policy::EntityUid("User", "ada"), policy::EntityUid("Action", "register"),
                                policy::EntityUid("Model", "credit"));
  return decide_gate(policy::Authorizer(*std::move(parsed)), request, {}, figures).value();
}

std::string gate() { return std::string(kPermit) + std::string(kFloor) + std::string(kCeiling); }

TEST(Gate, PassesWithTheWholeIntervalOnTheRightSide) {
  const GateReport report = decide(gate(), {balanced(.7, .66, .74), odds(.05, .01, .1)});
  EXPECT_TRUE(report.passed);
  EXPECT_EQ(report.permitted_by, std::vector<std::string>{"may"});
  ASSERT_EQ(report.requirements.size(), 2U);
  EXPECT_EQ(report.requirements[0].outcome, GateOutcome::kPassed);
  EXPECT_EQ(report.requirements[0].threshold, "at least 0.6600");
  EXPECT_EQ(report.requirements[1].outcome, GateOutcome::kPassed);
  EXPECT_EQ(report.requirements[1].figure, "by.sex.equalized_odds_difference");
  EXPECT_EQ(report.requirements[1].threshold, "at most 0.1000");
}

TEST(Gate, RefusesByAHair) {
  EXPECT_FALSE(decide(gate(), {balanced(.7, .65999, .74), odds(.05, .01, .1)}).passed);
  EXPECT_FALSE(decide(gate(), {balanced(.7, .66, .74), odds(.05, .01, .10001)}).passed)
      << "an upper end rounds up";
}

TEST(Gate, TellsFellShortFromCouldNotTell) {
  const GateReport report = decide(gate(), {balanced(.6, .55, .65), odds(.08, .04, .12)});
  EXPECT_FALSE(report.passed);
  EXPECT_EQ(report.requirements[0].outcome, GateOutcome::kFellShort);
  EXPECT_FALSE(report.requirements[0].rows_needed.has_value());
  EXPECT_EQ(report.requirements[0].remedy, "train longer");
  EXPECT_EQ(report.requirements[1].outcome, GateOutcome::kCouldNotTell);
  ASSERT_TRUE(report.requirements[1].rows_needed.has_value());
  // h/d = 2: 1000 * 4 * 2.04318 (stats/measurement.h).
  EXPECT_NEAR(static_cast<double>(*report.requirements[1].rows_needed), 8173, 1);
  EXPECT_EQ(
      sentence(report.requirements[0]),
      "fell short: balanced accuracy is 0.6000 (0.5500 to 0.6500 at 95% confidence, 1000 rows) and must "
      "be at least 0.6600");
  EXPECT_EQ(sentence(report.requirements[1]),
            "could not tell: by.sex.equalized_odds_difference is 0.0800 (0.0400 to 0.1200 at 95% confidence, "
            "1000 rows) and must be at most 0.1000; about 8173 rows would do");
  EXPECT_EQ(decide(gate(), {odds(.3, .2, .4)}).requirements[1].outcome, GateOutcome::kFellShort);
}

TEST(Gate, RefusesWhatIsMissing) {
  const GateReport report = decide(gate(), {balanced(.7, .68, .74)});
  EXPECT_FALSE(report.passed);
  EXPECT_EQ(report.requirements[1].outcome, GateOutcome::kMissing);
  EXPECT_EQ(sentence(report.requirements[1]),
            "missing: by.sex.equalized_odds_difference must be at most 0.1000");
  EXPECT_FALSE(decide(gate(), {}).passed);
}

TEST(Gate, RefusesWhatIsNotKnown) {
  const GateReport report =
      decide(gate(), {balanced(std::nan(""), -kInfinity, kInfinity), odds(.05, .01, .1)});
  EXPECT_FALSE(report.passed);
  EXPECT_EQ(report.requirements[0].outcome, GateOutcome::kCouldNotTell);
  EXPECT_FALSE(report.requirements[0].rows_needed.has_value());
}

TEST(Gate, DeniesOnAnError) {
  const std::string careless = std::string(kPermit) + R"(
      @id("careless") forbid(principal, action, resource)
      unless { context.evidence.auc.lower.greaterThan(decimal("0.7")) };
      @id("wrong") forbid(principal, action, resource) unless { context.evidence.f1 > 3 };)";
  const GateReport report = decide(careless, {figure("f1", .8, .7, .9)});
  EXPECT_FALSE(report.passed);
  EXPECT_EQ(report.requirements[0].outcome, GateOutcome::kMissing);
  EXPECT_EQ(report.requirements[1].outcome, GateOutcome::kError);
  EXPECT_FALSE(report.requirements[1].error.empty());
}

TEST(Gate, NeedsAPermit) {
  const GateReport report = decide(std::string(kFloor), {balanced(.7, .68, .74)});
  EXPECT_FALSE(report.passed);
  EXPECT_TRUE(report.permitted_by.empty());
  EXPECT_EQ(report.requirements[0].outcome, GateOutcome::kPassed);
}

TEST(Gate, ReadsConditionsTheOtherWayRound) {
  const std::string when = std::string(kPermit) + R"(
      @id("a") forbid(principal, action, resource)
      when { context.evidence.auc.lower.lessThan(decimal("0.7")) };
      @id("b") forbid(principal, action, resource)
      unless { !(decimal("0.9").lessThan(context.evidence.auc.upper)) };
      @id("c") forbid(principal, action, resource) unless { context.evidence.auc.n >= 5000 };
      @id("d") forbid(principal, action, resource) unless { principal == User::"bob" };
      @id("e") forbid(principal, action == Action::"release", resource);)";
  const auto requirements = decide(when, {figure("auc", .8, .65, .95)}).requirements;
  ASSERT_EQ(requirements.size(), 4U) << "what does not apply is not listed";
  EXPECT_EQ(requirements[0].threshold, "at least 0.7000");
  EXPECT_EQ(requirements[0].outcome, GateOutcome::kCouldNotTell);
  EXPECT_EQ(requirements[1].threshold, "at most 0.9000");
  EXPECT_EQ(requirements[1].outcome, GateOutcome::kCouldNotTell);
  EXPECT_EQ(requirements[2].threshold, "at least 5000 rows");
  EXPECT_EQ(requirements[2].outcome, GateOutcome::kCouldNotTell);
  EXPECT_EQ(requirements[2].rows_needed, 5000U);
  EXPECT_EQ(requirements[3].outcome, GateOutcome::kRefused);
  EXPECT_TRUE(requirements[3].threshold.empty());
}

TEST(Gate, FindsFiguresOfEveryScope) {
  const std::string policies = std::string(kPermit) + R"(
      @id("deep") forbid(principal, action, resource)
      unless { context.evidence.over.champion.under.pgd.by["sex x age"].groups["f, 30-39"].auc.lower
                   .greaterThan(decimal("-0.05")) };)";
  const auto report = decide(
      policies, {figure("auc", .01, -.04, .05,
                        {.over = "champion", .under = "pgd", .by = "sex x age", .group = "f, 30-39"})});
  EXPECT_TRUE(report.passed);
  EXPECT_EQ(report.requirements[0].threshold, "above -0.0500");
}

TEST(Gate, RefusesEvidenceFromElsewhere) {
  auto parsed = policy::parse_policies(kPermit).value();
  const policy::Authorizer authorizer(std::move(parsed));
  const policy::Request request(
      policy::EntityUid("User", "ada"), policy::EntityUid("Action", "register"),
      policy::EntityUid("Model", "credit"),
      policy::Record({{.name = "evidence", .value = policy::Value::boolean(true)}}));
  EXPECT_FALSE(decide_gate(authorizer, request, {}, {}).has_value());
  const policy::Request plain(policy::EntityUid("User", "ada"), policy::EntityUid("Action", "register"),
                              policy::EntityUid("Model", "credit"));
  EXPECT_FALSE(decide_gate(authorizer, plain, {}, {balanced(.7, .6, .8), balanced(.9, .8, .95)}).has_value())
      << "two figures in one place";
}

std::string text(std::optional<policy::Decimal> decimal) { return decimal ? decimal->text() : "none"; }

TEST(Decimals, RoundTowardsRefusal) {
  EXPECT_EQ(text(decimal_below(.66005)), "0.6600");
  EXPECT_EQ(text(decimal_above(.66005)), "0.6601");
  EXPECT_EQ(text(decimal_below(-.00001)), "-0.0001");
  EXPECT_EQ(text(decimal_above(-.00001)), "0.0000");
  EXPECT_EQ(text(decimal_nearest(.66005001)), "0.6601");
  EXPECT_EQ(text(decimal_below(std::nextafter(.29, 0))), "0.2899");
  EXPECT_EQ(text(decimal_above(std::nextafter(.29, 1))), "0.2901");
  for (int k = -10'000; k <= 20'000; ++k) {
    const double exact = k / 10'000.0;
    ASSERT_EQ(decimal_below(exact)->ten_thousandths, k);
    ASSERT_EQ(decimal_above(exact)->ten_thousandths, k);
  }
  for (const double none : {std::nan(""), kInfinity, -kInfinity, 1e15}) {
    EXPECT_EQ(text(decimal_below(none)), "none");
    EXPECT_EQ(text(decimal_above(none)), "none");
    EXPECT_EQ(text(decimal_nearest(none)), "none");
  }
}

}  // namespace
}  // namespace holdfast::evaluate
