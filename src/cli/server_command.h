#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "cli/api_client.h"
#include "cli/command.h"

// What the commands that speak with the installation share: the client, the token, the exit code of an
// answer.

namespace CLI {
class Option;
}

namespace holdfast::cli {

using ServerWork = std::function<base::Result<ExitCode>(const ApiClient& client)>;

// Work as an action. What the server calls a bad request is a usage error, code 64. `invocation` outlives it.
Action server_action(const Invocation& invocation, ServerWork work);
// Makes `work` the action of the command.
void on_server(CLI::App& command, const Invocation& invocation, Action& action, ServerWork work);

// The same of a command that has verbs beside its own work: without one of them `needed` must be given, and
// with one nothing of its own may be.
void on_server_or_verbs(CLI::App& command, const Invocation& invocation, Action& action,
                        std::vector<CLI::Option*> needed, ServerWork work);

// Sends a request that may take minutes, and shows how far its run is (GET /v1/runs) meanwhile.
base::Result<ApiResponse> send_watched(const ApiClient& client, ApiRequest request, std::string_view model,
                                       std::string_view doing);

}  // namespace holdfast::cli
