#include "cli/server_command.h"

#include <chrono>
#include <future>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/answer.h"
#include "cli/settings.h"

namespace holdfast::cli {
namespace {

constexpr std::chrono::seconds kLookEvery{2};

base::Result<ExitCode> work_on_server(const Invocation& invocation, const ServerWork& work) {
  HF_TRY(auto settings, invocation.settings());
  HF_TRY(auto bearer, bearer_token(invocation.token_file));
  HF_TRY(const auto client, ApiClient::connect({.state = state_folder(invocation.state_path),
                                                .settings = std::move(settings),
                                                .bearer = std::move(bearer)},
                                               invocation.backend));
  return work(client);
}

// What the newest run of the model that goes on says of itself; empty where it can't be told, which is no
// reason to disturb the work.
std::string progress_of(const ApiClient& client, std::string_view model) {
  const auto response = client.get("/v1/runs");
  if (!response) return {};
  const auto answer = accepted(*response);
  if (!answer) return {};
  for (const auto& run : items(*answer, "runs")) {
    if (field(run, "/state") == "running" && field(run, "/model") == model) return field(run, "/progress");
  }
  return {};
}

}  // namespace

Action server_action(const Invocation& invocation, ServerWork work) {
  return [&invocation, work = std::move(work)]() -> base::Result<ExitCode> {
    auto outcome = work_on_server(invocation, work);
    if (outcome || outcome.error().code != base::ErrorCode::kInvalidArgument) return outcome;
    print_error(outcome.error().message);
    return ExitCode::kUsage;
  };
}

void on_server(CLI::App& command, const Invocation& invocation, Action& action, ServerWork work) {
  command.callback(
      [&invocation, &action, work = std::move(work)] { action = server_action(invocation, work); });
}

void on_server_or_verbs(CLI::App& command, const Invocation& invocation, Action& action,
                        std::vector<CLI::Option*> needed, ServerWork work) {
  command.require_subcommand(0, 1);
  command.callback([&command, &invocation, &action, needed = std::move(needed), work = std::move(work)] {
    const bool verb = !command.get_subcommands().empty();
    for (const CLI::Option* option : needed) {
      const bool given = option->count() > 0;
      if (verb && given)
        throw CLI::ExcludesError(option->get_name(), command.get_subcommands()[0]->get_name());
      if (!verb && !given) throw CLI::RequiredError(option->get_name());
    }
    if (!verb) action = server_action(invocation, work);
  });
}

base::Result<ApiResponse> send_watched(const ApiClient& client, ApiRequest request, std::string_view model,
                                       std::string_view doing) {
  Progress progress(doing);
  if (!client.is_remote() || !progress.visible()) return client.send(std::move(request));
  auto answer =
      std::async(std::launch::async, [&client, &request] { return client.send(std::move(request)); });
  while (answer.wait_for(kLookEvery) != std::future_status::ready) progress.say(progress_of(client, model));
  return answer.get();
}

}  // namespace holdfast::cli
