#include <fmt/format.h>

#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "cli/answer.h"
#include "cli/principals.h"
#include "cli/server_command.h"

namespace holdfast::cli {
namespace {

constexpr std::size_t kMaxPolicyBytes = 64UL << 10;

struct Options {
  std::string id;
  std::filesystem::path file;
  bool json = false;
};

base::Result<ExitCode> list(const Options& options, const ApiClient& client) {
  HF_TRY(const auto response, client.get("/v1/policies"));
  return print_answer(response, options.json, [](const nlohmann::json& answer) {
    for (const auto& policy : items(answer, "policies")) {
      print(fmt::format("// {}\n{}", field(policy, "/id"), text_block(policy, "text")));
    }
  });
}

base::Result<ExitCode> write(const Options& options, const ApiClient& client) {
  HF_TRY(const auto bytes, base::read_file(options.file, kMaxPolicyBytes));
  HF_TRY(const auto response, client.send_json("PUT", path_of({"v1", "policies", options.id}),
                                               {{"text", std::string(base::as_text(bytes))}}));
  return print_answer(response, options.json, [&options](const nlohmann::json& /*answer*/) {
    print(fmt::format("the policy {} is in force\n", options.id));
  });
}

base::Result<ExitCode> remove(const Options& options, const ApiClient& client) {
  HF_TRY(const auto response, send_bare(client, "DELETE", path_of({"v1", "policies", options.id})));
  return print_answer(response, options.json, [&options](const nlohmann::json& /*answer*/) {
    print(fmt::format("the policy {} is gone\n", options.id));
  });
}

}  // namespace

void add_policy_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("policy", "See, write and remove the installation's own Cedar policies");
  command->require_subcommand(1);
  command->footer("Example: holdfast policy write office release-from-the-office.cedar");
  const auto add = [&](const char* name, const char* help, const char* example, auto work) {
    auto* verb = command->add_subcommand(name, help);
    verb->add_flag("--json", options->json, "print the answer's JSON");
    verb->footer(example);
    on_server(*verb, invocation, action,
              [options, work](const ApiClient& client) { return work(*options, client); });
    return verb;
  };
  add("list", "The policies that were written and granted", "Example: holdfast policy list", list);
  auto* writing = add("write", "One Cedar policy, in place of the one of this id",
                      "Example: holdfast policy write office release-from-the-office.cedar", write);
  writing->add_option("ID", options->id, "what to call it")->required();
  writing->add_option("FILE", options->file, "its text")->required();
  auto* removing =
      add("remove", "Remove one that was written", "Example: holdfast policy remove office", remove);
  removing->add_option("ID", options->id, "which")->required();
}

}  // namespace holdfast::cli
