#include <fmt/format.h>

#include <memory>
#include <optional>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/settings.h"

namespace holdfast::cli {
namespace {

struct Options {
  std::string address;
  std::optional<std::uint16_t> port;
};

base::Result<ExitCode> serve(const Options& options, const Invocation& invocation) {
  HF_TRY(const auto settings, invocation.settings());
  const auto port = static_cast<std::uint16_t>(settings.integer("server.port"));
  return invocation.backend.serve(
      {.state = state_folder(invocation.state_path),
       .settings = settings,
       .address = options.address.empty() ? settings.text("server.address") : options.address,
       .port = options.port.value_or(port),
       .version = invocation.version,
       .say = [](std::string_view line) { print_error(line); }});
}

}  // namespace

void add_serve_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("serve", "Serve the API and the endpoints, until interrupted");
  command->add_option("--address", options->address, "where to listen, instead of server.address")
      ->type_name("ADDRESS");
  command->add_option("--port", options->port, "the port, instead of server.port; 0 for any that is free")
      ->type_name("N")
      ->check(CLI::Range(0, 65'535));
  command->footer(
      "What it listens on goes to standard error, and so does, the first time, the administrator's one-time "
      "password.\n"
      "Example: holdfast serve --state ./state --port 8443");
  command->callback([options, &invocation, &action] {
    action = [options, &invocation] { return serve(*options, invocation); };
  });
}

}  // namespace holdfast::cli
