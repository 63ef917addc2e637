#include "govern/log_facts.h"

#include <array>

#include "audit/testing.h"
#include "govern/testing.h"

namespace holdfast::govern {
namespace {

TEST(LogFacts, CountsWhatHappenedAndKeepsTheNewest) {
  const LogFacts facts =
      log_of({{"model.refuse", "refused"}, {"readModel", "allow"}, {"model.refuse", "refused"}});
  ASSERT_NE(facts.find(Happening::kModelRefused), nullptr);
  EXPECT_EQ(facts.find(Happening::kModelRefused)->count, 2U);
  EXPECT_EQ(facts.find(Happening::kModelRefused)->record, 2U);
  EXPECT_EQ(facts.find(Happening::kModelRefused)->at, moment(2));
  EXPECT_EQ(facts.find(Happening::kAllowed)->count, 1U);
  EXPECT_EQ(facts.find(Happening::kDenied), nullptr);
}

TEST(LogFacts, AKeyIsRotatedOnceThatWasCarriedOut) {
  EXPECT_EQ(log_of({{"rotateKeys", "allow"}}).find(Happening::kKeysRotated), nullptr);
  const LogFacts facts = log_of({{"rotateKeys", "allow"}, {"key.rotated", "allow", "x", "master"}});
  ASSERT_NE(facts.find(Happening::kKeysRotated), nullptr);
  EXPECT_EQ(facts.find(Happening::kKeysRotated)->resource, "master");
}

TEST(LogFacts, TellsServicesFromPeopleAndTheLocalUser) {
  const std::string service = R"(Service::"default/77")";
  const std::string local = R"(Person::"default/local")";
  const LogFacts facts = log_of({{"signIn", "allow"},
                                 {"signIn", "deny", service},
                                 {"predict", "allow", local, "endpoint:credit", "{}"},
                                 {"model.approve", "done", local}});
  EXPECT_EQ(facts.find(Happening::kServiceSignedIn), nullptr);
  EXPECT_EQ(facts.find(Happening::kPredictedForService), nullptr);
  EXPECT_NE(facts.find(Happening::kPredicted), nullptr);
  EXPECT_NE(facts.find(Happening::kApproved), nullptr);
  EXPECT_EQ(facts.find(Happening::kApprovedByPerson), nullptr);
}

TEST(LogFacts, TakesADecisionForADecisionAlone) {
  // An action by a name that no policy knows is no decision, whatever it says of itself.
  const LogFacts facts =
      log_of({{"invented", "allow"}, {"invented", "deny"}, {"predict", "allow", "x", "y", "{}"}});
  EXPECT_EQ(facts.find(Happening::kAllowed), nullptr);
  EXPECT_EQ(facts.find(Happening::kDenied), nullptr);
}

TEST(LogFacts, TellsDenialsAtAnEndpoint) {
  const LogFacts facts =
      log_of({{"infer", "deny", "Service::\"default/77\"", "Endpoint::\"default/credit\""},
              {"release", "deny", "Service::\"default/77\"", "Endpoint::\"default/credit\""}});
  EXPECT_EQ(facts.find(Happening::kDenied)->count, 2U);
  EXPECT_EQ(facts.find(Happening::kInferenceDenied)->count, 1U);
}

TEST(LogFacts, FlagsCountWhereThereAreSome) {
  const LogFacts none = log_of({{"predict", "allow", "x", "y", R"({"flagged":0})"},
                                {"predict", "allow", "x", "y", R"({"flagged":"many"})"},
                                {"predict", "allow", "x", "y", R"({})"}});
  EXPECT_EQ(none.find(Happening::kFlagged), nullptr);
  const LogFacts some = log_of({{"predict", "allow", "x", "y", R"({"flagged":3})"}});
  EXPECT_EQ(some.find(Happening::kFlagged)->count, 1U);
}

TEST(LogFacts, TellsARefusalForItsInputsFromOthers) {
  const LogFacts facts = log_of({{"predict", "refused", "x", "y", R"({"status":503})"},
                                 {"predict", "refused", "x", "y", R"({"status":429})"},
                                 {"predict", "refused", "x", "y", R"({"flagged":1})"}});
  EXPECT_EQ(facts.find(Happening::kGuardRefused), nullptr);
  EXPECT_EQ(facts.find(Happening::kPredicted), nullptr);
  EXPECT_EQ(facts.find(Happening::kFlagged), nullptr);
  const LogFacts refused = log_of({{"predict", "refused", "x", "y", R"({"status":422})"},
                                   {"predict", "refused", "x", "y", R"({"status":400})"}});
  EXPECT_EQ(refused.find(Happening::kGuardRefused)->count, 2U);
}

TEST(LogFacts, TellsEndpointsApart) {
  const LogFacts facts =
      log_of({{"predict", "allow", "x", "endpoint:credit", "{}"},
              {"predict", "allow", "x", "endpoint:churn", "{}"},
              {"predict", "allow", "x", "endpoint:churn", "{}"},
              {"predict", "refused", "x", "endpoint:made-up", R"({"status":400})"},
              {"drift.measure", "drifted", "monitor", "endpoint:churn", R"({"estimate":"could not tell"})"},
              {"drift.measure", "could not tell", "monitor", "endpoint:credit", "{}"}});
  EXPECT_EQ(facts.find(Happening::kPredicted)->count, 3U);
  EXPECT_EQ(facts.find(Happening::kPredicted, "credit")->count, 1U);
  EXPECT_EQ(facts.find(Happening::kPredicted, "churn")->count, 2U);
  EXPECT_EQ(facts.find(Happening::kPredicted, "churn")->record, 2U);
  EXPECT_EQ(facts.find(Happening::kGuardRefused, "made-up"), nullptr);
  EXPECT_EQ(facts.find(Happening::kDriftMeasured, "churn")->count, 1U);
  EXPECT_EQ(facts.find(Happening::kQualityEstimated, "churn"), nullptr);
  EXPECT_EQ(facts.find(Happening::kDriftMeasured, "credit"), nullptr);  // it could not tell
}

TEST(LogFacts, AddsUpWhatTheListenerCountedOverAllStarts) {
  const LogFacts facts = log_of({{"listener.count", "done", "server", "listener", kConnections},
                                 {"listener.count", "done", "server", "listener",
                                  R"({"address":"0.0.0.0:443","private":false,"tls13":-1})"},
                                 {"listener.count", "done", "server", "listener", kConnections}});
  ASSERT_TRUE(facts.channels());
  EXPECT_EQ(facts.channels()->tls13_connections, 18U);
  EXPECT_EQ(facts.channels()->plaintext_refused, 2U);
  EXPECT_EQ(facts.channels()->record, 2U);
  EXPECT_TRUE(facts.channels()->is_private);
  EXPECT_FALSE(log_of({}).channels());
}

TEST(LogFacts, RefusesDetailsThatAreNoObject) {
  LogFacts facts(kHome);
  EXPECT_FALSE(facts.add(stored(0, {"predict", "allow", "x", "y", "[1]"})).has_value());
  EXPECT_FALSE(facts.add(stored(0, {"predict", "allow", "x", "y", "{"})).has_value());
}

TEST(LogFacts, PassesOtherWorkspacesAndDestroyedBodiesBy) {
  LogFacts facts(kHome);
  auto other = stored(0, {"model.refuse", "refused"});
  other.record.workspace = base::WorkspaceId("other");
  ASSERT_TRUE(facts.add(other).has_value());
  auto gone = stored(1, {"model.refuse", "refused"});
  gone.body = audit::BodyState::kDestroyed;
  ASSERT_TRUE(facts.add(gone).has_value());
  EXPECT_EQ(facts.find(Happening::kModelRefused), nullptr);
  EXPECT_EQ(facts.opened(), 0U);
}

TEST(LogFacts, ReadsOnFromWhereItStopped) {
  const audit::TestFolder folder;
  const auto keys = audit::open_keys(folder);
  const auto log = audit::Log::open(folder.log(), *keys).value();
  LogFacts facts(base::WorkspaceId("credit"));
  EXPECT_TRUE(facts.read_on(*log).value());
  EXPECT_EQ(facts.read(), 0U);
  ASSERT_TRUE(log->append(audit::record_of(1)).has_value());
  ASSERT_TRUE(log->append(audit::record_of(2)).has_value());
  EXPECT_TRUE(facts.read_on(*log).value());
  EXPECT_EQ(facts.find(Happening::kModelRegistered)->count, 2U);
  ASSERT_TRUE(log->append(audit::record_of(3)).has_value());
  EXPECT_TRUE(facts.read_on(*log).value());
  EXPECT_EQ(facts.find(Happening::kModelRegistered)->count, 3U);
  EXPECT_EQ(facts.find(Happening::kModelRegistered)->record, 2U);
}

}  // namespace
}  // namespace holdfast::govern
