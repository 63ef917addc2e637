#include "govern/posture.h"

#include <fmt/format.h>
#include <gmock/gmock-matchers.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>

#include <nlohmann/json.hpp>

#include "govern/parts.h"
#include "govern/testing.h"

namespace holdfast::govern {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

const Standing& standing(const Posture& posture, std::string_view id) {
  for (const auto& one : posture.practices) {
    if (one.practice->id == id) return one;
  }
  ADD_FAILURE() << "no practice " << id;
  return posture.practices.front();
}

std::map<std::string, PracticeState> states(const Posture& posture) {
  std::map<std::string, PracticeState> all;
  for (const auto& one : posture.practices) all.emplace(one.practice->id, one.state);
  return all;
}

TEST(Practices, AreTwentySevenInOrder) {
  for (std::size_t i = 0; i < kPracticeCount; ++i) {
    EXPECT_EQ(kPractices[i].id, fmt::format("P{:02}", i + 1));
    EXPECT_FALSE(kPractices[i].title.empty());
    EXPECT_FALSE(kPractices[i].shows.empty());
  }
}

TEST(Practices, EachHasACorePartAndItsPartsAreDocumented) {
  const auto source = std::filesystem::path(HOLDFAST_TESTDATA).parent_path().parent_path().parent_path();
  std::ifstream page(source / "docs" / "posture.md");
  const std::string text{std::istreambuf_iterator<char>(page), {}};
  ASSERT_FALSE(text.empty());
  for (const auto& practice : all_parts()) {
    bool has_core = false;
    for (const auto& part : practice.parts) {
      has_core = has_core || part.core;
      EXPECT_THAT(text, HasSubstr(std::string(part.what))) << practice.id;
    }
    EXPECT_TRUE(has_core) << practice.id;
  }
}

TEST(Posture, OfAnEmptyInstallationHoldsNothing) {
  Facts facts;
  facts.log_read_to_end = true;
  const Posture posture = judge(facts);
  ASSERT_EQ(posture.practices.size(), kPracticeCount);
  for (const auto& one : posture.practices) {
    EXPECT_EQ(one.state, PracticeState::kNotInUse) << one.practice->id;
    EXPECT_TRUE(one.evidence.empty()) << one.practice->id;
    EXPECT_THAT(one.why, testing::StartsWith("Not seen at work: ")) << one.practice->id;
  }
}

TEST(Posture, HoldsOnlyWhatWasSeenWhole) {
  std::map<std::string, PracticeState> expected;
  for (const auto* id : {"P02", "P05", "P08", "P16", "P18"}) expected[id] = PracticeState::kHolds;
  for (const auto* id : {"P06", "P07", "P10", "P14", "P19", "P20", "P22", "P23", "P26", "P27"}) {
    expected[id] = PracticeState::kNotInUse;
  }
  for (const auto& practice : kPractices) {
    expected.emplace(practice.id, PracticeState::kFallsShort);
  }
  EXPECT_EQ(states(judge(full_facts())), expected);
}

TEST(Posture, NamesWhatIsOverdue) {
  Facts facts;
  facts.log_read_to_end = true;
  facts.runtime.updates =
      updates::UpdateState{.at = facts.at, .items = {{.kind = "rules", .name = "rule set"}}};
  const auto standing = [&facts] {
    const auto posture = judge(facts);
    return *std::ranges::find(posture.practices, "P22", [](const Standing& one) { return one.practice->id; });
  };
  ASSERT_EQ(standing().evidence.size(), 1U);
  EXPECT_THAT(standing().evidence.front().what, testing::HasSubstr("rules"));
  EXPECT_THAT(standing().why, testing::Not(testing::HasSubstr("overdue: ")));
  facts.runtime.updates->items.push_back(
      {.kind = "key", .name = "master key", .overdue = true, .told = "old"});
  EXPECT_EQ(standing().state, PracticeState::kFallsShort);
  EXPECT_THAT(standing().why, testing::HasSubstr("key master key is overdue: old"));
}

TEST(Posture, NeverHoldsWhereAPartLeavesNoEvidence) {
  const Posture posture = judge(full_facts());
  for (std::size_t i = 0; i < kPracticeCount; ++i) {
    for (const auto& part : all_parts()[i].parts) {
      if (part.look == nullptr) {
        EXPECT_NE(posture.practices[i].state, PracticeState::kHolds) << part.what;
      }
    }
  }
}

// What is taken away or goes wrong, in which practice, to which state, and what its sentence then says.
struct Case {
  std::string name;
  std::function<void(Facts&)> change;
  std::string practice;
  PracticeState state;
  std::string why;
};

class Change : public testing::TestWithParam<Case> {};

TEST_P(Change, ShowsInThePosture) {
  Facts facts = full_facts();
  GetParam().change(facts);
  const Posture posture = judge(facts);
  const Standing& one = standing(posture, GetParam().practice);
  EXPECT_EQ(one.state, GetParam().state) << one.why;
  EXPECT_THAT(one.why, HasSubstr(GetParam().why));
}

VersionFacts& served(Facts& facts) { return facts.versions.front(); }

// The full story but for the records of one action.
LogFacts story_without(std::string_view action) {
  auto story = full_story();
  std::erase_if(story, [action](const Told& told) { return told.action == action; });
  return log_of(std::move(story));
}

INSTANTIATE_TEST_SUITE_P(
    Posture, Change,
    testing::Values(
        Case{"LogNotVerified", [](Facts& f) { f.runtime.log.reset(); }, "P02", PracticeState::kFallsShort,
             "Not seen: the log was verified"},
        Case{"LogDamaged", [](Facts& f) { f.runtime.log->fault = "tile/0/000: record 7 was changed"; }, "P02",
             PracticeState::kFallsShort, "record 7 was changed"},
        Case{"RowsDamaged", [](Facts& f) { f.runtime.rows->fault = "the row credit 1 of releases"; }, "P02",
             PracticeState::kFallsShort, "credit 1 of releases"},
        Case{"NothingDenied", [](Facts& f) { f.log = log_of({{"readModel", "allow"}, {"grant", "allow"}}); },
             "P02", PracticeState::kFallsShort, "decisions of both kinds"},
        Case{"NoServices", [](Facts& f) { f.log = log_of({{"readModel", "allow"}}); }, "P01",
             PracticeState::kNotInUse, "assertion"},
        Case{"BlobChanged",
             [](Facts& f) { served(f).load = LoadTrial{.failed = "blob ab12: it was changed"}; }, "P05",
             PracticeState::kFallsShort, "it was changed"},
        Case{"SignatureBroken", [](Facts& f) { served(f).load->signature_holds = false; }, "P05",
             PracticeState::kFallsShort, "did not verify"},
        Case{"ChangedByteTaken", [](Facts& f) { served(f).load->changed_byte_refused = false; }, "P05",
             PracticeState::kFallsShort, "a changed byte was not refused"},
        Case{"ForeignSignerTaken", [](Facts& f) { served(f).load->other_signer_refused = false; }, "P05",
             PracticeState::kFallsShort, "another signer was not refused"},
        Case{"RolledBackTaken", [](Facts& f) { f.rolled_back->refused = false; }, "P05",
             PracticeState::kFallsShort, "it was not refused"},
        Case{"RollbackNotTried", [](Facts& f) { f.rolled_back.reset(); }, "P05", PracticeState::kFallsShort,
             "rolled back behind"},
        Case{"NothingServes", [](Facts& f) { f.versions.clear(); }, "P05", PracticeState::kNotInUse, ""},
        Case{"OneOfTwoNotOpened",
             [](Facts& f) { f.versions.push_back({.model = "churn", .version = 1, .serves = {"churn"}}); },
             "P05", PracticeState::kFallsShort, "version 1 of churn"},
        Case{"PlaintextNotTried",
             [](Facts& f) {
               f.log = log_of({{"listener.count", "done", "server", "listener", R"({"tls13":9})"}});
             },
             "P08", PracticeState::kFallsShort, "plaintext"},
        Case{"WebhookWithoutTls", [](Facts& f) { f.plain_webhooks = {"ops"}; }, "P08",
             PracticeState::kFallsShort, "the webhook ops is told without TLS"},
        Case{"NoListener", [](Facts& f) { f.log = story_without("listener.count"); }, "P08",
             PracticeState::kNotInUse, ""},
        Case{"PublicAddress",
             [](Facts& f) {
               ASSERT_TRUE(f.log.add(
                   stored(99, {"listener.count", "done", "server", "listener", R"({"private":false})"})));
             },
             "P12", PracticeState::kFallsShort, "no private one"},
        Case{"NotHardened", [](Facts& f) { served(f).hardened = false; }, "P13", PracticeState::kFallsShort,
             "there is nothing of version 2 of credit"},
        Case{"NotEvaluated", [](Facts& f) { served(f).evaluation.reset(); }, "P25", PracticeState::kNotInUse,
             "version 2 of credit serves without"},
        Case{"EvaluatedOnValidation", [](Facts& f) { served(f).evaluation->split = "validation"; }, "P25",
             PracticeState::kNotInUse, "serves without"},
        Case{"EvidenceDamaged", [](Facts& f) { served(f).damaged = "the evidence 4 does not verify"; }, "P25",
             PracticeState::kFallsShort, "the evidence 4 does not verify"},
        Case{"ServesByWaiver", [](Facts& f) { served(f).waived = {"odds-by-age"}; }, "P25",
             PracticeState::kFallsShort, "version 2 of credit serves by a waiver of odds-by-age"},
        Case{"ServesByWaiverEthics", [](Facts& f) { served(f).waived = {"odds-by-age"}; }, "P21",
             PracticeState::kFallsShort, "by a waiver of odds-by-age"},
        Case{"NothingRefused", [](Facts& f) { f.log = log_of({{"model.register", "done"}}); }, "P15",
             PracticeState::kFallsShort, "not seen to close"},
        Case{"NoDrift", [](Facts& f) { f.log = story_without("drift.measure"); }, "P16",
             PracticeState::kFallsShort, "nothing of the endpoint credit"},
        Case{"NoTraffic", [](Facts& f) { f.log = story_without("predict"); }, "P16", PracticeState::kNotInUse,
             "traffic, errors and latency"},
        Case{"EngineNotMeasured", [](Facts& f) { f.runtime.engines.clear(); }, "P16",
             PracticeState::kFallsShort, "processor and memory"},
        Case{"NotDelivered",
             [](Facts& f) {
               for (auto& alert : f.alerts) alert.delivered = 0;
             },
             "P18", PracticeState::kFallsShort, "an alert was delivered"},
        Case{"OnlyDrift", [](Facts& f) { f.alerts.pop_back(); }, "P18", PracticeState::kFallsShort,
             "traffic, resource use or access patterns"},
        Case{"NoAlert", [](Facts& f) { f.alerts.clear(); }, "P18", PracticeState::kNotInUse, ""},
        Case{"LogReadInPart", [](Facts& f) { f.log_read_to_end = false; }, "P01", PracticeState::kFallsShort,
             "not read to its end"}),
    [](const auto& one) { return one.param.name; });

TEST(Posture, SaysWhichPartEachEvidenceIsFor) {
  for (const auto& one : judge(full_facts()).practices) {
    for (const auto& evidence : one.evidence) {
      EXPECT_FALSE(evidence.part.empty());
      EXPECT_FALSE(evidence.reference.empty()) << evidence.part;
      EXPECT_FALSE(evidence.what.empty()) << evidence.part;
    }
  }
}

TEST(Posture, IsJsonWithAllPractices) {
  const json value = judge(full_facts()).json();
  ASSERT_EQ(value["practices"].size(), kPracticeCount);
  for (const auto& one : value["practices"]) {
    EXPECT_THAT(one["state"].get<std::string>(), testing::AnyOf("holds", "falls-short", "not-in-use"));
    EXPECT_TRUE(one["evidence"].is_array());
    EXPECT_FALSE(one["why"].get<std::string>().empty());
    EXPECT_THAT(one["why"].get<std::string>(), Not(testing::EndsWith(".")));
  }
  EXPECT_EQ(value["practices"][1]["id"], "P02");
  EXPECT_EQ(value["practices"][1]["evidence"][0]["kind"], "record");
}

}  // namespace
}  // namespace holdfast::govern
