#pragma once

#include <functional>
#include <string_view>

#include "cli/api_client.h"
#include "cli/command.h"

// What the commands that speak with the installation share: the client, the token, the exit code of an
// answer.

namespace holdfast::cli {

using ServerWork = std::function<base::Result<ExitCode>(const ApiClient& client)>;

// Work as an action. What the server calls a bad request is a usage error, code 64. `invocation` outlives it.
Action server_action(const Invocation& invocation, ServerWork work);
// Makes `work` the action of the command.
void on_server(CLI::App& command, const Invocation& invocation, Action& action, ServerWork work);

// Sends a request that may take minutes, and shows how far its run is (GET /v1/runs) meanwhile.
base::Result<ApiResponse> send_watched(const ApiClient& client, ApiRequest request, std::string_view model,
                                       std::string_view doing);

}  // namespace holdfast::cli
