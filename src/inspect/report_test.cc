#include "inspect/report.h"

#include <gmock/gmock-matchers.h>

#include <nlohmann/json.hpp>

namespace holdfast::inspect {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

Report report_with(Severity severity) {
  Findings findings;
  findings.add({.rule_id = "file.link",
                .severity = severity,
                .path = "models/a b.zip!x/\x1b[31m.pkl",
                .offset = 7,
                .message = "it says \"hello\"\nand more"});
  return {{{.path = "models/a b.zip",
            .format = "zip",
            .size_bytes = 12,
            .not_looked_at = {},
            .findings = findings.take(),
            .findings_dropped = 0}}};
}

TEST(Judge, FindingsAtOrAboveTheSeverityComeFirst) {
  auto report = report_with(Severity::kMedium);
  EXPECT_EQ(judge(report, Severity::kMedium), Outcome::kFindings);
  EXPECT_EQ(judge(report, Severity::kHigh), Outcome::kClean);
  report.files[0].not_looked_at = {"encrypted"};
  EXPECT_EQ(judge(report, Severity::kMedium), Outcome::kFindings);
  EXPECT_EQ(judge(report, Severity::kHigh), Outcome::kCouldNotLook);
  EXPECT_EQ(judge({}, Severity::kInfo), Outcome::kClean);
}

TEST(Text, NamesTheFindingAndDrivesNoTerminal) {
  const auto text = to_text(report_with(Severity::kHigh), /*colour=*/false);
  EXPECT_THAT(text, HasSubstr("HIGH file.link: it says \"hello\"\\x0aand more"));
  EXPECT_THAT(text, HasSubstr("in models/a b.zip!x/\\x1b[31m.pkl at byte 7"));
  EXPECT_THAT(text, HasSubstr("1 file inspected, 1 finding\n"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(to_text(report_with(Severity::kHigh), /*colour=*/true), HasSubstr("\x1b[31mHIGH\x1b[0m"));
}

TEST(Text, ShowsNamesInTheOrderInWhichTheyAreWritten) {
  auto report = report_with(Severity::kHigh);
  report.files[0].path =
      "caf\xC3\xA9 \xE2\x82\xAC\xE2\x80\xAEtxt.exe\xC2\x9B"
      "31m";
  EXPECT_THAT(to_text(report, /*colour=*/false),
              HasSubstr("caf\xC3\xA9 \xE2\x82\xAC\\xe2\\x80\\xaetxt.exe\\xc2\\x9b31m: zip"));
}

TEST(Json, HoldsTheRuleBesideTheFinding) {
  auto report = report_with(Severity::kHigh);
  report.files[0].not_looked_at = {"a member is encrypted"};
  const auto value = json::parse(to_json(report));
  EXPECT_EQ(value["summary"]["findings"]["high"], 1);
  EXPECT_EQ(value["summary"]["complete"], false);
  const auto& finding = value["files"][0]["findings"][0];
  EXPECT_EQ(finding["rule"], "file.link");
  EXPECT_EQ(finding["offset"], 7);
  EXPECT_EQ(finding["practice"], "P24");
  EXPECT_EQ(value["files"][0]["not_looked_at"][0], "a member is encrypted");
}

TEST(Sarif, PointsAtTheFileAndNamesTheMember) {
  auto report = report_with(Severity::kHigh);
  report.files[0].not_looked_at = {"a member is encrypted"};
  const auto run = json::parse(to_sarif(report, "1.2.3"))["runs"][0];
  EXPECT_EQ(run["tool"]["driver"]["version"], "1.2.3");
  EXPECT_EQ(run["tool"]["driver"]["rules"][0]["id"], "file.link");
  const auto& result = run["results"][0];
  EXPECT_EQ(result["level"], "error");
  EXPECT_EQ(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "models/a%20b.zip");
  EXPECT_FALSE(result["locations"][0]["physicalLocation"].contains("region"));
  EXPECT_THAT(result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"].get<std::string>(),
              HasSubstr("models/a b.zip!x/"));
  EXPECT_EQ(run["invocations"][0]["executionSuccessful"], false);
  EXPECT_THAT(run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"].get<std::string>(),
              HasSubstr("a member is encrypted"));
}

TEST(Findings, AreBoundedAndCounted) {
  Findings findings;
  for (std::size_t i = 0; i < Findings::kMax + 5; ++i) findings.add("file.link", "x", std::nullopt, "y");
  EXPECT_EQ(findings.items().size(), Findings::kMax);
  EXPECT_EQ(findings.dropped(), 5U);
  EXPECT_EQ(findings.items()[0].severity, Severity::kMedium);
}

TEST(Findings, AreCutBetweenCharacters) {
  Findings findings;
  std::string text(Finding::kMaxMessageBytes - 1, 'x');
  findings.add("file.link", "x", std::nullopt, text + "é and more");
  EXPECT_EQ(findings.items()[0].message, text + "...");
}

TEST(Rules, AreOrderedCompleteAndFoundById) {
  std::string_view last;
  for (const auto& rule : all_rules()) {
    EXPECT_LT(last, rule.id);
    last = rule.id;
    EXPECT_EQ(find_rule(rule.id), &rule);
    for (const auto text : {rule.title, rule.explanation, rule.remedy}) EXPECT_FALSE(text.empty()) << rule.id;
    EXPECT_TRUE(rule.practice.starts_with("P") && rule.practice.size() == 3) << rule.id;
    EXPECT_TRUE(rule.risk.starts_with("R") && rule.risk.size() == 3) << rule.id;
    EXPECT_TRUE(rule.atlas.empty() || rule.atlas.starts_with("AML.T")) << rule.id;
  }
  EXPECT_EQ(find_rule("no.such-rule"), nullptr);
}

}  // namespace
}  // namespace holdfast::inspect
