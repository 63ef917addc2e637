#include "alerts/alerts.h"

#include <gmock/gmock-matchers.h>

#include <thread>

#include <nlohmann/json.hpp>

#include "alerts/testing.h"
#include "base/json.h"
#include "store/changes.h"

namespace holdfast::alerts {
namespace {

using base::ErrorCode;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::HasSubstr;

class AlertsTest : public AlertsFixture {
 protected:
  base::Result<> acknowledge(AlertId id, std::string comment = "looking into it", std::string who = "ana") {
    return in_transaction([&](store::Transaction& t) {
      return alerts_.acknowledge(
          t, {.workspace = kDefault, .id = id, .who = who, .comment = comment, .record = recorded(3)});
    });
  }
  base::Result<> resolve(AlertId id, std::string comment = "the feed was repaired") {
    return in_transaction([&](store::Transaction& t) {
      return alerts_.resolve(
          t, {.workspace = kDefault, .id = id, .who = "ben", .comment = comment, .record = recorded(4)});
    });
  }
  std::vector<Event> events(AlertId id) {
    std::vector<Event> events;
    for (const auto& transition : find(id).history) events.push_back(transition.event);
    return events;
  }
  std::size_t changes() { return store::changes_after(snapshot(), 0).value().size(); }
  // The messages that wait in the outbox, in their order.
  std::vector<nlohmann::json> messages() {
    std::vector<nlohmann::json> messages;
    for (;;) {
      auto message =
          in_transaction([&](store::Transaction& t) { return outbox_.lease(t, minutes(1)); }).value();
      if (!message) return messages;
      messages.push_back(base::parse_json(base::as_text(message->body)).value());
      EXPECT_TRUE(in_transaction([&](store::Transaction& t) { return outbox_.delivered(t, *message); }));
    }
  }
};

TEST_F(AlertsTest, OneDriftIsOneAlertHoweverManyWindows) {
  put("pager", "https://hooks.example.com/x");
  const auto first = raise(signal()).value();
  EXPECT_EQ(first.event, Event::kOpened);
  for (int i = 0; i < 20; ++i) {
    clock_.advance(minutes(1));
    const auto again = raise(signal()).value();
    EXPECT_EQ(again.id, first.id);
    EXPECT_EQ(again.event, std::nullopt);
  }
  const auto found = find(first.id);
  EXPECT_EQ(found.alert.count, 21);
  EXPECT_EQ(found.alert.last_at, clock_.now());
  EXPECT_EQ(found.alert.last_at - found.alert.opened_at, minutes(20));
  EXPECT_EQ(found.alert.state, State::kOpen);
  EXPECT_EQ(found.alert.record, digest_of(1));
  ASSERT_EQ(found.signals.size(), 1UL);
  EXPECT_EQ(found.signals[0].count, 21);
  EXPECT_THAT(events(first.id), ElementsAre(Event::kOpened));
  EXPECT_EQ(messages().size(), 1UL);
  EXPECT_EQ(list_alerts(snapshot(), kDefault, std::nullopt, std::nullopt, 10)->alerts.size(), 1UL);
}

TEST_F(AlertsTest, AWindowOfManyColumnsIsOneAlertThatListsThem) {
  put("pager", "https://hooks.example.com/x");
  const std::vector window{signal("feature AGE", Severity::kLow), signal("feature PAY_0", Severity::kHigh),
                           signal("feature LIMIT_BAL")};
  const auto raised =
      in_transaction([&](store::Transaction& t) { return alerts_.raise(t, window, recorded(1)); }).value();
  const auto found = find(raised.id);
  EXPECT_EQ(found.alert.severity, Severity::kHigh);
  EXPECT_EQ(found.alert.summary, "The distribution of feature PAY_0 has moved");
  EXPECT_EQ(found.alert.count, 1);
  ASSERT_EQ(found.signals.size(), 3UL);
  EXPECT_EQ(found.signals[0].name, "feature PAY_0");
  const auto told = messages();
  ASSERT_EQ(told.size(), 1UL);
  EXPECT_EQ(told[0]["event"], "opened");
  EXPECT_EQ(told[0]["id"], "default/1/1");
  EXPECT_EQ(told[0]["alert"]["signals"].size(), 3UL);
  EXPECT_EQ(told[0]["alert"]["signals"][0]["details"]["rows"], 500);
  EXPECT_EQ(told[0]["alert"]["runbook"], "/docs/alerts#drift");
}

TEST_F(AlertsTest, AnotherSubjectSourceOrWorkspaceIsAnotherAlert) {
  const auto first = raise(signal()).value();
  auto subject = signal();
  subject.subject = "endpoint:other";
  auto source = signal();
  source.source = "performance";
  auto workspace = signal();
  workspace.workspace = base::WorkspaceId("other");
  EXPECT_EQ(raise(subject)->id, AlertId(2));
  EXPECT_EQ(raise(source)->id, AlertId(3));
  EXPECT_EQ(raise(workspace)->id, AlertId(1));
  EXPECT_EQ(first.id, AlertId(1));
  EXPECT_EQ(list_alerts(snapshot(), kDefault, std::nullopt, std::nullopt, 10)->alerts.size(), 3UL);
}

TEST_F(AlertsTest, SeverityRisesAndDoesNotFall) {
  const auto id = raise(signal("a", Severity::kMedium))->id;
  ASSERT_TRUE(acknowledge(id));
  EXPECT_EQ(raise(signal("b", Severity::kLow))->event, std::nullopt);
  EXPECT_EQ(find(id).alert.state, State::kAcknowledged);
  EXPECT_EQ(raise(signal("c", Severity::kCritical), 9)->event, Event::kRose);
  const auto risen = find(id);
  EXPECT_EQ(risen.alert.severity, Severity::kCritical);
  EXPECT_EQ(risen.alert.state, State::kOpen);
  EXPECT_EQ(risen.alert.record, digest_of(9));
  EXPECT_EQ(raise(signal("c", Severity::kInfo))->event, std::nullopt);
  EXPECT_EQ(find(id).alert.severity, Severity::kCritical);
  EXPECT_EQ(find(id).signals[0].severity, Severity::kCritical);
}

TEST_F(AlertsTest, ResolvesByItselfAfterQuietWindows) {
  EXPECT_FALSE(quiet());
  const auto id = raise(signal())->id;
  EXPECT_FALSE(quiet());
  EXPECT_FALSE(quiet());
  raise(signal()).value();  // the windows must be quiet in a row
  EXPECT_FALSE(quiet());
  EXPECT_FALSE(quiet());
  EXPECT_TRUE(quiet(8));
  EXPECT_FALSE(quiet());
  const auto found = find(id);
  EXPECT_EQ(found.alert.state, State::kResolved);
  EXPECT_EQ(found.alert.resolved_at, clock_.now());
  EXPECT_EQ(found.alert.record, digest_of(8));
  EXPECT_EQ(found.history.back().who, "");
  EXPECT_EQ(found.history.back().comment, "quiet for 3 windows");
}

TEST_F(AlertsTest, WhatComesBackSoonIsTheSameAlertAndLaterANewOne) {
  const auto id = raise(signal("a", Severity::kCritical))->id;
  for (int i = 0; i < 3; ++i) quiet();
  clock_.advance(minutes(60));
  const auto back = raise(signal("a", Severity::kLow)).value();
  EXPECT_EQ(back.id, id);
  EXPECT_EQ(back.event, Event::kReopened);
  EXPECT_EQ(find(id).alert.severity, Severity::kLow);
  EXPECT_EQ(find(id).alert.resolved_at, std::nullopt);
  ASSERT_TRUE(resolve(id));
  clock_.advance(minutes(60) + std::chrono::microseconds(1));
  const auto later = raise(signal()).value();
  EXPECT_EQ(later.id, AlertId(2));
  EXPECT_EQ(later.event, Event::kOpened);
  EXPECT_THAT(events(id), ElementsAre(Event::kOpened, Event::kResolved, Event::kReopened, Event::kResolved));
}

TEST_F(AlertsTest, WhatFlapsTakesLongerToEndEachTime) {
  put("pager", "https://hooks.example.com/x");
  const auto id = raise(signal())->id;
  for (const int needed : {3, 6, 12, 24, 48, 48}) {
    for (int i = 1; i < needed; ++i) ASSERT_FALSE(quiet()) << i << " of " << needed;
    ASSERT_TRUE(quiet()) << needed;
    clock_.advance(minutes(1));
    EXPECT_EQ(raise(signal())->id, id);
  }
  EXPECT_EQ(find(id).alert.reopened, 6);
  // Then a signal every other window keeps it open, and silent.
  messages();
  for (int i = 0; i < 100; ++i) {
    clock_.advance(minutes(10));
    EXPECT_FALSE(quiet());
    raise(signal()).value();
  }
  EXPECT_EQ(messages().size(), 0UL);
}

TEST_F(AlertsTest, APersonAcknowledgesAndResolves) {
  put("pager", "https://hooks.example.com/x");
  const auto id = raise(signal())->id;
  ASSERT_TRUE(acknowledge(id));
  EXPECT_EQ(find(id).alert.state, State::kAcknowledged);
  EXPECT_EQ(raise(signal())->event, std::nullopt);
  EXPECT_EQ(acknowledge(id).error().code, ErrorCode::kConflict);
  ASSERT_TRUE(resolve(id));
  EXPECT_EQ(resolve(id).error().code, ErrorCode::kConflict);
  EXPECT_EQ(acknowledge(id).error().code, ErrorCode::kConflict);
  const auto history = find(id).history;
  ASSERT_EQ(history.size(), 3UL);
  EXPECT_EQ(history[1].who, "ana");
  EXPECT_EQ(history[1].comment, "looking into it");
  EXPECT_EQ(history[1].record, digest_of(3));
  EXPECT_EQ(history[2].who, "ben");
  std::vector<std::string> told;
  for (const auto& message : messages()) told.push_back(message["event"]);
  EXPECT_THAT(told, ElementsAre("opened", "acknowledged", "resolved"));
}

TEST_F(AlertsTest, RefusesWhatAPersonMayNotDo) {
  EXPECT_EQ(acknowledge(AlertId(1)).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(resolve(AlertId(1)).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(find_alert(snapshot(), kDefault, AlertId(1)).error().code, ErrorCode::kNotFound);
  const auto id = raise(signal())->id;
  EXPECT_EQ(acknowledge(id, "x", "").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(acknowledge(id, std::string(kMaxCommentBytes + 1, 'x')).error().code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(resolve(id, "").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(find_alert(snapshot(), base::WorkspaceId("other"), id).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(find(id).alert.state, State::kOpen);
}

TEST_F(AlertsTest, EachMutationIsAChange) {
  const auto id = raise(signal())->id;
  raise(signal()).value();
  quiet();
  ASSERT_TRUE(acknowledge(id));
  ASSERT_TRUE(resolve(id));
  const auto all = store::changes_after(snapshot(), 0).value();
  ASSERT_EQ(all.size(), 5UL);
  for (const auto& change : all) {
    EXPECT_EQ(change.kind, "alert");
    EXPECT_EQ(change.subject, "1");
    EXPECT_EQ(change.workspace, kDefault);
  }
}

TEST_F(AlertsTest, WhatIsNotCommittedDidNotHappen) {
  put("pager", "https://hooks.example.com/x");
  const std::size_t before = changes();
  {
    auto transaction = database_->begin().value();
    ASSERT_TRUE(alerts_.raise(transaction, signal(), recorded(1)));
  }
  EXPECT_TRUE(list_alerts(snapshot(), kDefault, std::nullopt, std::nullopt, 10)->alerts.empty());
  EXPECT_TRUE(messages().empty());
  EXPECT_EQ(changes(), before);
}

TEST_F(AlertsTest, ARowThatIsNotAsRecordedIsNamed) {
  const auto id = raise(signal()).value().id;
  ASSERT_TRUE(raise(signal()));  // one more window, which no record names
  const auto opened = snapshot()
                          .row<std::int64_t, base::Digest>(
                              store::Sql("SELECT record_index, record FROM alerts WHERE id = $1"), id)
                          .value()
                          .value();
  EXPECT_EQ(fault(), "");
  behind_the_back(store::Sql("UPDATE alerts SET severity = 0"));
  EXPECT_THAT(fault(), testing::HasSubstr("the row alerts/default/1 is not as record"));
  behind_the_back(store::Sql("UPDATE alerts SET severity = $1"),
                  static_cast<std::int64_t>(Severity::kMedium));
  EXPECT_EQ(fault(), "");
  ASSERT_TRUE(resolve(id, "ben"));
  EXPECT_EQ(fault(), "");
  behind_the_back(store::Sql("UPDATE alerts SET state = 'open', resolved_at = NULL, record_index = $1,"
                             " record = $2"),
                  std::get<0>(opened), std::get<1>(opened));
  EXPECT_THAT(fault(), testing::HasSubstr("put back to an older record"));
  behind_the_back(store::Sql("DELETE FROM alerts"));
  EXPECT_THAT(fault(), testing::HasSubstr("the row alerts/default/1, which record"));
}

TEST_F(AlertsTest, TheHistoryOfAnAlertCanNotBeShortenedOrAddedTo) {
  const auto id = raise(signal()).value().id;
  behind_the_back(
      store::Sql("INSERT INTO alert_transitions SELECT workspace, alert, 2, 'resolved', at, 'eve',"
                 " '', record, record_index FROM alert_transitions"));
  EXPECT_THAT(fault(), testing::HasSubstr("no record in the log made the row alert_transitions/default/1/2"));
  behind_the_back(store::Sql("DELETE FROM alert_transitions WHERE number = 2"));
  EXPECT_EQ(fault(), "");
  behind_the_back(store::Sql("DELETE FROM alert_transitions WHERE alert = $1"), id);
  EXPECT_THAT(fault(), testing::HasSubstr("alert_transitions/default/1/1, which record"));
}

TEST_F(AlertsTest, ThreadsThatRaiseTheSameSignalMakeOneAlert) {
  put("pager", "https://hooks.example.com/x");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 10; ++j) EXPECT_TRUE(raise(signal()));
    });
  }
  for (auto& thread : threads) thread.join();
  const auto page = list_alerts(snapshot(), kDefault, std::nullopt, std::nullopt, 10).value();
  ASSERT_EQ(page.alerts.size(), 1UL);
  EXPECT_EQ(page.alerts[0].count, 40);
  EXPECT_EQ(messages().size(), 1UL);
}

TEST_F(AlertsTest, ListsByStateAndPage) {
  for (int i = 1; i <= 7; ++i) {
    auto one = signal();
    one.subject = "endpoint:" + std::to_string(i);
    one.severity = i % 2 == 0 ? Severity::kHigh : Severity::kLow;
    ASSERT_TRUE(raise(one));
  }
  ASSERT_TRUE(acknowledge(AlertId(2)));
  ASSERT_TRUE(resolve(AlertId(4)));
  const auto ids = [&](std::optional<State> state, std::optional<AlertId> after, std::int64_t limit) {
    std::vector<std::int64_t> found;
    const auto page = list_alerts(snapshot(), kDefault, state, after, limit).value();
    for (const auto& alert : page.alerts) found.push_back(alert.id.value());
    return std::pair(found, page.next);
  };
  EXPECT_THAT(ids({}, {}, 3).first, ElementsAre(7, 6, 5));
  EXPECT_THAT(ids({}, ids({}, {}, 3).second, 3).first, ElementsAre(4, 3, 2));
  EXPECT_THAT(ids({}, AlertId(2), 3).first, ElementsAre(1));
  EXPECT_EQ(ids({}, AlertId(2), 3).second, std::nullopt);
  EXPECT_EQ(ids({}, {}, 7).second, std::nullopt);
  EXPECT_THAT(ids(State::kOpen, {}, 9).first, ElementsAre(7, 6, 5, 3, 1));
  EXPECT_THAT(ids(State::kAcknowledged, {}, 9).first, ElementsAre(2));
  EXPECT_THAT(ids(State::kResolved, {}, 9).first, ElementsAre(4));
  for (const std::int64_t limit : {std::int64_t{0}, kMaxListed + 1}) {
    EXPECT_EQ(list_alerts(snapshot(), kDefault, {}, {}, limit).error().code, ErrorCode::kInvalidArgument);
  }
  EXPECT_THAT(unresolved_alerts(snapshot(), kDefault).value(), ElementsAre(0, 4, 0, 2, 0));
  EXPECT_THAT(unresolved_alerts(snapshot(), base::WorkspaceId("other")).value(), ElementsAre(0, 0, 0, 0, 0));
}

TEST_F(AlertsTest, RefusesSignalsThatAreMalformed) {
  const auto refusal = [&](auto change) {
    Signal bad = signal();
    change(bad);
    return raise(bad).error().code;
  };
  EXPECT_EQ(refusal([](Signal& s) { s.workspace = base::WorkspaceId(""); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refusal([](Signal& s) { s.source = ""; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refusal([](Signal& s) { s.subject = std::string(300, 'x'); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refusal([](Signal& s) { s.name = ""; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refusal([](Signal& s) { s.name = std::string(kMaxSignalNameBytes + 1, 'x'); }),
            ErrorCode::kLimitExceeded);
  EXPECT_EQ(refusal([](Signal& s) { s.summary = ""; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refusal([](Signal& s) { s.summary = std::string(kMaxSummaryBytes + 1, 'x'); }),
            ErrorCode::kLimitExceeded);
  for (const auto* details : {"", "[1]", "1", "{", "{\"a\":1,\"a\":2}", "{\"a\":\"\xff\"}"}) {
    EXPECT_EQ(refusal([&](Signal& s) { s.details = details; }), ErrorCode::kInvalidArgument) << details;
  }
  EXPECT_EQ(refusal([](Signal& s) { s.details = "{\"a\":\"" + std::string(kMaxDetailsBytes, 'x') + "\"}"; }),
            ErrorCode::kLimitExceeded);
  const auto several = [&](const std::vector<Signal>& window) {
    return in_transaction([&](store::Transaction& t) { return alerts_.raise(t, window, recorded(1)); });
  };
  EXPECT_EQ(several({}).error().code, ErrorCode::kInvalidArgument);
  auto other = signal();
  other.subject = "endpoint:other";
  EXPECT_EQ(several({signal(), other}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(list_alerts(snapshot(), kDefault, {}, {}, 10)->alerts.empty());
}

TEST_F(AlertsTest, AWindowOfEveryColumnThereCanBeListsTheGravest) {
  put("pager", "https://hooks.example.com/x");
  std::vector<Signal> window;
  for (int i = 0; i < 2048; ++i) window.push_back(signal("feature " + std::to_string(i)));
  window.push_back(signal("feature " + std::string(256, 'x'), Severity::kCritical));
  const auto raise_all = [&] {
    return in_transaction([&](store::Transaction& t) { return alerts_.raise(t, window, recorded(1)); })
        .value();
  };
  const auto id = raise_all().id;
  raise_all();
  const auto found = find(id);
  EXPECT_EQ(found.signals.size(), static_cast<std::size_t>(kMaxNames));
  EXPECT_EQ(found.signals[0].severity, Severity::kCritical);
  for (const auto& kept : found.signals) EXPECT_EQ(kept.count, 2);
  EXPECT_EQ(messages()[0]["alert"]["signals"].size(), 16UL);
  const std::vector<Signal> over(kMaxSignals + 1, signal());
  const auto refused =
      in_transaction([&](store::Transaction& t) { return alerts_.raise(t, over, recorded(1)); });
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(AlertsTest, TextThatIsNoUtf8ComesNoFurther) {
  const auto refusal = [&](std::string Signal::* field) {
    Signal bad = signal();
    bad.*field = "\xff moved";
    return raise(bad).error().code;
  };
  for (const auto field : {&Signal::source, &Signal::subject, &Signal::name, &Signal::summary,
                           &Signal::practice, &Signal::risk, &Signal::runbook, &Signal::details}) {
    EXPECT_EQ(refusal(field), ErrorCode::kInvalidArgument);
  }
  const auto id = raise(signal())->id;
  EXPECT_EQ(acknowledge(id, "\xff").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(acknowledge(id, "x", "\xff").error().code, ErrorCode::kInvalidArgument);
}

TEST_F(AlertsTest, SurvivesARestart) {
  const auto id = raise(signal())->id;
  reopen();
  EXPECT_EQ(raise(signal())->id, id);
  const auto shown = to_json(find(id));
  EXPECT_EQ(shown["count"], 2);
  EXPECT_EQ(shown["severity"], "medium");
  EXPECT_EQ(shown["resolved_at"], nullptr);
  EXPECT_EQ(shown["history"][0]["record"], digest_of(1).prefixed());
}

TEST(AlertNames, GoBothWays) {
  for (const auto severity :
       {Severity::kInfo, Severity::kLow, Severity::kMedium, Severity::kHigh, Severity::kCritical}) {
    EXPECT_EQ(parse_severity(to_string(severity)).value(), severity);
  }
  for (const auto state : {State::kOpen, State::kAcknowledged, State::kResolved}) {
    EXPECT_EQ(parse_state(to_string(state)).value(), state);
  }
  EXPECT_EQ(parse_severity("High").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(parse_state("").error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace holdfast::alerts
