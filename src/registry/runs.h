#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/decision.h"
#include "base/strong.h"
#include "base/time.h"
#include "registry/parts.h"

namespace holdfast::registry {

enum class RunState { kRunning, kDone, kFailed };
std::string_view to_string(RunState state);  // "running", "done", "failed"

// Something that took a while: a training, an evaluation. What it was asked, how far it is, what came of it.
struct Run {
  base::WorkspaceId workspace;
  std::int64_t id = 0;
  std::string kind;  // "train", "harden", "evaluate"
  RunState state = RunState::kRunning;
  std::string model;
  std::string parameters_json;
  std::string progress;     // one line for a person
  std::string result_json;  // an object once done; of a failed run {"error": "..."}
  base::Timestamp started_at;
  std::string started_by;
  std::optional<base::Timestamp> finished_at;

  [[nodiscard]] nlohmann::json json() const;
};

// Thread-safe.
class Runs {
 public:
  explicit Runs(const Parts& parts) : parts_(parts) {}

  base::Result<Run> start(const access::Caller& caller, std::string_view kind, std::string_view model,
                          const nlohmann::json& parameters);
  base::Result<> progress(const Run& run, std::string_view line);
  base::Result<> done(const Run& run, const nlohmann::json& result);
  base::Result<> failed(const Run& run, const base::Error& error);
  // Those that were running when the server ended: failed, and said so. Call before anything runs.
  base::Result<> fail_interrupted();

  [[nodiscard]] base::Result<Run> find(const base::WorkspaceId& workspace, std::int64_t id) const;
  // Newest first.
  [[nodiscard]] base::Result<std::vector<Run>> list(const base::WorkspaceId& workspace,
                                                    std::size_t limit) const;

 private:
  base::Result<> finish(const Run& run, RunState state, const nlohmann::json& result);
  Parts parts_;
};

}  // namespace holdfast::registry
