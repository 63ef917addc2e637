#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "cli/api_client.h"
#include "cli/app.h"
#include "cli/backend.h"
#include "net/testing.h"

// For the tests of cli/ alone: a backend that answers as it is told, and the command line as it is called.

namespace holdfast::cli {

class ScriptedBackend final : public Backend {
 public:
  using Answer = std::function<base::Result<ApiResponse>(const ApiRequest&)>;
  explicit ScriptedBackend(Answer answer) : answer_(std::move(answer)) {}

  base::Result<ExitCode> serve(const ServeOptions& options) override {
    served.push_back(options.address + ":" + std::to_string(options.port));
    return ExitCode::kDone;
  }
  base::Result<ApiResponse> send_in_process(const std::filesystem::path& /*state*/,
                                            const base::Config& /*settings*/,
                                            const ApiRequest& request) override {
    seen.push_back(request);
    return answer_(request);
  }

  std::vector<ApiRequest> seen;
  std::vector<std::string> served;

 private:
  Answer answer_;
};

inline ApiResponse answer_of(int status, std::string body) {
  return {.status = status, .content_type = "application/json", .body = std::move(body)};
}

using net::TestFolder;

struct Outcome {
  int code;
  std::string out;
  std::string error;
};

// What a state folder holds once it was served.
inline void make_installation(const std::filesystem::path& state) {
  std::ofstream(state / kDatabaseFile, std::ios::app);
}

// `holdfast` with these arguments, on the state folder of an installation that nobody serves.
inline Outcome holdfast(Backend& backend, const std::filesystem::path& state,
                        std::vector<std::string> arguments) {
  make_installation(state);
  std::vector<const char*> argv{"holdfast", "--state", state.c_str()};
  for (const auto& argument : arguments) argv.push_back(argument.c_str());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int code = run(static_cast<int>(argv.size()), argv.data(), "0.0.0", backend);
  return {code, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
}

}  // namespace holdfast::cli
