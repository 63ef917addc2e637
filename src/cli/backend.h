#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <variant>

#include "base/config.h"
#include "base/result.h"
#include "cli/terminal.h"
#include "net/http.h"

// The seam between the command line and the server, which lie beside each other: programs/holdfast.cc gives
// the one to the other.

namespace holdfast::cli {

// A request of the API, as the command line makes it.
struct ApiRequest {
  std::string method = "GET";
  std::string target;        // path and query, percent-encoded: "/v1/models?model=credit"
  std::string content_type;  // of the body; empty where there is none
  // A descriptor is read from its present position and stays the caller's.
  std::variant<std::monostate, std::string, net::FileBody> body;
  std::string bearer;  // empty: the local operator, this process's own user
};

struct ApiResponse {
  int status = 0;
  std::string content_type;
  std::string body;
};

struct ServeOptions {
  std::filesystem::path state;
  const base::Config& settings;
  std::string address;     // to listen on
  std::uint16_t port = 0;  // 0: any that is free
  std::string version;     // of this program
  // Tells the person at the terminal a line: what it listens on, the first password. In the caller's thread.
  std::function<void(std::string_view line)> say;
};

class Backend {
 public:
  virtual ~Backend() = default;

  // Serves until SIGINT or SIGTERM. kUnavailable where another process holds the folder, or the port is
  // taken.
  virtual base::Result<ExitCode> serve(const ServeOptions& options) = 0;

  // Answers by the server's own routes, in this process. The caller has made sure that no server holds the
  // folder; kUnavailable where one does by now. Any answer is a success, whatever its status.
  virtual base::Result<ApiResponse> send_in_process(const std::filesystem::path& state,
                                                    const base::Config& settings,
                                                    const ApiRequest& request) = 0;
};

}  // namespace holdfast::cli
