#include "cli/run_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include <nlohmann/json.hpp>

#include "cli/answer.h"
#include "cli/terminal.h"

namespace holdfast::cli {

using base::ErrorCode;
using base::Result;

namespace {

// Short trainings are told at once, long ones are not asked about all the time.
constexpr std::chrono::milliseconds kFirstLook{100};
constexpr std::chrono::milliseconds kLastLook{2'000};

bool is_open(const nlohmann::json& run) {
  const auto state = field(run, "/state");
  return state == "waiting" || state == "running";
}

Result<nlohmann::json> look(const ApiClient& client, const std::string& id) {
  HF_TRY(const auto response, client.get(path_of({"v1", "runs", id})));
  return accepted(response);
}

ErrorCode code_named(std::string_view name) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); ++code) {
    if (to_string(static_cast<ErrorCode>(code)) == name) return static_cast<ErrorCode>(code);
  }
  return ErrorCode::kInternal;
}

}  // namespace

std::string progress_line(const nlohmann::json& run) {
  std::string line = field(run, "/step");
  if (const auto progress = field(run, "/progress"); !progress.empty()) {
    line += (line.empty() ? "" : ", ") + progress;
  }
  const auto share = run.find("share_done");
  if (share != run.end() && share->is_number())
    line += fmt::format(" ({:.0f} %)", 100 * share->get<double>());
  if (line.empty() && field(run, "/state") == "waiting") return "waiting for its turn";
  return line;
}

Result<nlohmann::json> wait_for_run(const ApiClient& client, const std::string& id, std::string_view doing) {
  Progress progress(doing);
  for (auto pause = kFirstLook;; pause = std::min(2 * pause, kLastLook)) {
    auto run = look(client, id);
    if (!run) {
      return base::fail(base::Error(run.error())
                            .within(fmt::format("run {} was asked for, and can't be watched (come back to it "
                                                "with: holdfast runs show {} --wait)",
                                                id, id)));
    }
    if (!is_open(*run)) return run;
    progress.say(progress_line(*run));
    std::this_thread::sleep_for(pause);
  }
}

Result<> outcome_of(const nlohmann::json& run) {
  if (field(run, "/state") == "done") return {};
  return base::fail(code_named(field(run, "/result/code")),
                    fmt::format("run {} {}: {}", field(run, "/id"),
                                field(run, "/state") == "cancelled" ? "was cancelled" : "failed",
                                field(run, "/result/error")));
}

}  // namespace holdfast::cli
