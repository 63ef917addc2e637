#pragma once

#include "cli/backend.h"

// The command line's Backend over server/.
class ServerBackend final : public holdfast::cli::Backend {
 public:
  explicit ServerBackend(const char* version) : version_(version) {}

  holdfast::base::Result<holdfast::cli::ExitCode> serve(const holdfast::cli::ServeOptions& options) override;
  holdfast::base::Result<holdfast::cli::ApiResponse> send_in_process(
      const std::filesystem::path& state, const holdfast::base::Config& settings,
      const holdfast::cli::ApiRequest& request) override;

 private:
  const char* version_;
};
