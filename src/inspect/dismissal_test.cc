#include "inspect/dismissal.h"

#include <gmock/gmock-more-matchers.h>

#include <nlohmann/json.hpp>

#include "inspect/report.h"

namespace holdfast::inspect {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

base::Timestamp at(std::string_view text) { return base::Timestamp::parse(text).value(); }

Finding finding(std::string message) {
  return {.rule_id = "file.link",
          .severity = Severity::kHigh,
          .path = "a.zip!b",
          .offset = 7,
          .message = std::move(message)};
}

Report report() {
  return {
      {{.path = "a.zip", .format = "zip", .findings = {finding("one"), finding("two")}, .dismissed = {}}}};
}

const base::Timestamp kUntil = at("2027-01-31T00:00:00Z");

TEST(Dismissal, SetsAsideUntilItsDay) {
  auto looked = report();
  auto dismissals = dismiss_all(looked, "it is our own", "ann", kUntil);
  ASSERT_THAT(dismissals, SizeIs(2));
  dismissals.pop_back();
  apply(dismissals, at("2027-01-30T23:59:59Z"), looked);
  ASSERT_THAT(looked.files[0].findings, SizeIs(1));
  EXPECT_EQ(looked.files[0].findings[0].message, "two");
  ASSERT_THAT(looked.files[0].dismissed, SizeIs(1));
  EXPECT_EQ(looked.files[0].dismissed[0].dismissal.reviewer, "ann");
  EXPECT_EQ(looked.count_at_least(Severity::kInfo), 1U);

  auto later = report();
  apply(dismissals, kUntil, later);
  ASSERT_THAT(later.files[0].findings, SizeIs(2));
  EXPECT_THAT(later.files[0].findings[0].message,
              HasSubstr("set aside by ann until 2027-01-31T00:00:00Z, which is over"));
}

TEST(Dismissal, TheLaterOfTwoCounts) {
  auto looked = report();
  auto dismissals = dismiss_all(looked, "r", "ann", at("2026-01-01T00:00:00Z"));
  const auto longer = dismiss_all(looked, "r", "bea", kUntil);
  dismissals.insert(dismissals.end(), longer.begin(), longer.end());
  apply(dismissals, at("2026-06-01T00:00:00Z"), looked);
  EXPECT_THAT(looked.files[0].findings, IsEmpty());
  EXPECT_EQ(looked.files[0].dismissed[0].dismissal.reviewer, "bea");
}

TEST(Dismissal, AnotherRulePathOrMessageIsAnotherFinding) {
  auto other = finding("one");
  other.path = "a.zip!c";
  EXPECT_NE(fingerprint(other), fingerprint(finding("one")));
  EXPECT_NE(fingerprint(finding("two")), fingerprint(finding("one")));
  auto moved = finding("one");
  moved.offset = 8;
  EXPECT_EQ(fingerprint(moved), fingerprint(finding("one")));
  // What one member ends with is not what the next begins with.
  Finding left{.rule_id = "a", .path = "bc", .offset = {}, .message = "d"};
  Finding right{.rule_id = "ab", .path = "c", .offset = {}, .message = "d"};
  EXPECT_NE(fingerprint(left), fingerprint(right));
}

TEST(Dismissal, SurvivesItsFile) {
  const auto written = dismiss_all(report(), "it is \"ours\"\n", "ann", kUntil);
  const auto read = parse_dismissals(to_json(written));
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_THAT(*read, SizeIs(2));
  EXPECT_EQ((*read)[1].fingerprint, written[1].fingerprint);
  EXPECT_EQ((*read)[1].reason, written[1].reason);
  EXPECT_EQ((*read)[1].expires, kUntil);
}

TEST(Dismissal, AFileThatIsWrongIsRefusedByName) {
  const auto good = json::parse(to_json(dismiss_all(report(), "r", "ann", kUntil)));
  const auto refused = [&](std::string_view member, const json& value) {
    auto changed = good;
    changed["dismissals"][1][std::string(member)] = value;
    const auto read = parse_dismissals(changed.dump());
    return read ? std::string() : read.error().message;
  };
  EXPECT_THAT(refused("reason", ""), HasSubstr("dismissals[1]: reason must be a text"));
  EXPECT_THAT(refused("reviewer", 7), HasSubstr("reviewer must be a text"));
  EXPECT_THAT(refused("fingerprint", "../x"), HasSubstr("fingerprint must be 32"));
  EXPECT_THAT(refused("expires", "soon"), HasSubstr("expires must be a moment"));
  EXPECT_THAT(refused("forever", true), HasSubstr("it has members beside"));
  EXPECT_THAT(refused("reason", std::string(20'000, 'x')), HasSubstr("10000 are allowed"));
  for (const auto* text :
       {"", "[]", "{}", R"({"dismissals":{}})", R"({"dismissals":[1]})", R"({"dismissals":[],"x":1})"}) {
    EXPECT_FALSE(parse_dismissals(text)) << text;
  }
}

TEST(Dismissal, SarifSuppressesWithTheReason) {
  auto looked = report();
  apply(dismiss_all(looked, "it is our own", "ann", kUntil), at("2026-11-23T00:00:00Z"), looked);
  const auto results = json::parse(to_sarif(looked, "1"))["runs"][0]["results"];
  ASSERT_THAT(results, SizeIs(2));
  EXPECT_EQ(results[0]["suppressions"][0]["justification"], "it is our own");
  EXPECT_EQ(results[0]["partialFingerprints"]["holdfast/v1"], fingerprint(finding("one")));
  EXPECT_THAT(to_text(looked, false), HasSubstr("0 findings, 2 set aside"));
  EXPECT_EQ(json::parse(to_json(looked))["files"][0]["dismissed"][0]["dismissed"]["reviewer"], "ann");
}

}  // namespace
}  // namespace holdfast::inspect
