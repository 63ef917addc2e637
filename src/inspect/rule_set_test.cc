#include "inspect/rule_set.h"

#include <gmock/gmock-matchers.h>

#include <algorithm>

namespace holdfast::inspect {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

std::string refusal(std::string_view text) {
  const auto parsed = parse_rule_changes(text);
  return parsed ? "none" : parsed.error().message;
}

TEST(RuleSet, TheProgramsOwnListsAreWhole) {
  for (const auto list : kRuleLists) {
    const auto text = builtin_rule_list(list);
    EXPECT_TRUE(check_rule_list(list, text)) << to_string(list);
    EXPECT_EQ(parse_rule_list(to_string(list)), list);
    EXPECT_GT(lines_of(list, text).size(), 50U);
  }
  EXPECT_FALSE(parse_rule_list("pickle_allow"));
}

TEST(RuleSet, TheProgramsOwnTextsChangeNothing) {
  const auto changes = parse_rule_changes(builtin_rule_changes()).value();
  EXPECT_EQ(changes.size(), all_rules().size());
  for (const auto& rule : all_rules()) {
    const auto& change = changes.at(std::string(rule.id));
    EXPECT_EQ(change.severity, rule.severity);
    EXPECT_FALSE(change.disabled);
    EXPECT_EQ(change.explanation, rule.explanation);
  }
}

TEST(RuleSet, RefusesWhatItDoesNotUnderstand) {
  EXPECT_THAT(refusal("[]"), HasSubstr("rules.json"));
  EXPECT_THAT(refusal(R"({"rules":{},"more":1})"), HasSubstr("rules.json"));
  EXPECT_THAT(refusal(R"({"rules":{"no.such":{}}})"), HasSubstr("no such rule"));
  EXPECT_THAT(refusal(R"({"rules":{"file.link":{"severity":"fatal"}}})"), HasSubstr("fatal"));
  EXPECT_THAT(refusal(R"({"rules":{"file.link":{"disabled":1}}})"), HasSubstr("disabled"));
  EXPECT_THAT(refusal(R"({"rules":{"file.link":[]}})"), HasSubstr("no object"));
  EXPECT_EQ(refusal(R"({"rules":{"file.link":{"severity":"low"}}})"), "none");
}

TEST(RuleSet, RefusesLinesThatSayNothing) {
  const std::pair<RuleList, const char*> wrong[] = {
      {RuleList::kPickleAllow, "call os\n"},      {RuleList::kPickleAllow, "trust os system\n"},
      {RuleList::kPickleDangers, "os system\n"},  {RuleList::kKerasAllow, "keras\n"},
      {RuleList::kTensorflowOps, "paper Add\n"},  {RuleList::kPythonCalls, "sings os.system\n"},
      {RuleList::kTorchOps, "paper aten::add\n"}, {RuleList::kSecretPatterns, "a|b|c\n"},
      {RuleList::kKerasAllow, "# nothing\n"}};
  for (const auto& [list, text] : wrong) {
    const auto checked = check_rule_list(list, text);
    ASSERT_FALSE(checked) << text;
    EXPECT_THAT(checked.error().message, HasSubstr(std::string(to_string(list)))) << text;
  }
  EXPECT_TRUE(check_rule_list(RuleList::kKerasAllow, "# why\n\nkeras Layer  # and here\n"));
  EXPECT_FALSE(check_rule_list(RuleList::kKerasAllow, std::string(kMaxRuleListBytes + 1, 'a')));
}

TEST(RuleSet, ChangesWhatIsSaidOfFindings) {
  Findings findings;
  findings.add("file.link", "a", std::nullopt, "a link");
  findings.add({.rule_id = "file.link",
                .severity = Severity::kInfo,
                .path = "a",
                .offset = std::nullopt,
                .message = "a special case"});
  findings.add("archive.bomb", "a", std::nullopt, "a bomb");
  Report report{.files = {{.path = "a", .findings = findings.take()}}};
  RuleSet set;
  set.name = {.version = 7, .issued_at = {}, .signer = "aa"};
  set.rules["file.link"] = {
      .severity = Severity::kCritical, .disabled = false, .explanation = "Because", .remedy = {}};
  set.rules["archive.bomb"] = {.severity = std::nullopt, .disabled = true, .explanation = {}, .remedy = {}};
  apply(set, report);
  const auto& left = report.files.front().findings;
  ASSERT_EQ(left.size(), 2U);
  EXPECT_EQ(left[0].severity, Severity::kCritical);
  EXPECT_EQ(left[1].severity, Severity::kInfo);
  EXPECT_EQ(report.rules.version, 7);
  EXPECT_EQ(report.rule("file.link")->explanation, "Because");
  EXPECT_EQ(report.rule("file.link")->remedy, find_rule("file.link")->remedy);
  EXPECT_THAT(to_text(report, false), HasSubstr("Because"));
  EXPECT_THAT(to_text(report, false), HasSubstr("by rules 7 of "));
  EXPECT_THAT(to_json(report), HasSubstr("\"signer\": \"aa\""));
  EXPECT_THAT(to_sarif(report, "1.0.0"), HasSubstr("1.0.0+rules.7"));
}

// In a process of its own, since lists are put in force for the life of one.
TEST(RuleSet, ListsTakeThePlaceOfTheProgramsOwn) {
  EXPECT_EXIT(
      {
        const auto used = use_rule_lists({{RuleList::kKerasAllow, "a B # why\n# none\nc D\n"}});
        const auto lines = rule_lines(RuleList::kKerasAllow);
        const bool right = used && lines.size() == 2 && lines[0] == "a B" && lines[1] == "c D" &&
                           rule_lines(RuleList::kPickleAllow).size() > 1000;
        std::_Exit(right ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace holdfast::inspect
