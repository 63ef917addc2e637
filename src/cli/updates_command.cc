#include <fmt/format.h>

#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/settings.h"
#include "cli/updates_settings.h"

namespace holdfast::cli {
namespace {

base::Result<ExitCode> show(bool json, const Invocation& invocation) {
  HF_TRY(const auto settings, invocation.settings());
  const updates::UpdatePlaces places{.state = state_folder(invocation.state_path),
                                     .master_key = settings.text("keys.master_file"),
                                     .rule_keys = settings.list("rules.keys")};
  HF_TRY(const auto state, updates::read_update_state(places, update_limits(settings), invocation.version,
                                                      base::system_clock().now()));
  print(json ? state.json().dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"
             : updates::to_text(state));
  return state.overdue() > 0 ? ExitCode::kRefused : ExitCode::kDone;
}

}  // namespace

void add_updates_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto json = std::make_shared<bool>(false);
  auto* command = app.add_subcommand(
      "updates", "Show how old rules, advisories, keys, certificates, libraries and the program are");
  command->add_flag("--json", *json, "print JSON");
  command->footer(
      "Exit codes: 0 nothing is overdue, 1 something is, 2 could not be told.\n"
      "Example: holdfast updates --json");
  command->callback(
      [json, &invocation, &action] { action = [json, &invocation] { return show(*json, invocation); }; });
}

}  // namespace holdfast::cli
