#pragma once

#include <optional>

#include "alerts/alerts.h"

// For alerts/ alone: the states and severities as columns hold them, and alerts as rows.

namespace holdfast::alerts {

// Found by store's own templates beside the types.
inline store::Parameter to_parameter(Severity severity) { return static_cast<std::int64_t>(severity); }
inline store::Parameter to_parameter(State state) { return to_string(state); }
inline store::Parameter to_parameter(Event event) { return to_string(event); }
[[nodiscard]] bool take(store::Cell& cell, Severity& out);
[[nodiscard]] bool take(store::Cell& cell, State& out);
[[nodiscard]] bool take(store::Cell& cell, Event& out);

// The integer of a query that gives one row whatever is there, as COUNT does.
template <typename... Values>
base::Result<std::int64_t> number_of(const store::Snapshot& snapshot, store::Sql sql,
                                     const Values&... values) {
  HF_TRY(const auto rows, snapshot.rows<std::int64_t>(sql, values...));
  if (rows.size() == 1) return std::get<0>(rows.front());
  return base::fail(base::ErrorCode::kDataCorrupt,
                    "the database gives no single number: " + std::string(sql.text()));
}

// What the records of transitions name: all that one decides, of the alert and of its own row.
audit::RowName name_row(const Alert& alert);
audit::RowName name_row(const Alert& alert, const Transition& transition);
// Of a webhook, whose secret lies sealed.
audit::RowName name_row(const base::WorkspaceId& workspace, std::string_view name, std::string_view url,
                        base::Timestamp changed_at, base::ByteView sealed);

// kNotFound for an alert that is not there.
base::Result<Alert> read_alert(const store::Snapshot& snapshot, const base::WorkspaceId& workspace,
                               AlertId id);

// The latest alert of a source about a subject, resolved or not.
base::Result<std::optional<Alert>> latest_alert(const store::Snapshot& snapshot,
                                                const base::WorkspaceId& workspace, std::string_view source,
                                                std::string_view subject);

// The highest severity first, then the latest; at most `limit`.
base::Result<std::vector<NamedSignal>> gravest_signals(const store::Snapshot& snapshot,
                                                       const base::WorkspaceId& workspace, AlertId id,
                                                       std::int64_t limit);

}  // namespace holdfast::alerts
