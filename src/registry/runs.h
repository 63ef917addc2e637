#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "access/decision.h"
#include "base/strong.h"
#include "base/time.h"
#include "registry/parts.h"

namespace holdfast::registry {

enum class RunState {
  kWaiting,  // asked for; no worker has it
  kRunning,
  kDone,
  kFailed,
  kCancelled,
};
std::string_view to_string(RunState state);  // "waiting", "running", "done", "failed", "cancelled"

// How far a run is.
struct RunProgress {
  std::string step;                       // "training"
  std::string line;                       // one line for a person
  std::optional<std::uint32_t> permille;  // of the step
  std::string metrics_json;               // an object: the figures so far; empty: none
};
using OnRunProgress = std::function<void(const RunProgress&)>;

// Something that took a while: a training, an evaluation. What it was asked, how far it is, what came of it.
struct Run {
  base::WorkspaceId workspace;
  std::int64_t id = 0;
  std::string kind;  // "train", "harden", "evaluate"
  RunState state = RunState::kRunning;
  std::string model;
  std::string parameters_json;
  RunProgress progress;
  std::string
      result_json;  // an object once done; of a failed or cancelled run {"error": "...", "code": "..."}
  base::Timestamp started_at;  // when it was asked for
  std::string started_by;
  std::optional<base::Timestamp> finished_at;
  std::optional<std::int64_t> job;  // of store/jobs.h, that it rides on; none within a request
  std::int64_t attempt = 0;         // 1 for the first; 0 while no worker had it
  std::int64_t fence = 0;           // of the job's lease

  [[nodiscard]] bool is_open() const { return state == RunState::kWaiting || state == RunState::kRunning; }
  [[nodiscard]] nlohmann::json json() const;
};

// The rows of runs. Thread-safe. What takes a Transaction is part of a change that its caller commits.
class Runs {
 public:
  explicit Runs(const Parts& parts) : parts_(parts) {}

  // --- within a request ---

  base::Result<Run> start(const access::Caller& caller, std::string_view kind, std::string_view model,
                          const nlohmann::json& parameters);
  base::Result<> done(const Run& run, const nlohmann::json& result);
  base::Result<> failed(const Run& run, const base::Error& error);
  // Those within a request that were running when the server ended: failed, and said so. Call before anything
  // runs.
  base::Result<> fail_interrupted();

  // --- on a job ---

  base::Result<Run> wait(store::Transaction& change, const access::Caller& caller, std::string_view kind,
                         std::string_view model, const nlohmann::json& parameters);
  base::Result<> ride(store::Transaction& change, const Run& run, std::int64_t job);
  // The run that rides on the job, for a worker that leased it; nothing where it has ended
  // already.
  base::Result<std::optional<Run>> take(store::Transaction& change, const base::WorkspaceId& workspace,
                                        std::int64_t job, std::int64_t attempt, std::int64_t fence);
  // Both are refused with kConflict once the run has ended, or another worker took it over.
  base::Result<> give_back(store::Transaction& change, const Run& run);
  base::Result<> finish(store::Transaction& change, const Run& run, RunState state,
                        const nlohmann::json& result);
  // Waiting and running ones on jobs, of every workspace: workspace, run, job.
  [[nodiscard]] base::Result<std::vector<std::tuple<base::WorkspaceId, std::int64_t, std::int64_t>>> open(
      const store::Snapshot& view) const;

  // Of what this worker has; nothing happens once it has not.
  base::Result<> progress(const Run& run, const RunProgress& progress);

  [[nodiscard]] base::Result<Run> find(const base::WorkspaceId& workspace, std::int64_t id) const;
  [[nodiscard]] base::Result<Run> find(const store::Snapshot& view, const base::WorkspaceId& workspace,
                                       std::int64_t id) const;
  // Newest first.
  [[nodiscard]] base::Result<std::vector<Run>> list(const base::WorkspaceId& workspace,
                                                    std::size_t limit) const;

 private:
  base::Result<Run> insert(store::Transaction& change, const access::Caller& caller, RunState state,
                           std::string_view kind, std::string_view model, const nlohmann::json& parameters);
  base::Result<> finish(const Run& run, RunState state, const nlohmann::json& result);
  Parts parts_;
};

// What a failed run's result says.
nlohmann::json failure_json(const base::Error& error);

}  // namespace holdfast::registry
