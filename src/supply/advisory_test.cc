#include <gmock/gmock-more-matchers.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "formats/zip_test_builder.h"
#include "supply/advisory_report.h"
#include "supply/lock_file.h"

namespace holdfast::supply {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const base::Timestamp kNow = *base::Timestamp::parse("2026-11-23T12:00:00Z");

constexpr const char* kFlask =
    R"({"schema_version":"1.6.0","id":"GHSA-aaaa","modified":"2026-01-02T00:00:00.123456789Z",
  "published":"2026-11-20T00:00:00Z","aliases":["CVE-2026-1"],"summary":"A cookie leaks",
  "severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"}],
  "affected":[{"package":{"ecosystem":"PyPI","name":"Flask"},
    "ranges":[{"type":"GIT","events":[{"introduced":"0"}]},
              {"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2.2.5"},{"introduced":"2.3.0"},{"fixed":"2.3.2"}]}],
    "versions":["0.1","2.2"]}]})";
constexpr const char* kAlias =
    R"({"id":"PYSEC-2026-1","modified":"2026-01-03T00:00:00Z","aliases":["CVE-2026-1"],
  "affected":[{"package":{"ecosystem":"PyPI","name":"flask"},"ranges":[{"type":"ECOSYSTEM",
    "events":[{"introduced":"2.0"},{"last_affected":"2.3.5"},{"fixed":"2.3.9"}]}]}]})";
constexpr const char* kWithdrawn =
    R"({"id":"GHSA-bbbb","modified":"2026-01-01T00:00:00Z","withdrawn":"2026-01-01T00:00:00Z",
  "affected":[{"package":{"ecosystem":"PyPI","name":"flask"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]}]})";
constexpr const char* kDebian = R"({"id":"DSA-1","modified":"2026-01-01T00:00:00Z","affected":[{"package":
  {"ecosystem":"Debian:12","name":"openssl"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"3.0.11-1~deb12u2"}]}]}]})";

AdvisoryIndex index_of(std::initializer_list<const char*> advisories) {
  AdvisoryImport import;
  for (const auto* advisory : advisories) EXPECT_TRUE(import.add(advisory)) << advisory;
  auto bytes = import.finish(kNow);
  EXPECT_TRUE(bytes);
  auto index = AdvisoryIndex::open(*std::move(bytes));
  EXPECT_TRUE(index);
  return *std::move(index);
}

MatchResult match(const AdvisoryIndex& index, const std::string& requirements, MatchOptions options = {}) {
  options.now = kNow;
  const auto inventory = read_lock_file(LockFormat::kRequirements, requirements, "requirements.txt");
  auto result = match_advisories(*inventory, index, options);
  EXPECT_TRUE(result);
  return *std::move(result);
}

// 20 000 fixes, each but the last within a later range: a look at each fix by itself would take hours.
TEST(Advisories, FindTheUpgradeAmongVeryManyFixes) {
  nlohmann::json events = nlohmann::json::array();
  for (int i = 0; i < 20'000; ++i) {
    events.push_back({{"introduced", std::to_string(i) + ".0"}});
    events.push_back({{"fixed", std::to_string(i) + ".5"}});
  }
  const auto advisory = [](const char* id, const nlohmann::json& list) {
    return nlohmann::json{
        {"id", id},
        {"affected",
         {{{"package", {{"ecosystem", "PyPI"}, {"name", "evil"}}}, {"ranges", {{{"events", list}}}}}}}}
        .dump();
  };
  const auto many = advisory("A", events);
  const auto others = advisory("B", {{{"introduced", "0"}}, {{"last_affected", "19998.5"}}});
  const auto endless = advisory("C", {{{"introduced", "0"}}});
  const auto found = match(index_of({many.c_str(), others.c_str()}), "evil==0.1\n");
  ASSERT_THAT(found.matches, SizeIs(2));
  EXPECT_EQ(found.matches[0].upgrade, "19999.5");
  const auto none = match(index_of({many.c_str(), endless.c_str()}), "evil==0.1\n");
  ASSERT_THAT(none.matches, SizeIs(2));
  EXPECT_EQ(none.matches[0].upgrade, "");
}

TEST(Advisories, MatchRangesListsAndNothingElse) {
  const auto index = index_of({kFlask, kWithdrawn});
  EXPECT_EQ(index.status().advisories, 1U);
  EXPECT_EQ(index.status().withdrawn, 1U);
  EXPECT_EQ(index.status().newest.text(), "2026-01-02T00:00:00.123456Z");
  struct Case {
    const char* version;
    bool concerned;
  };
  for (const auto& [version, concerned] :
       {Case{"0.1", true}, Case{"2.2.4", true}, Case{"2.2.5", false}, Case{"2.2.5rc1", true},
        Case{"2.3.0", true}, Case{"2.3.0.dev1", false}, Case{"2.3.1", true}, Case{"2.3.2", false},
        Case{"3.0", false}}) {
    EXPECT_EQ(match(index, std::string("flask==") + version).matches.size(), concerned ? 1U : 0U) << version;
  }
  EXPECT_THAT(match(index, "django==1.0").matches, IsEmpty());
}

