#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "audit/row_history.h"
#include "base/digest.h"
#include "base/result.h"
#include "base/strong.h"
#include "base/time.h"
#include "store/database.h"
#include "store/outbox.h"

// What becomes of a measurement in production. Whoever measures raises a signal; signals of one source about
// one subject make one alert, which a person acknowledges and resolves, or which resolves by itself once the
// subject was quiet for some windows. Each transition is a change of the feed ("alert"), a line of the
// alert's history, and a message to each webhook of the workspace, all in the caller's transaction.
//
// The caller writes the audit record, when it is told which rows it is to name and before they are written;
// the rows carry its receipt (audit/row_history.h). What a window only adds to (counts, the latest figures)
// is not in what it names.

namespace holdfast::alerts {

// The tables of this module, for Database::open.
store::ModuleMigrations alerts_migrations();

// Writes the record of what is about to be done, durable on return, with these as its about.rows: each with
// its digest, null for a row that is removed. Called once by each verb below that takes one, unless that
// fails before; with an empty object where no row carries the record.
using RecordRows = std::function<base::Result<audit::Receipt>(const nlohmann::json& rows)>;

// Every row of this module that carries a record, in any workspace.
base::Result<std::vector<audit::RowClaim>> row_claims(const store::Snapshot& view);

using AlertId = base::Strong<struct AlertIdTag, std::int64_t>;  // 1, 2, ... in each workspace

enum class Severity { kInfo, kLow, kMedium, kHigh, kCritical };
inline constexpr std::size_t kSeverities = 5;
std::string_view to_string(Severity severity);  // "info" .. "critical"
base::Result<Severity> parse_severity(std::string_view text);

enum class State { kOpen, kAcknowledged, kResolved };
std::string_view to_string(State state);  // "open", "acknowledged", "resolved"
base::Result<State> parse_state(std::string_view text);

inline constexpr std::string_view kMessageKind = "alert";  // of the messages in the outbox

// One thing that a window showed.
struct Signal {
  base::WorkspaceId workspace;
  std::string source;   // what measures: "drift"
  std::string subject;  // what is measured: "endpoint:credit"
  std::string name;     // what of it: "feature PAY_0"
  Severity severity = Severity::kMedium;
  std::string summary;  // a sentence for the person on call, at most kMaxSummaryBytes
  std::string details =
      "{}";              // a JSON object, at most kMaxDetailsBytes: the figures with method and interval
  std::string practice;  // "P18"
  std::string risk;      // "R10"; may be empty
  std::string runbook;   // path of the page that says what to do: "/docs/alerts#drift"
};

inline constexpr std::size_t kMaxSignalNameBytes = 512;  // room for any column's name, and what it is
inline constexpr std::size_t kMaxSummaryBytes = 1'000;
inline constexpr std::size_t kMaxDetailsBytes = 8'192;
inline constexpr std::size_t kMaxCommentBytes = 2'000;
inline constexpr std::size_t kMaxSignals = 4'096;  // of one window: more than a table has columns
// Names kept of one alert, the gravest of a window first; signals under further names are not listed.
inline constexpr std::int64_t kMaxNames = 64;
inline constexpr std::int64_t kMaxListed = 500;

struct Policy {
  // Windows without a signal after which an alert resolves by itself. Doubled by each time that the alert
  // came back soon, up to kMaxDoublings times, so that what flaps settles into one long alert.
  int quiet_windows = 3;
  // An alert that comes back within this time after its end is the same one, opened again; later it is a new
  // one.
  std::chrono::microseconds soon = std::chrono::hours(1);

