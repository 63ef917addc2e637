#include <fmt/format.h>

#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/command.h"

namespace holdfast::cli {
namespace {

nlohmann::ordered_json to_json(const base::Config& config) {
  nlohmann::ordered_json settings = nlohmann::ordered_json::object();
  for (const auto& [name, setting] : config.settings()) {
    settings[name] = {
        {"value", std::visit([](const auto& v) { return nlohmann::ordered_json(v); }, setting.value)},
        {"origin", setting.origin},
        {"help", setting.help}};
  }
  return settings;
}

}  // namespace

void add_config_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto as_json = std::make_shared<bool>(false);
  auto* command = app.add_subcommand("config", "Print every setting in force and where it comes from");
  command->add_flag("--json", *as_json, "print JSON");
  command->footer("Example: HOLDFAST_INSPECT_SECONDS=60 holdfast config");
  command->callback([&invocation, &action, as_json] {
    action = [&invocation, as_json]() -> base::Result<ExitCode> {
      HF_TRY(const auto config, invocation.settings());
      if (*as_json) {
        print(to_json(config).dump(2) + "\n");
        return ExitCode::kDone;
      }
      for (const auto& [name, setting] : config.settings()) {
        print(fmt::format("{} = {}\n  {} (from {})\n", name, base::to_toml(setting.value), setting.help,
                          setting.origin));
      }
      return ExitCode::kDone;
    };
  });
}

}  // namespace holdfast::cli
