#include "alerts/alerts.h"

#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "alerts/message.h"
#include "alerts/rows.h"
#include "alerts/webhooks.h"
#include "base/json.h"

namespace holdfast::alerts {
namespace {

using base::ErrorCode;
using base::Result;
using base::Timestamp;
using base::WorkspaceId;
using store::Sql;
using store::Transaction;

constexpr std::string_view kChange = "alert";
constexpr int kMaxDetailsDepth = 16;

// Whatever is kept goes out as JSON later, so it must be UTF-8 from the start.
Result<> check_text(std::string_view what, std::string_view text, std::size_t max_bytes) {
  if (text.size() > max_bytes) {
    return base::fail(ErrorCode::kLimitExceeded, fmt::format("{} is longer than {} bytes", what, max_bytes));
  }
  if (base::canonical_json(std::string(text))) return {};
  return base::fail(ErrorCode::kInvalidArgument, fmt::format("{} is not UTF-8", what));
}

Result<> check_name(std::string_view what, std::string_view name) {
  HF_CHECK(store::check_name(what, name));
  return check_text(what, name, store::kMaxNameBytes);
}

Result<> check_details(const Signal& signal) {
  HF_CHECK(check_text("a signal's details", signal.details, kMaxDetailsBytes));
  auto details =
      base::parse_json(signal.details, {.max_bytes = kMaxDetailsBytes, .max_depth = kMaxDetailsDepth});
  if (!details) return base::fail(std::move(details).error().within("a signal's details"));
  if (details->is_object()) return {};
  return base::fail(ErrorCode::kInvalidArgument, "a signal's details must be a JSON object");
}

Result<> check_signal(const Signal& signal) {
  HF_CHECK(check_name("a signal's workspace", signal.workspace.value()));
  HF_CHECK(check_name("a signal's source", signal.source));
  HF_CHECK(check_name("a signal's subject", signal.subject));
  if (signal.name.empty()) {
    return base::fail(ErrorCode::kInvalidArgument, "a signal's name must not be empty");
  }
  HF_CHECK(check_text("a signal's name", signal.name, kMaxSignalNameBytes));
  if (signal.summary.empty()) {
    return base::fail(ErrorCode::kInvalidArgument, "a signal's summary must not be empty");
  }
  HF_CHECK(check_text("a signal's summary", signal.summary, kMaxSummaryBytes));
  HF_CHECK(check_text("a signal's practice", signal.practice, store::kMaxNameBytes));
  HF_CHECK(check_text("a signal's risk", signal.risk, store::kMaxNameBytes));
  HF_CHECK(check_text("a signal's runbook", signal.runbook, store::kMaxNameBytes));
  return check_details(signal);
}

Result<> check_signals(std::span<const Signal> signals) {
  if (signals.empty() || signals.size() > kMaxSignals) {
    return base::fail(ErrorCode::kInvalidArgument, fmt::format("a window raises from 1 to {} signals, not {}",
                                                               kMaxSignals, signals.size()));
  }
  const Signal& first = signals.front();
  for (const Signal& signal : signals) {
    HF_CHECK(check_signal(signal));
    if (signal.workspace != first.workspace || signal.source != first.source ||
        signal.subject != first.subject) {
      return base::fail(ErrorCode::kInvalidArgument,
                        "the signals of one window must be of one workspace, source and subject");
    }
  }
  return {};
}

Result<AlertId> next_id(Transaction& transaction, const WorkspaceId& workspace) {
  HF_TRY(const auto rows,
         transaction.returning<std::int64_t>(
             Sql("INSERT INTO alert_numbers (workspace, last) VALUES ($1, 1)"
                 " ON CONFLICT (workspace) DO UPDATE SET last = alert_numbers.last + 1 RETURNING last"),
             workspace));
  return AlertId(std::get<0>(rows.at(0)));
}

// Takes what the alert says of itself from a signal.
void describe(Alert& alert, const Signal& signal) {
  alert.severity = signal.severity;
  alert.summary = signal.summary;
  alert.practice = signal.practice;
  alert.risk = signal.risk;
  alert.runbook = signal.runbook;
}

Result<> insert(Transaction& transaction, const Alert& alert) {
  HF_CHECK(transaction.execute(
      Sql("INSERT INTO alerts (workspace, id, source, subject, state, severity, summary, practice, risk, "
          "runbook,"
          " count, reopened, quiet_windows, opened_at, last_at, resolved_at, record, record_index)"
          " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)"),
      alert.workspace, alert.id, alert.source, alert.subject, alert.state, alert.severity, alert.summary,
      alert.practice, alert.risk, alert.runbook, alert.count, alert.reopened, alert.quiet_windows,
      alert.opened_at, alert.last_at, alert.resolved_at, alert.record, alert.record_index));
  return {};
}

Result<> update(Transaction& transaction, const Alert& alert) {
  HF_CHECK(transaction.execute(
      Sql("UPDATE alerts SET state = $3, severity = $4, summary = $5, practice = $6, risk = $7, runbook = $8,"
          " count = $9, reopened = $10, quiet_windows = $11, last_at = $12, resolved_at = $13, record = $14,"
          " record_index = $15"
          " WHERE workspace = $1 AND id = $2"),
      alert.workspace, alert.id, alert.state, alert.severity, alert.summary, alert.practice, alert.risk,
      alert.runbook, alert.count, alert.reopened, alert.quiet_windows, alert.last_at, alert.resolved_at,
      alert.record, alert.record_index));
  return {};
}

// Beyond kMaxNames a new name is left out; those that are there go on.
Result<> keep_signal(Transaction& transaction, const Alert& alert, const Signal& signal) {
  HF_TRY(const auto again,
         transaction.execute(Sql("UPDATE alert_signals SET"
                                 " severity = CASE WHEN severity < $4 THEN $4 ELSE severity END,"
                                 " summary = $5, details = $6, count = count + 1, last_at = $7"
                                 " WHERE workspace = $1 AND alert = $2 AND name = $3"),
                             alert.workspace, alert.id, signal.name, signal.severity, signal.summary,
                             signal.details, alert.last_at));
  if (again == 1) return {};
  HF_TRY(const std::int64_t names,
         number_of(transaction.view(),
                   Sql("SELECT COUNT(*) FROM alert_signals WHERE workspace = $1 AND alert = $2"),
                   alert.workspace, alert.id));
  if (names >= kMaxNames) return {};
  HF_CHECK(transaction.execute(Sql("INSERT INTO alert_signals (workspace, alert, name, severity, summary, "
                                   "details, count, first_at, last_at)"
                                   " VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $7)"),
                               alert.workspace, alert.id, signal.name, signal.severity, signal.summary,
                               signal.details, alert.last_at));
  return {};
}

Result<> tell(Transaction& transaction, const store::Outbox& outbox, const Alert& alert,
              const Transition& transition) {
  HF_TRY(const auto webhooks, list_webhooks(transaction.view(), alert.workspace));
  if (webhooks.empty()) return {};
  HF_TRY(const auto signals, gravest_signals(transaction.view(), alert.workspace, alert.id, kMaxTold));
  const std::string body = message_body(alert, signals, transition);
  const base::ByteView bytes = base::as_bytes(body);
  for (const auto& webhook : webhooks) {
    HF_CHECK(outbox.post(transaction, {.workspace = alert.workspace,
                                       .destination = webhook_destination(webhook.name),
                                       .kind = std::string(kMessageKind),
                                       .body = base::Bytes(bytes.begin(), bytes.end())}));
  }
  return {};
}

struct Step {
  Event event = Event::kOpened;
  std::string_view who;
  std::string_view comment;
};

// The transition that makes `alert` what it now is, recorded: both carry the receipt from here on.
Result<Transition> record(Transaction& transaction, Alert& alert, Timestamp now, const Step& step,
                          const RecordRows& record_rows) {
  HF_TRY(const std::int64_t number, number_of(transaction.view(),
                                              Sql("SELECT coalesce(MAX(number), 0) + 1 FROM alert_transitions"
                                                  " WHERE workspace = $1 AND alert = $2"),
                                              alert.workspace, alert.id));
  Transition transition{.number = number,
                        .event = step.event,
                        .at = now,
                        .who = std::string(step.who),
                        .comment = std::string(step.comment),
                        .record = {}};
  HF_TRY(const auto receipt, record_rows(audit::named_rows({name_row(alert), name_row(alert, transition)})));
  alert.record = transition.record = receipt.leaf;
  alert.record_index = transition.record_index = static_cast<std::int64_t>(receipt.index);
  return transition;
}

Result<> keep(Transaction& transaction, const store::Outbox& outbox, const Alert& alert,
              const Transition& transition) {
  HF_CHECK(transaction.execute(
      Sql("INSERT INTO alert_transitions (workspace, alert, number, event, at, who, comment, record,"
          " record_index) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"),
      alert.workspace, alert.id, transition.number, transition.event, transition.at, transition.who,
      transition.comment, transition.record, transition.record_index));
  return tell(transaction, outbox, alert, transition);
}

Result<> announce(Transaction& transaction, const Alert& alert) {
  HF_CHECK(transaction.next_change(alert.workspace, kChange, std::to_string(alert.id.value())));
  return {};
}

// In the order of the window where they are equally grave.
std::vector<const Signal*> gravest_first(std::span<const Signal> signals) {
  std::vector<const Signal*> ordered;
  ordered.reserve(signals.size());
  for (const Signal& signal : signals) ordered.push_back(&signal);
  std::sort(ordered.begin(), ordered.end(), [](const Signal* a, const Signal* b) {
    return a->severity != b->severity ? a->severity > b->severity : a < b;
  });
  return ordered;
}

bool resolved_before(const Alert& alert, Timestamp moment) {
  return alert.resolved_at && *alert.resolved_at < moment;
}

Result<Alert> open(Transaction& transaction, const Signal& signal, Timestamp now) {
  Alert alert{.workspace = signal.workspace, .source = signal.source, .subject = signal.subject};
  HF_TRY(alert.id, next_id(transaction, signal.workspace));
  alert.opened_at = now;
  alert.count = 1;
  describe(alert, signal);
  return alert;
}

// What a signal makes of an alert that is there: again open, graver, or one window more.
std::optional<Event> apply(Alert& alert, const Signal& gravest) {
  ++alert.count;
  alert.quiet_windows = 0;
  if (alert.state == State::kResolved) {
    alert.state = State::kOpen;
    alert.resolved_at.reset();
    ++alert.reopened;
    describe(alert, gravest);
    return Event::kReopened;
  }
  if (gravest.severity <= alert.severity) return std::nullopt;
  alert.state = State::kOpen;
  describe(alert, gravest);
  return Event::kRose;
}

std::int64_t windows_needed(const Policy& policy, const Alert& alert) {
  const auto doublings = std::min<std::int64_t>(alert.reopened, Policy::kMaxDoublings);
  return static_cast<std::int64_t>(std::max(policy.quiet_windows, 1)) << doublings;
}

Result<Alert> unresolved(const Transaction& transaction, const Alerts::Act& act) {
  HF_CHECK(check_name("who acts on an alert", act.who));
  HF_CHECK(check_text("a comment", act.comment, kMaxCommentBytes));
  HF_TRY(Alert alert, read_alert(transaction.view(), act.workspace, act.id));
  if (alert.state != State::kResolved) return alert;
  return base::fail(ErrorCode::kConflict, fmt::format("alert {} is resolved already", act.id.value()));
}

}  // namespace

Result<Alerts::Raised> Alerts::raise(Transaction& transaction, std::span<const Signal> signals,
                                     const RecordRows& record_rows) const {
  HF_CHECK(check_signals(signals));
  const Timestamp now = clock_->now();
  const auto ordered = gravest_first(signals);
  const Signal& gravest = *ordered.front();
  HF_TRY(auto latest, latest_alert(transaction.view(), gravest.workspace, gravest.source, gravest.subject));
  const bool goes_on = latest && !resolved_before(*latest, now + -policy_.soon);
  Alert alert;
  std::optional<Event> event;
  if (latest && goes_on) {
    alert = *std::move(latest);
    event = apply(alert, gravest);
  } else {
    HF_TRY(alert, open(transaction, gravest, now));
    event = Event::kOpened;
  }
  alert.last_at = now;
  std::optional<Transition> transition;
  if (event) {
    HF_TRY(transition, record(transaction, alert, now, {.event = *event}, record_rows));
  } else {
    HF_CHECK(record_rows(nlohmann::json::object()));
  }
  HF_CHECK(goes_on ? update(transaction, alert) : insert(transaction, alert));
  for (const Signal* const signal : ordered) HF_CHECK(keep_signal(transaction, alert, *signal));
  HF_CHECK(announce(transaction, alert));
  if (transition) HF_CHECK(keep(transaction, *outbox_, alert, *transition));
  return Raised{.id = alert.id, .event = event};
}

Result<bool> Alerts::quiet(Transaction& transaction, const WorkspaceId& workspace, std::string_view source,
                           std::string_view subject, const RecordRows& record_rows) const {
  HF_TRY(auto latest, latest_alert(transaction.view(), workspace, source, subject));
  if (!latest || latest->state == State::kResolved) {
    HF_CHECK(record_rows(nlohmann::json::object()));
    return false;
  }
  Alert alert = *std::move(latest);
  ++alert.quiet_windows;
  const bool over = alert.quiet_windows >= windows_needed(policy_, alert);
  const Timestamp now = clock_->now();
  std::optional<Transition> transition;
  if (over) {
    alert.state = State::kResolved;
    alert.resolved_at = now;
    const std::string why = fmt::format("quiet for {} windows", alert.quiet_windows);
    HF_TRY(transition,
           record(transaction, alert, now, {.event = Event::kResolved, .comment = why}, record_rows));
  } else {
    HF_CHECK(record_rows(nlohmann::json::object()));
  }
  HF_CHECK(update(transaction, alert));
  HF_CHECK(announce(transaction, alert));
  if (transition) HF_CHECK(keep(transaction, *outbox_, alert, *transition));
  return over;
}

Result<> Alerts::acknowledge(Transaction& transaction, const Act& act) const {
  HF_TRY(Alert alert, unresolved(transaction, act));
  if (alert.state == State::kAcknowledged) {
    return base::fail(ErrorCode::kConflict, fmt::format("alert {} is acknowledged already", act.id.value()));
  }
  alert.state = State::kAcknowledged;
  HF_TRY(const auto transition,
         record(transaction, alert, clock_->now(),
                {.event = Event::kAcknowledged, .who = act.who, .comment = act.comment}, act.record));
  HF_CHECK(update(transaction, alert));
  HF_CHECK(announce(transaction, alert));
  return keep(transaction, *outbox_, alert, transition);
}

Result<> Alerts::resolve(Transaction& transaction, const Act& act) const {
  HF_TRY(Alert alert, unresolved(transaction, act));
  if (act.comment.empty()) {
    return base::fail(ErrorCode::kInvalidArgument,
                      "resolving an alert takes a comment that says why it is over");
  }
  const Timestamp now = clock_->now();
  alert.state = State::kResolved;
  alert.resolved_at = now;
  HF_TRY(const auto transition,
         record(transaction, alert, now, {.event = Event::kResolved, .who = act.who, .comment = act.comment},
                act.record));
  HF_CHECK(update(transaction, alert));
  HF_CHECK(announce(transaction, alert));
  return keep(transaction, *outbox_, alert, transition);
}

}  // namespace holdfast::alerts
