#include "registry/runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace holdfast::registry {

using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;
using store::Sql;

namespace {

using Row =
    std::tuple<std::int64_t, std::string, std::string, std::string, std::string, std::string, std::string,
               base::Timestamp, std::string, std::optional<base::Timestamp>, std::optional<std::int64_t>,
               std::int64_t, std::int64_t, std::string, std::optional<std::int64_t>, std::string>;

constexpr std::array kStates{RunState::kWaiting, RunState::kRunning, RunState::kDone, RunState::kFailed,
                             RunState::kCancelled};

Result<Run> run_of(const base::WorkspaceId& workspace, Row row) {
  auto& [id, kind, state_text, model, parameters, line, result, started_at, started_by, finished_at, job,
         attempt, fence, step, permille, metrics] = row;
  Run run{.workspace = workspace,
          .id = id,
          .kind = std::move(kind),
          .state = RunState::kRunning,
          .model = std::move(model),
          .parameters_json = std::move(parameters),
          .progress = {.step = std::move(step),
                       .line = std::move(line),
                       .permille = {},
                       .metrics_json = std::move(metrics)},
          .result_json = std::move(result),
          .started_at = started_at,
          .started_by = std::move(started_by),
          .finished_at = finished_at,
          .job = job,
          .attempt = attempt,
          .fence = fence};
  if (permille) run.progress.permille = static_cast<std::uint32_t>(*permille);
  const auto* state = std::ranges::find(kStates, state_text, [](RunState one) { return to_string(one); });
  if (state == kStates.end())
    return fail(ErrorCode::kDataCorrupt, "a run's row has a state that there is not");
  run.state = *state;
  return run;
}

// Of the ids from `first` to `last`, newest first.
Result<std::vector<Run>> read(const store::Snapshot& view, const base::WorkspaceId& workspace,
                              std::int64_t first, std::int64_t last, std::size_t limit) {
  auto rows = view.rows<std::int64_t, std::string, std::string, std::string, std::string, std::string,
                        std::string, base::Timestamp, std::string, std::optional<base::Timestamp>,
                        std::optional<std::int64_t>, std::int64_t, std::int64_t, std::string,
                        std::optional<std::int64_t>, std::string>(
      Sql("SELECT id, kind, state, model, parameters, progress, result, started_at, started_by, finished_at,"
          " job, attempt, fence, step, share_permille, metrics FROM runs"
          " WHERE workspace = $1 AND id >= $2 AND id <= $3 ORDER BY id DESC LIMIT $4"),
      workspace, first, last, static_cast<std::int64_t>(limit));
  if (!rows) return fail(std::move(rows).error());
  std::vector<Run> runs;
  for (auto& row : *rows) {
    HF_TRY(auto run, run_of(workspace, std::move(row)));
    runs.push_back(std::move(run));
  }
  return runs;
}

json parsed(const std::string& text) { return json::parse(text, nullptr, /*allow_exceptions=*/false); }

std::string dumped(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

// Of a statement that changes the one row which the worker still has.
Result<> require_held(const Result<std::int64_t>& changed, const Run& run) {
  if (!changed) return fail(changed.error());
  if (*changed == 1) return {};
  return fail(
      ErrorCode::kConflict,
      fmt::format("run {} has ended, or another worker took it over; drop what was done for it", run.id));
}

}  // namespace

std::string_view to_string(RunState state) {
  switch (state) {
    case RunState::kWaiting:
      return "waiting";
    case RunState::kRunning:
      return "running";
    case RunState::kDone:
      return "done";
    case RunState::kFailed:
      return "failed";
    case RunState::kCancelled:
      return "cancelled";
  }
  return "failed";
}

json failure_json(const base::Error& error) {
  return {{"error", error.message}, {"code", base::to_string(error.code)}};
}

json Run::json() const {
  nlohmann::json value{{"id", id},
                       {"kind", kind},
                       {"state", to_string(state)},
                       {"model", model},
                       {"parameters", parsed(parameters_json)},
                       {"progress", progress.line},
                       {"started_at", started_at.text()},
                       {"started_by", started_by}};
  if (job) value["attempt"] = attempt;
  if (!progress.step.empty()) value["step"] = progress.step;
  if (progress.permille) value["share_done"] = *progress.permille / 1000.0;
  if (!progress.metrics_json.empty()) value["metrics"] = parsed(progress.metrics_json);
  if (!result_json.empty()) value["result"] = parsed(result_json);
  if (finished_at) value["finished_at"] = finished_at->text();
  return value;
}

Result<Run> Runs::insert(store::Transaction& change, const access::Caller& caller, RunState state,
                         std::string_view kind, std::string_view model, const json& parameters) {
  HF_TRY(const std::int64_t id, change.next_change(caller.workspace(), "run", kind));
  const Run run{.workspace = caller.workspace(),
                .id = id,
                .kind = std::string(kind),
                .state = state,
                .model = std::string(model),
                .parameters_json = parameters.dump(),
                .started_at = parts_.clock.now(),
                .started_by = caller.text()};
  HF_CHECK(
      change.execute(Sql("INSERT INTO runs (workspace, id, kind, state, model, parameters, progress, result,"
                         " started_at, started_by) VALUES ($1, $2, $3, $4, $5, $6, '', '', $7, $8)"),
                     run.workspace, run.id, run.kind, to_string(run.state), run.model, run.parameters_json,
                     run.started_at, run.started_by));
  return run;
}

Result<Run> Runs::start(const access::Caller& caller, std::string_view kind, std::string_view model,
                        const json& parameters) {
  HF_TRY(auto change, parts_.database.begin());
  HF_TRY(auto run, insert(change, caller, RunState::kRunning, kind, model, parameters));
  HF_CHECK(change.commit());
  return run;
}

Result<Run> Runs::wait(store::Transaction& change, const access::Caller& caller, std::string_view kind,
                       std::string_view model, const json& parameters) {
  return insert(change, caller, RunState::kWaiting, kind, model, parameters);
}

Result<> Runs::ride(store::Transaction& change, const Run& run, std::int64_t job) {
  HF_CHECK(change.execute(Sql("UPDATE runs SET job = $1 WHERE workspace = $2 AND id = $3"), job,
                          run.workspace, run.id));
  return {};
}

Result<std::optional<Run>> Runs::take(store::Transaction& change, const base::WorkspaceId& workspace,
                                      std::int64_t job, std::int64_t attempt, std::int64_t fence) {
  HF_TRY(const auto found, change.view().row<std::int64_t>(
                               Sql("SELECT id FROM runs WHERE workspace = $1 AND job = $2"), workspace, job));
  if (!found) return std::optional<Run>();
  HF_TRY(auto run, find(change.view(), workspace, std::get<0>(*found)));
  if (!run.is_open()) return std::optional<Run>();
  run.state = RunState::kRunning;
  run.attempt = attempt;
  run.fence = fence;
  run.progress = {};
  HF_CHECK(change.execute(Sql("UPDATE runs SET state = 'running', attempt = $1, fence = $2, progress = '',"
                              " step = '', share_permille = NULL, metrics = ''"
                              " WHERE workspace = $3 AND id = $4"),
                          attempt, fence, workspace, run.id));
  HF_CHECK(change.next_change(workspace, "run", run.kind));
  return std::optional(std::move(run));
}

Result<> Runs::give_back(store::Transaction& change, const Run& run) {
  HF_CHECK(require_held(
      change.execute(
          Sql("UPDATE runs SET state = 'waiting', progress = '', step = '', share_permille = NULL,"
              " metrics = '' WHERE workspace = $1 AND id = $2 AND fence = $3 AND state = 'running'"),
          run.workspace, run.id, run.fence),
      run));
  HF_CHECK(change.next_change(run.workspace, "run", run.kind));
  return {};
}

Result<> Runs::finish(store::Transaction& change, const Run& run, RunState state, const json& result) {
  HF_CHECK(require_held(
      change.execute(Sql("UPDATE runs SET state = $1, result = $2, finished_at = $3 WHERE workspace = $4"
                         " AND id = $5 AND fence = $6 AND state IN ('waiting', 'running')"),
                     to_string(state), dumped(result), parts_.clock.now(), run.workspace, run.id, run.fence),
      run));
  HF_CHECK(change.next_change(run.workspace, "run", run.kind));
  return {};
}

Result<std::vector<std::tuple<base::WorkspaceId, std::int64_t, std::int64_t>>> Runs::open(
    const store::Snapshot& view) const {
  return view.rows<base::WorkspaceId, std::int64_t, std::int64_t>(
      Sql("SELECT workspace, id, job FROM runs WHERE state IN ('waiting', 'running') AND job IS NOT NULL"
          " ORDER BY workspace, id LIMIT $1"),
      store::kMaxRows);
}

Result<> Runs::progress(const Run& run, const RunProgress& progress) {
  std::optional<std::int64_t> permille;
  if (progress.permille) permille = *progress.permille;
  HF_TRY(auto change, parts_.database.begin());
  HF_CHECK(change.execute(Sql("UPDATE runs SET progress = $1, step = $2, share_permille = $3, metrics = $4"
                              " WHERE workspace = $5 AND id = $6 AND state = 'running' AND fence = $7"),
                          progress.line, progress.step, permille, progress.metrics_json, run.workspace,
                          run.id, run.fence));
  return change.commit();
}

Result<> Runs::done(const Run& run, const json& result) { return finish(run, RunState::kDone, result); }

Result<> Runs::failed(const Run& run, const base::Error& error) {
  return finish(run, RunState::kFailed, failure_json(error));
}

Result<> Runs::finish(const Run& run, RunState state, const json& result) {
  HF_TRY(auto change, parts_.database.begin());
  HF_CHECK(finish(change, run, state, result));
  return change.commit();
}

Result<> Runs::fail_interrupted() {
  HF_TRY(auto change, parts_.database.begin());
  HF_CHECK(change.execute(
      Sql("UPDATE runs SET state = 'failed', result = $1, finished_at = $2"
          " WHERE state = 'running' AND job IS NULL"),
      failure_json({ErrorCode::kUnavailable, "the server ended while it ran; start it again"}).dump(),
      parts_.clock.now()));
  return change.commit();
}

Result<Run> Runs::find(const store::Snapshot& view, const base::WorkspaceId& workspace,
                       std::int64_t id) const {
  HF_TRY(auto found, read(view, workspace, id, id, 1));
  if (found.empty()) return fail(ErrorCode::kNotFound, fmt::format("there is no run {}", id));
  return std::move(found.front());
}

Result<Run> Runs::find(const base::WorkspaceId& workspace, std::int64_t id) const {
  HF_TRY(const auto snapshot, parts_.database.snapshot());
  return find(snapshot, workspace, id);
}

Result<std::vector<Run>> Runs::list(const base::WorkspaceId& workspace, std::size_t limit) const {
  HF_TRY(const auto snapshot, parts_.database.snapshot());
  return read(snapshot, workspace, 1, std::numeric_limits<std::int64_t>::max(), limit);
}

}  // namespace holdfast::registry
