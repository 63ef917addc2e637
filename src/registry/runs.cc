#include "registry/runs.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace holdfast::registry {

using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;
using store::Sql;

namespace {

using Row = std::tuple<std::int64_t, std::string, std::string, std::string, std::string, std::string,
                       std::string, base::Timestamp, std::string, std::optional<base::Timestamp>>;

Result<Run> run_of(const base::WorkspaceId& workspace, Row row) {
  auto& [id, kind, state_text, model, parameters, progress, result, started_at, started_by, finished_at] =
      row;
  Run run{.workspace = workspace,
          .id = id,
          .kind = std::move(kind),
          .state = RunState::kRunning,
          .model = std::move(model),
          .parameters_json = std::move(parameters),
          .progress = std::move(progress),
          .result_json = std::move(result),
          .started_at = started_at,
          .started_by = std::move(started_by),
          .finished_at = finished_at};
  for (const auto state : {RunState::kRunning, RunState::kDone, RunState::kFailed}) {
    if (state_text != to_string(state)) continue;
    run.state = state;
    return run;
  }
  return fail(ErrorCode::kDataCorrupt, "a run's row has a state that there is not");
}

}  // namespace

std::string_view to_string(RunState state) {
  switch (state) {
    case RunState::kRunning:
      return "running";
    case RunState::kDone:
      return "done";
    case RunState::kFailed:
      return "failed";
  }
  return "failed";
}

json Run::json() const {
  nlohmann::json value{
      {"id", id},
      {"kind", kind},
      {"state", to_string(state)},
      {"model", model},
      {"parameters", nlohmann::json::parse(parameters_json, nullptr, /*allow_exceptions=*/false)},
      {"progress", progress},
      {"started_at", started_at.text()},
      {"started_by", started_by}};
  if (!result_json.empty())
    value["result"] = nlohmann::json::parse(result_json, nullptr, /*allow_exceptions=*/false);
  if (finished_at) value["finished_at"] = finished_at->text();
  return value;
}

Result<Run> Runs::start(const access::Caller& caller, std::string_view kind, std::string_view model,
                        const json& parameters) {
  HF_TRY(auto change, parts_.database.begin());
  HF_TRY(const std::int64_t id, change.next_change(caller.workspace(), "run", kind));
  const Run run{.workspace = caller.workspace(),
                .id = id,
                .kind = std::string(kind),
                .model = std::string(model),
                .parameters_json = parameters.dump(),
                .started_at = parts_.clock.now(),
                .started_by = caller.text()};
  HF_CHECK(
      change.execute(Sql("INSERT INTO runs (workspace, id, kind, state, model, parameters, progress, result,"
                         " started_at, started_by) VALUES ($1, $2, $3, $4, $5, $6, '', '', $7, $8)"),
                     run.workspace, run.id, run.kind, to_string(run.state), run.model, run.parameters_json,
                     run.started_at, run.started_by));
  HF_CHECK(change.commit());
  return run;
}

Result<> Runs::progress(const Run& run, std::string_view line) {
  HF_TRY(auto change, parts_.database.begin());
  HF_CHECK(change.execute(
      Sql("UPDATE runs SET progress = $1 WHERE workspace = $2 AND id = $3 AND state = 'running'"), line,
      run.workspace, run.id));
  return change.commit();
}

Result<> Runs::done(const Run& run, const json& result) { return finish(run, RunState::kDone, result); }

Result<> Runs::failed(const Run& run, const base::Error& error) {
  return finish(run, RunState::kFailed, {{"error", error.message}});
}

Result<> Runs::finish(const Run& run, RunState state, const json& result) {
  HF_TRY(auto change, parts_.database.begin());
  HF_CHECK(change.execute(
      Sql("UPDATE runs SET state = $1, result = $2, finished_at = $3 WHERE workspace = $4 AND id = $5"),
      to_string(state), result.dump(-1, ' ', false, json::error_handler_t::replace), parts_.clock.now(),
      run.workspace, run.id));
  HF_CHECK(change.next_change(run.workspace, "run", run.kind));
  return change.commit();
}

Result<> Runs::fail_interrupted() {
  HF_TRY(auto change, parts_.database.begin());
  HF_CHECK(change.execute(
      Sql("UPDATE runs SET state = 'failed', result = $1, finished_at = $2 WHERE state = 'running'"),
      json{{"error", "the server ended while it ran; start it again"}}.dump(), parts_.clock.now()));
  return change.commit();
}

Result<Run> Runs::find(const base::WorkspaceId& workspace, std::int64_t id) const {
  HF_TRY(const auto snapshot, parts_.database.snapshot());
  auto found = snapshot.row<std::int64_t, std::string, std::string, std::string, std::string, std::string,
                            std::string, base::Timestamp, std::string, std::optional<base::Timestamp>>(
      Sql("SELECT id, kind, state, model, parameters, progress, result, started_at, started_by, finished_at "
          "FROM runs"
          " WHERE workspace = $1 AND id = $2"),
      workspace, id);
  if (!found) return fail(std::move(found).error());
  if (!*found) return fail(ErrorCode::kNotFound, fmt::format("there is no run {}", id));
  return run_of(workspace, **std::move(found));
}

Result<std::vector<Run>> Runs::list(const base::WorkspaceId& workspace, std::size_t limit) const {
  HF_TRY(const auto snapshot, parts_.database.snapshot());
  auto rows = snapshot.rows<std::int64_t, std::string, std::string, std::string, std::string, std::string,
                            std::string, base::Timestamp, std::string, std::optional<base::Timestamp>>(
      Sql("SELECT id, kind, state, model, parameters, progress, result, started_at, started_by, finished_at "
          "FROM runs"
          " WHERE workspace = $1 ORDER BY id DESC LIMIT $2"),
      workspace, static_cast<std::int64_t>(limit));
  if (!rows) return fail(std::move(rows).error());
  std::vector<Run> runs;
  for (auto& row : *rows) {
    HF_TRY(auto run, run_of(workspace, std::move(row)));
    runs.push_back(std::move(run));
  }
  return runs;
}

}  // namespace holdfast::registry
