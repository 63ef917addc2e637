#include <fmt/format.h>

#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "cli/answer.h"
#include "cli/server_command.h"

namespace holdfast::cli {
namespace {

constexpr std::size_t kMaxFileBytes = 1UL << 20;  // of a task or a gate

struct Options {
  std::string model;
  std::string dataset;
  std::filesystem::path task;
  std::filesystem::path policies;
  bool json = false;
};

void show_requirements(const nlohmann::json& wanted) {
  print(fmt::format("{}: requirements version {}, on dataset {} version {}\n", field(wanted, "/model"),
                    field(wanted, "/version"), field(wanted, "/dataset"), field(wanted, "/dataset_version")));
  print(fmt::format("written {} by {}, after {} looks at the test part\n", field(wanted, "/written_at"),
                    field(wanted, "/written_by"), field(wanted, "/looks_before")));
}

// The texts themselves, with their lines.
void show_texts(const nlohmann::json& wanted) {
  show_requirements(wanted);
  for (const char* const member : {"task", "policies"}) {
    print(fmt::format("\n--- {}\n{}", member, text_block(wanted, member)));
  }
}

base::Result<std::string> read_text(const std::filesystem::path& path) {
  HF_TRY(const auto bytes, base::read_file(path, kMaxFileBytes));
  return std::string(base::as_text(bytes));
}

base::Result<ExitCode> require(const Options& options, const ApiClient& client) {
  const auto target = path_of({"v1", "models", options.model, "requirements"});
  if (options.dataset.empty()) {
    HF_TRY(const auto response, client.get(target));
    return print_answer(response, options.json, show_texts);
  }
  HF_TRY(const auto task, read_text(options.task));
  HF_TRY(const auto policies, read_text(options.policies));
  HF_TRY(const auto response,
         client.send_json("PUT", target,
                          {{"dataset", options.dataset}, {"task", task}, {"policies", policies}}));
  return print_answer(response, options.json, show_requirements);
}

}  // namespace

void add_require_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("require", "Say what a model must show before it is approved");
  command->add_option("MODEL", options->model, "the model")->required();
  auto* dataset =
      command->add_option("--dataset", options->dataset, "what it is measured on")->type_name("NAME");
  auto* task =
      command->add_option("--task", options->task, "what it is for and put through")->type_name("TASK.toml");
  auto* policies =
      command->add_option("--policies", options->policies, "the gate's policies")->type_name("GATE.cedar");
  dataset->needs(task)->needs(policies);
  task->needs(dataset);
  policies->needs(dataset);
  command->add_flag("--json", options->json, "print the answer's JSON");
  command->footer(
      "With MODEL alone it prints what is required now. Write the thresholds before the first look at the "
      "test part: the looks are counted.\n"
      "Example: holdfast require credit --dataset credit --task task.toml --policies gate.cedar");
  on_server(*command, invocation, action,
            [options](const ApiClient& client) { return require(*options, client); });
}

}  // namespace holdfast::cli
