#include "alerts/rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "crypto/sha256.h"

namespace holdfast::alerts {
namespace {

using base::Digest;
using base::ErrorCode;
using base::Result;
using base::Timestamp;
using base::WorkspaceId;
using store::Snapshot;
using store::Sql;

constexpr std::array<std::string_view, kSeverities> kSeverityNames{"info", "low", "medium", "high",
                                                                   "critical"};
constexpr std::array<std::string_view, 3> kStateNames{"open", "acknowledged", "resolved"};
constexpr std::array<std::string_view, 5> kEventNames{"opened", "reopened", "rose", "acknowledged",
                                                      "resolved"};

template <typename Enum, std::size_t N>
std::string_view name_of(const std::array<std::string_view, N>& names, Enum value) {
  const auto index = static_cast<std::size_t>(value);
  HF_ASSERT(index < N);
  return names[index];
}

template <typename Enum, std::size_t N>
std::optional<Enum> named(const std::array<std::string_view, N>& names, std::string_view text) {
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

template <typename Enum, std::size_t N>
bool take_named(const std::array<std::string_view, N>& names, store::Cell& cell, Enum& out) {
  const auto* text = std::get_if<std::string>(&cell);
  const auto value = text == nullptr ? std::nullopt : named<Enum>(names, *text);
  if (value) out = *value;
  return value.has_value();
}

using Row = std::tuple<AlertId, std::string, std::string, State, Severity, std::string, std::string,
                       std::string, std::string, std::int64_t, std::int64_t, std::int64_t, Timestamp,
                       Timestamp, std::optional<Timestamp>, Digest, std::int64_t>;

Alert to_alert(const WorkspaceId& workspace, Row&& row) {
  return std::apply(
      [&](auto&&... columns) { return Alert{workspace, std::forward<decltype(columns)>(columns)...}; },
      std::move(row));
}

using SignalRow =
    std::tuple<std::string, Severity, std::string, std::string, std::int64_t, Timestamp, Timestamp>;

std::vector<NamedSignal> to_signals(std::vector<SignalRow>&& rows) {
  std::vector<NamedSignal> signals;
  signals.reserve(rows.size());
  for (auto& row : rows) signals.push_back(std::make_from_tuple<NamedSignal>(std::move(row)));
  return signals;
}

template <typename... Columns, typename... Values>
Result<std::vector<std::tuple<Columns...>>> rows_as(std::tuple<Columns...>* /*type*/,
                                                    const Snapshot& snapshot, Sql sql,
                                                    const Values&... values) {
  return snapshot.rows<Columns...>(sql, values...);
}

}  // namespace

std::string_view to_string(Severity severity) { return name_of(kSeverityNames, severity); }
std::string_view to_string(State state) { return name_of(kStateNames, state); }
std::string_view to_string(Event event) { return name_of(kEventNames, event); }

Result<Severity> parse_severity(std::string_view text) {
  if (const auto severity = named<Severity>(kSeverityNames, text)) return *severity;
  return base::fail(ErrorCode::kInvalidArgument,
                    fmt::format("a severity is info, low, medium, high or critical, not \"{}\"", text));
}

Result<State> parse_state(std::string_view text) {
  if (const auto state = named<State>(kStateNames, text)) return *state;
  return base::fail(ErrorCode::kInvalidArgument,
                    fmt::format("an alert's state is open, acknowledged or resolved, not \"{}\"", text));
}

bool take(store::Cell& cell, Severity& out) {
  const auto* number = std::get_if<std::int64_t>(&cell);
  if (number == nullptr || *number < 0 || *number >= static_cast<std::int64_t>(kSeverities)) return false;
  out = static_cast<Severity>(*number);
  return true;
}
bool take(store::Cell& cell, State& out) { return take_named(kStateNames, cell, out); }
bool take(store::Cell& cell, Event& out) { return take_named(kEventNames, cell, out); }

audit::RowName name_row(const Alert& alert) {
  nlohmann::json contents{{"source", alert.source},
                          {"subject", alert.subject},
                          {"state", to_string(alert.state)},
                          {"severity", to_string(alert.severity)},
                          {"summary", alert.summary},
                          {"practice", alert.practice},
                          {"risk", alert.risk},
                          {"runbook", alert.runbook},
                          {"reopened", alert.reopened},
                          {"opened_at", alert.opened_at.microseconds()}};
  if (alert.resolved_at) contents["resolved_at"] = alert.resolved_at->microseconds();
  return audit::name_row(fmt::format("alerts/{}/{}", alert.workspace.value(), alert.id.value()),
                         std::move(contents));
}

audit::RowName name_row(const Alert& alert, const Transition& transition) {
  return audit::name_row(
      fmt::format("alert_transitions/{}/{}/{}", alert.workspace.value(), alert.id.value(), transition.number),
      {{"event", to_string(transition.event)},
       {"at", transition.at.microseconds()},
       {"who", transition.who},
       {"comment", transition.comment}});
}

audit::RowName name_row(const WorkspaceId& workspace, std::string_view name, std::string_view url,
                        Timestamp changed_at, base::ByteView sealed) {
  return audit::name_row(fmt::format("webhooks/{}/{}", workspace.value(), name),
                         {{"url", url},
                          {"changed_at", changed_at.microseconds()},
                          {"sealed_secret", crypto::sha256(sealed).hex()}});
}

Result<Alert> read_alert(const Snapshot& snapshot, const WorkspaceId& workspace, AlertId id) {
  HF_TRY(auto rows,
         rows_as(static_cast<Row*>(nullptr), snapshot,
                 Sql("SELECT id, source, subject, state, severity, summary, practice, risk, runbook, count,"
                     " reopened, quiet_windows, opened_at, last_at, resolved_at, record, record_index"
                     " FROM alerts WHERE workspace = $1 AND id = $2"),
                 workspace, id));
  if (!rows.empty()) return to_alert(workspace, std::move(rows.front()));
  return base::fail(ErrorCode::kNotFound,
                    fmt::format("there is no alert {} in workspace {}", id.value(), workspace.value()));
}

Result<std::optional<Alert>> latest_alert(const Snapshot& snapshot, const WorkspaceId& workspace,
                                          std::string_view source, std::string_view subject) {
  HF_TRY(
      const auto found,
      snapshot.row<AlertId>(Sql("SELECT id FROM alerts WHERE workspace = $1 AND source = $2 AND subject = $3"
                                " ORDER BY id DESC LIMIT 1"),
                            workspace, source, subject));
  if (!found) return std::nullopt;
  HF_TRY(Alert alert, read_alert(snapshot, workspace, std::get<0>(*found)));
  return alert;
}

Result<std::vector<NamedSignal>> gravest_signals(const Snapshot& snapshot, const WorkspaceId& workspace,
                                                 AlertId id, std::int64_t limit) {
  HF_TRY(
      auto rows,
      rows_as(static_cast<SignalRow*>(nullptr), snapshot,
              Sql("SELECT name, severity, summary, details, count, first_at, last_at FROM alert_signals"
                  " WHERE workspace = $1 AND alert = $2 ORDER BY severity DESC, last_at DESC, name LIMIT $3"),
              workspace, id, limit));
  return to_signals(std::move(rows));
}

Result<AlertDetails> find_alert(const Snapshot& snapshot, const WorkspaceId& workspace, AlertId id) {
  AlertDetails details;
  HF_TRY(details.alert, read_alert(snapshot, workspace, id));
  HF_TRY(details.signals, gravest_signals(snapshot, workspace, id, kMaxNames));
  HF_TRY(auto history,
         snapshot.rows<std::int64_t, Event, Timestamp, std::string, std::string, Digest, std::int64_t>(
             Sql("SELECT number, event, at, who, comment, record, record_index FROM alert_transitions"
                 " WHERE workspace = $1 AND alert = $2 ORDER BY number DESC LIMIT $3"),
             workspace, id, kMaxListed));
  for (auto& row : std::views::reverse(history)) {
    details.history.push_back(std::make_from_tuple<Transition>(std::move(row)));
  }
  return details;
}

Result<AlertPage> list_alerts(const Snapshot& snapshot, const WorkspaceId& workspace,
                              std::optional<State> state, std::optional<AlertId> after, std::int64_t limit) {
  if (limit < 1 || limit > kMaxListed) {
    return base::fail(ErrorCode::kInvalidArgument, fmt::format("limit must be from 1 to {}", kMaxListed));
  }
  // One more than asked for tells whether there is a next page.
  HF_TRY(auto rows,
         rows_as(static_cast<Row*>(nullptr), snapshot,
                 Sql("SELECT id, source, subject, state, severity, summary, practice, risk, runbook, count,"
                     " reopened, quiet_windows, opened_at, last_at, resolved_at, record, record_index"
                     " FROM alerts WHERE workspace = $1 AND state IN ($2, $3, $4) AND id < $5"
                     " ORDER BY id DESC LIMIT $6"),
                 workspace, state.value_or(State::kOpen), state.value_or(State::kAcknowledged),
                 state.value_or(State::kResolved), after.value_or(AlertId(INT64_MAX)), limit + 1));
  AlertPage page;
  const bool more = rows.size() > static_cast<std::size_t>(limit);
  if (more) rows.pop_back();
  for (auto& row : rows) page.alerts.push_back(to_alert(workspace, std::move(row)));
  if (more) page.next = page.alerts.back().id;
  return page;
}

Result<std::array<std::int64_t, kSeverities>> unresolved_alerts(const Snapshot& snapshot,
                                                                const WorkspaceId& workspace) {
  HF_TRY(const auto rows,
         snapshot.rows<Severity, std::int64_t>(
             Sql("SELECT severity, COUNT(*) FROM alerts"
                 " WHERE workspace = $1 AND state IN ('open', 'acknowledged') GROUP BY severity"),
             workspace));
  std::array<std::int64_t, kSeverities> counts{};
  for (const auto& [severity, count] : rows) counts[static_cast<std::size_t>(severity)] = count;
  return counts;
}

namespace {

Result<> claim_alerts(const Snapshot& view, std::vector<audit::RowClaim>& claims) {
  using Key = std::pair<WorkspaceId, AlertId>;
  const auto query = [&view](const Key& after) {
    return view.rows<WorkspaceId, AlertId, std::string, std::string, State, Severity, std::string,
                     std::string, std::string, std::string, std::int64_t, std::int64_t, std::int64_t,
                     Timestamp, Timestamp, std::optional<Timestamp>, Digest, std::int64_t>(
        Sql("SELECT workspace, id, source, subject, state, severity, summary, practice, risk, runbook, count,"
            " reopened, quiet_windows, opened_at, last_at, resolved_at, record, record_index"
            " FROM alerts WHERE (workspace, id) > ($1, $2) ORDER BY workspace, id LIMIT $3"),
        after.first, after.second, audit::kClaimsPage);
  };
  return audit::claim_pages(Key(), query, [&claims](auto& row) -> Result<Key> {
    const auto alert = std::make_from_tuple<Alert>(std::move(row));
    claims.push_back(audit::claim_row(name_row(alert), alert.record_index, alert.record));
    return Key(alert.workspace, alert.id);
  });
}

Result<> claim_transitions(const Snapshot& view, std::vector<audit::RowClaim>& claims) {
  using Key = std::tuple<WorkspaceId, AlertId, std::int64_t>;
  const auto query = [&view](const Key& after) {
    const auto& [workspace, alert, number] = after;
    return view.rows<WorkspaceId, AlertId, std::int64_t, Event, Timestamp, std::string, std::string, Digest,
                     std::int64_t>(
        Sql("SELECT workspace, alert, number, event, at, who, comment, record, record_index"
            " FROM alert_transitions WHERE (workspace, alert, number) > ($1, $2, $3)"
            " ORDER BY workspace, alert, number LIMIT $4"),
        workspace, alert, number, audit::kClaimsPage);
  };
  return audit::claim_pages(Key(), query, [&claims](auto& row) -> Result<Key> {
    auto& [workspace, id, number, event, at, who, comment, record, index] = row;
    const Alert alert{.workspace = workspace, .id = id};
    const Transition transition{number, event, at, who, comment, record, index};
    claims.push_back(audit::claim_row(name_row(alert, transition), index, record));
    return Key(workspace, id, number);
  });
}

Result<> claim_webhooks(const Snapshot& view, std::vector<audit::RowClaim>& claims) {
  using Key = std::pair<WorkspaceId, std::string>;
  const auto query = [&view](const Key& after) {
    return view.rows<WorkspaceId, std::string, std::string, base::Bytes, Timestamp, Digest, std::int64_t>(
        Sql("SELECT workspace, name, url, secret, changed_at, record, record_index FROM webhooks"
            " WHERE (workspace, name) > ($1, $2) ORDER BY workspace, name LIMIT $3"),
        after.first, after.second, audit::kClaimsPage);
  };
  return audit::claim_pages(Key(), query, [&claims](auto& row) -> Result<Key> {
    auto& [workspace, name, url, sealed, changed_at, record, index] = row;
    claims.push_back(audit::claim_row(name_row(workspace, name, url, changed_at, sealed), index, record));
    return Key(workspace, name);
  });
}

}  // namespace

Result<std::vector<audit::RowClaim>> row_claims(const Snapshot& view) {
  std::vector<audit::RowClaim> claims;
  HF_CHECK(claim_alerts(view, claims));
  HF_CHECK(claim_transitions(view, claims));
  HF_CHECK(claim_webhooks(view, claims));
  return claims;
}

}  // namespace holdfast::alerts
