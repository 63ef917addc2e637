#include <fmt/format.h>

#include <array>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/answer.h"
#include "cli/server_command.h"

namespace holdfast::cli {
namespace {

constexpr std::array kStates = {"holds", "falls-short", "not-in-use"};

void show_posture(const nlohmann::json& answer) {
  std::array<std::size_t, kStates.size()> counts{};
  for (const auto& practice : items(answer, "practices")) {
    const auto state = field(practice, "/state");
    for (std::size_t i = 0; i < kStates.size(); ++i) {
      if (state == kStates[i]) ++counts[i];
    }
    print(fmt::format("{}  {:<11}  {}\n", field(practice, "/id"), state, field(practice, "/title")));
    print(fmt::format("     {}\n", field(practice, "/why")));
    if (const auto pieces = items(practice, "evidence").size(); pieces > 0)
      print(fmt::format("     evidence: {} (--json names each)\n", pieces));
  }
  for (std::size_t i = 0; i < kStates.size(); ++i)
    print(fmt::format("{}{} {}", i == 0 ? "" : ", ", counts[i], kStates[i]));
  print("\n");
}

}  // namespace

void add_posture_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto as_json = std::make_shared<bool>(false);
  auto* command = app.add_subcommand("posture", "Print the 27 practices: which hold, by what evidence");
  command->add_flag("--json", *as_json, "print the answer's JSON");
  command->footer(
      "It is computed from what ran, never from the configuration.\n"
      "Example: holdfast posture --json");
  on_server(*command, invocation, action, [as_json](const ApiClient& client) -> base::Result<ExitCode> {
    HF_TRY(const auto response, client.get("/v1/posture"));
    return print_answer(response, *as_json, show_posture);
  });
}

}  // namespace holdfast::cli
