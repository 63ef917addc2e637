#include <fmt/format.h>

#include <memory>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "inspect/report.h"
#include "intake/inspector.h"

namespace holdfast::cli {
namespace {

struct Options {
  std::vector<std::filesystem::path> paths;
  std::string format = "text";
  bool json = false;
  std::string fail_on = "medium";
};

base::Result<intake::InspectOptions> limits_of(const base::Config& settings) {
  const bool full = settings.boolean("jail.require_namespaces");
  return intake::InspectOptions{
      .memory_bytes = static_cast<std::uint64_t>(settings.integer("inspect.memory_mib")) << 20,
      .time_per_file = std::chrono::seconds(settings.integer("inspect.seconds")),
      .weakest_jail = full ? worker::JailStrength::kFull : worker::JailStrength::kWithoutNamespaces};
}

base::Result<ExitCode> inspect(const Options& options, const Invocation& invocation) {
  HF_TRY(const auto settings, invocation.settings());
  HF_TRY(const auto fail_on, inspect::parse_severity(options.fail_on));
  HF_TRY(auto limits, limits_of(settings));
  Progress progress("inspecting");
  limits.on_file = [&progress](const std::string& path) { progress.say(path); };
  HF_TRY(const auto report, intake::inspect_paths(options.paths, limits));
  if (options.format == "sarif") {
    print(to_sarif(report, invocation.version));
  } else if (options.json || options.format == "json") {
    print(to_json(report));
  } else {
    print(to_text(report, colour_output()));
  }
  return static_cast<ExitCode>(judge(report, fail_on));
}

}  // namespace

void add_inspect_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command =
      app.add_subcommand("inspect", "Look into files that nobody has vouched for, without running them");
  command->add_option("PATH", options->paths, "files and folders")->required();
  command->add_option("--format", options->format, "how to print what was found")
      ->check(CLI::IsMember({"text", "json", "sarif"}))
      ->capture_default_str();
  command->add_flag("--json", options->json, "the same as --format json");
  command
      ->add_option("--fail-on", options->fail_on, "the severity from which a finding makes the exit code 1")
      ->check(CLI::IsMember({"info", "low", "medium", "high", "critical"}))
      ->capture_default_str();
  command->footer(
      "Exit codes: 0 clean, 1 findings at or above --fail-on, 2 could not look at all of it, 64 usage.\n"
      "Example: holdfast inspect --format sarif model.pt > model.sarif");
  command->callback([options, &invocation, &action] {
    action = [options, &invocation] { return inspect(*options, invocation); };
  });
}

}  // namespace holdfast::cli