  static constexpr int kMaxDoublings = 4;
};

enum class Event {
  kOpened,
  kReopened,  // came back soon after its end
  kRose,      // in severity; an acknowledged alert is open again, since less was acknowledged
  kAcknowledged,
  kResolved,
};
std::string_view to_string(Event event);  // "opened" .. "resolved"

// What the signals under one name came to.
struct NamedSignal {
  std::string name;
  Severity severity = Severity::kInfo;  // the highest
  std::string summary;                  // the latest
  std::string details;                  // the latest, a JSON object
  std::int64_t count = 0;
  base::Timestamp first_at;
  base::Timestamp last_at;
};

struct Alert {
  base::WorkspaceId workspace;
  AlertId id;
  std::string source;
  std::string subject;
  State state = State::kOpen;
  Severity severity = Severity::kInfo;  // the highest since it was last opened
  std::string summary;                  // of the first signal at that severity
  std::string practice;
  std::string risk;
  std::string runbook;
  std::int64_t count = 0;  // windows with a signal
  std::int64_t reopened = 0;
  std::int64_t quiet_windows = 0;  // in a row, so far
  base::Timestamp opened_at;
  base::Timestamp last_at;                     // of the last signal
  std::optional<base::Timestamp> resolved_at;  // where resolved
  base::Digest record;                         // the audit record of its last transition
  std::int64_t record_index = 0;
};

struct Transition {
  std::int64_t number = 0;  // 1, 2, ... in each alert
  Event event = Event::kOpened;
  base::Timestamp at;
  std::string who;  // a principal; empty for the monitor itself
  std::string comment;
  base::Digest record;
  std::int64_t record_index = 0;
};

struct AlertDetails {
  Alert alert;
  std::vector<NamedSignal> signals;  // at most kMaxNames, in the order of their names
  std::vector<Transition> history;   // the latest kMaxListed, oldest first
};

// Holds no state but its parameters; used by any number of threads. Two that raise the same signal at once
// make one alert, since a Transaction is alone among writers.
class Alerts {
 public:
  // Kept alive by the caller.
  Alerts(const base::Clock& clock, const store::Outbox& outbox, const Policy& policy = {})
      : clock_(&clock), outbox_(&outbox), policy_(policy) {}

  struct Raised {
    AlertId id;
    std::optional<Event>
        event;  // the transition, if there was one; nothing: one more window of an open alert
  };
  // What one window showed: signals of one workspace, source and subject, 1 to kMaxSignals of them. `record`
  // writes the record of the measurement. kInvalidArgument names the field that is empty, too
  // long, not UTF-8 or no JSON object; kLimitExceeded over a bound.
  base::Result<Raised> raise(store::Transaction& transaction, std::span<const Signal> signals,
                             const RecordRows& record) const;
  base::Result<Raised> raise(store::Transaction& transaction, const Signal& signal,
                             const RecordRows& record) const {
    return raise(transaction, std::span(&signal, 1), record);
  }

  // A window of the subject in which the source measured and found nothing. A window without data is no quiet
  // window: do not call this for it. True where the alert resolved by this.
  base::Result<bool> quiet(store::Transaction& transaction, const base::WorkspaceId& workspace,
                           std::string_view source, std::string_view subject, const RecordRows& record) const;

  // What a person does. kNotFound for an alert that is not there; kConflict where it is acknowledged, or
  // resolved, already; kInvalidArgument without a principal. Resolving takes a reason as its comment.
  struct Act {
    base::WorkspaceId workspace;
    AlertId id;
    std::string who;  // a principal's id
    std::string comment;
    RecordRows record;
  };
  base::Result<> acknowledge(store::Transaction& transaction, const Act& act) const;
  base::Result<> resolve(store::Transaction& transaction, const Act& act) const;

 private:
  const base::Clock* clock_;
  const store::Outbox* outbox_;
  Policy policy_;
};

// kNotFound for an alert that is not there.
base::Result<AlertDetails> find_alert(const store::Snapshot& snapshot, const base::WorkspaceId& workspace,
                                      AlertId id);

struct AlertPage {
  std::vector<Alert> alerts;    // newest first
  std::optional<AlertId> next;  // hand it in as `after` for the next page; nothing: this was the last
};
// Alerts in one state, or in any; `limit` from 1 to kMaxListed.
base::Result<AlertPage> list_alerts(const store::Snapshot& snapshot, const base::WorkspaceId& workspace,
                                    std::optional<State> state, std::optional<AlertId> after,
                                    std::int64_t limit);

// How many alerts are not resolved, by severity (index it by Severity): for /metrics.
base::Result<std::array<std::int64_t, kSeverities>> unresolved_alerts(const store::Snapshot& snapshot,
                                                                      const base::WorkspaceId& workspace);

// As the API, the command line and the webhooks show it (docs/alerts.md).
nlohmann::json to_json(const Alert& alert);
nlohmann::json to_json(const AlertDetails& details);

}  // namespace holdfast::alerts
