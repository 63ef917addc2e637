#include <fmt/format.h>

#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/answer.h"
#include "cli/principals.h"
#include "cli/server_command.h"

namespace holdfast::cli {
namespace {

struct Options {
  std::string key;
  bool json = false;
};

base::Result<ExitCode> list(const Options& options, const ApiClient& client) {
  HF_TRY(const auto response, client.get("/v1/keys"));
  return print_answer(response, options.json, [](const nlohmann::json& answer) {
    Table table({"KEY", "KIND", "SINCE"});
    for (const auto& key : items(answer, "keys")) {
      const auto since = field(key, "/created_at");
      const bool destroyed = field(key, "/destroyed") == "true";
      table.add({field(key, "/name"), destroyed ? "destroyed" : field(key, "/kind"),
                 since.empty() ? "not known" : since});
    }
    print(table.text("no keys"));
  });
}

base::Result<ExitCode> rotate(const Options& options, const ApiClient& client) {
  HF_TRY(const auto response, send_bare(client, "POST", path_of({"v1", "keys", options.key, "rotations"})));
  return print_answer(response, options.json, [&options](const nlohmann::json& /*answer*/) {
    print(
        options.key == "master"
            ? "all keys are wrapped by a new master key: copy its file to where you keep it, beside the old "
              "one, which still opens the copies of the state folder that were made before\n"
            : "what is kept from now on is sealed to a new key; what was kept before opens as it did\n");
  });
}

}  // namespace

void add_key_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("key", "See how old the installation's keys are, and rotate them");
  command->require_subcommand(1);
  command->footer("Example: holdfast key rotate master");
  auto* all = command->add_subcommand("list", "Every key's name, kind and age");
  all->footer("Example: holdfast key list");
  on_server(*all, invocation, action, [options](const ApiClient& client) { return list(*options, client); });
  auto* one = command->add_subcommand("rotate", "A new key in the place of one");
  one->add_option("KEY", options->key, "master, which wraps all others, or blobs, which seals what is kept")
      ->required()
      ->check(CLI::IsMember({"master", "blobs"}));
  one->footer("Example: holdfast key rotate master");
  on_server(*one, invocation, action,
            [options](const ApiClient& client) { return rotate(*options, client); });
  for (auto* verb : {all, one}) verb->add_flag("--json", options->json, "print the answer's JSON");
}

}  // namespace holdfast::cli