TEST(Advisories, AreMergedScoredAndComeWithTheSmallestUpgradeThatFixesAll) {
  const auto result = match(index_of({kFlask, kAlias}), "FLASK==2.2.0");
  ASSERT_THAT(result.matches, SizeIs(1));
  const auto& one = result.matches[0];
  EXPECT_EQ(one.id, "GHSA-aaaa");
  EXPECT_THAT(one.aliases, ElementsAre("CVE-2026-1", "PYSEC-2026-1"));
  EXPECT_EQ(one.score_tenths, 75);
  EXPECT_EQ(one.severity, Severity::kHigh);
  EXPECT_EQ(one.upgrade, "2.3.9") << "2.2.5 and 2.3.2 are still concerned by the other";
  EXPECT_THAT(to_text(result), HasSubstr("high 7.5 pkg:pypi/flask@2.2.0\n"));
  EXPECT_EQ(nlohmann::json::parse(to_json(result))["matches"][0]["score"], "7.5");
  EXPECT_EQ(nlohmann::json::parse(to_sarif(result, "0"))["runs"][0]["results"][0]["ruleId"], "GHSA-aaaa");
}

TEST(Advisories, OfDebianGoBySourcePackageAndRelease) {
  const auto index = index_of({kDebian});
  const auto concerned = [&](std::string_view purl) {
    Inventory inventory;
    inventory.components.push_back({.purl = *parse_purl(purl)});
    return match_advisories(inventory, index, {.now = kNow})->matches.size();
  };
  EXPECT_EQ(concerned("pkg:deb/debian/libssl3@3.0.11-1~deb12u1?distro=debian-12&upstream=openssl"), 1U);
  EXPECT_EQ(concerned("pkg:deb/debian/libssl3@3.0.11-1~deb12u2?distro=debian-12&upstream=openssl"), 0U);
  EXPECT_EQ(concerned("pkg:deb/debian/openssl@3.0.9-1?distro=debian-11"), 0U);
}

TEST(Advisories, SayWhatCanNotBeTold) {
  const auto index = index_of({kFlask});
  EXPECT_THAT(match(index, "flask\n").gaps, SizeIs(2));
  EXPECT_THAT(match(index, "flask==not-a-version\n").gaps, ElementsAre(HasSubstr("can't be told")));
}

TEST(Advisories, AreSetAsideByVexUntilItExpires) {
  const auto index = index_of({kFlask});
  const auto statements =
      read_openvex(R"({"@context":"https://openvex.dev/ns/v0.2.0","timestamp":"2026-10-01T00:00:00Z",
    "statements":[{"vulnerability":{"name":"CVE-2026-1"},"products":[{"@id":"pkg:pypi/flask"}],
    "status":"not_affected","justification":"vulnerable_code_not_in_execute_path"},
    {"vulnerability":{"name":"CVE-2026-2"},"products":[{"@id":"pkg:pypi/flask"}],"status":"under_investigation"}]})");
  ASSERT_TRUE(statements) << statements.error().message;
  ASSERT_THAT(*statements, SizeIs(1));
  const auto aside = match(index, "flask==2.2.0", {.vex = *statements});
  EXPECT_EQ(aside.matches[0].set_aside, "vulnerable_code_not_in_execute_path");
  EXPECT_FALSE(fails(aside.matches[0], Severity::kLow, kNow));
  const auto expired =
      match(index, "flask==2.2.0", {.vex = *statements, .vex_lasts = std::chrono::hours(24)});
  EXPECT_TRUE(fails(expired.matches[0], Severity::kLow, kNow));
  EXPECT_THAT(expired.gaps, ElementsAre(HasSubstr("has expired")));
  for (const auto* bad :
       {"", "{}", R"({"@context":"openvex","statements":[1]})",
        R"({"@context":"openvex","timestamp":"2026-10-01T00:00:00Z","statements":[{"vulnerability":"a",
                              "products":["b"],"status":"not_affected"}]})"}) {
    EXPECT_FALSE(read_openvex(bad)) << bad;
  }
}

TEST(Advisories, FailBySeverityAndDeadline) {
  const auto index = index_of({kFlask});
  auto one = match(index, "flask==2.2.0").matches[0];
  EXPECT_TRUE(fails(one, Severity::kHigh, kNow));
  EXPECT_FALSE(fails(one, Severity::kCritical, kNow));
  one.severity = Severity::kUnknown;
  EXPECT_TRUE(fails(one, Severity::kCritical, kNow)) << "unknown is not harmless";
  const auto within =
      match(index, "flask==2.2.0", {.deadlines = {{Severity::kHigh, std::chrono::hours(24 * 7)}}});
  EXPECT_FALSE(fails(within.matches[0], Severity::kLow, kNow));
  const auto over = match(index, "flask==2.2.0", {.deadlines = {{Severity::kHigh, std::chrono::hours(24)}}});
  EXPECT_TRUE(fails(over.matches[0], Severity::kLow, kNow));
}

TEST(AdvisoryIndex, RefusesEveryDamage) {
  AdvisoryImport import;
  ASSERT_TRUE(import.add(kFlask));
  const auto bytes = *import.finish(kNow);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    auto damaged = bytes;
    damaged[at] ^= 1;
    EXPECT_FALSE(AdvisoryIndex::open(std::move(damaged))) << at;
  }
  EXPECT_FALSE(AdvisoryIndex::open({}));
  EXPECT_FALSE(AdvisoryIndex::open(base::Bytes(bytes.begin(), bytes.end() - 1)));
}

TEST(AdvisoryImport, RefusesWhatIsNoAdvisory) {
  AdvisoryImport import;
  for (const char* text : {"", "[]", "{}", "{", R"({"id":""})", R"({"id":"a","schema_version":"2.0"})"}) {
    EXPECT_FALSE(import.add(text)) << text;
  }
  EXPECT_EQ(import.finish(kNow).error().code, base::ErrorCode::kInvalidArgument);
  const base::Bytes junk(100, 7);
  EXPECT_FALSE(import.add_zip(formats::MemorySource(junk)));
}

}  // namespace
}  // namespace holdfast::supply
