#include <fmt/format.h>

#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/answer.h"
#include "cli/evaluate_files.h"
#include "cli/figures_text.h"
#include "cli/gate_text.h"
#include "cli/server_command.h"

namespace holdfast::cli {
namespace {

struct Options {
  std::string model;
  std::uint64_t version = 0;
  std::optional<std::uint64_t> champion;
  std::string requirement;
  std::string reason;
  std::uint32_t days = 0;
  bool json = false;
};

std::string on_version(const Options& options, std::string_view verb) {
  return path_of({"v1", "models", options.model, "versions", fmt::to_string(options.version), verb});
}

base::Result<ExitCode> show_evaluation(const nlohmann::json& answer) {
  HF_TRY(const auto evaluation,
         evaluate::parse_evaluation(answer.value("evaluation", nlohmann::json()).dump()));
  print(main_figures(evaluation));
  print(comparisons(evaluation));
  for (const auto& warning : items(answer, "warnings"))
    print(fmt::format("\nwarning: {}\n", field(warning, "")));
  print("\n");
  return show_gate(answer.value("gate", nlohmann::json::object()));
}

base::Result<ExitCode> evaluate_version(const Options& options, const ApiClient& client) {
  auto wanted = nlohmann::json::object();
  if (options.champion) wanted["champion"] = *options.champion;
  HF_TRY(const auto response, send_watched(client,
                                           {.method = "POST",
                                            .target = on_version(options, "evaluate"),
                                            .content_type = "application/json",
                                            .body = wanted.dump(),
                                            .bearer = {}},
                                           options.model, "evaluating"));
  HF_TRY(const auto answer, accepted(response));
  if (!options.json) return show_evaluation(answer);
  print_as_it_came(response);
  return field(answer, "/gate/passed") == "true" ? ExitCode::kDone : ExitCode::kRefused;
}

base::Result<ExitCode> approve(const Options& options, const ApiClient& client) {
  HF_TRY(const auto response,
         client.send_json("POST", on_version(options, "approve"), nlohmann::json::object()));
  return print_decision(response, options.json);
}

base::Result<ExitCode> waive(const Options& options, const ApiClient& client) {
  HF_TRY(const auto response,
         client.send_json(
             "POST", on_version(options, "waivers"),
             {{"requirement", options.requirement}, {"reason", options.reason}, {"days", options.days}}));
  return print_answer(response, options.json, [](const nlohmann::json& waiver) {
    print(
        fmt::format("{} is waived until {}\n", field(waiver, "/requirement"), field(waiver, "/expires_at")));
  });
}

void add_version(CLI::App& command, Options& options) {
  command.add_option("MODEL", options.model, "the model")->required();
  command.add_option("VERSION", options.version, "its version")
      ->required()
      ->check(CLI::Range(1, 1'000'000'000));
  command.add_flag("--json", options.json, "print the answer's JSON");
}

}  // namespace

void add_evaluate_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto files = std::make_shared<EvaluateFiles>();
  auto* command = app.add_subcommand(
      "evaluate", "Measure a version on the test part, or a model file on rows of your own");
  command->add_option("MODEL", options->model, "the model; with --task a file (ONNX)")->required();
  auto* version =
      command->add_option("VERSION", options->version, "its version")->check(CLI::Range(1, 1'000'000'000));
  command->add_flag("--json", options->json, "print the answer's JSON");
  command->add_option("--champion", options->champion, "compare with this version, on the same rows")
      ->type_name("VERSION")
      ->check(CLI::Range(1, 1'000'000'000));
  auto* task = command->add_option("--task", files->task, "measure a file by this task, without any server")
                   ->type_name("TASK.toml")
                   ->excludes(version);
  auto* data = command->add_option("--data", files->data, "with --task: the rows")->type_name("ROWS.csv");
  task->needs(data);
  data->needs(task);
  command->add_option("--policies", files->policies, "with --task: the gate to ask")
      ->type_name("GATE.cedar")
      ->needs(task);
  auto* attest =
      command
          ->add_option("--attest", files->attest,
                       "with --task: write signed statements of the figures, and of the gate's decision")
          ->type_name("FILE.jsonl")
          ->needs(task);
  attest->needs(command->add_option("--key", files->key, "the private key that signs them (PEM)")
                    ->type_name("PRIVATE.pem")
                    ->needs(attest));
  command->footer(
      "Of a version, each call is a look at the test part, which is counted. Exit codes: 0 the gates would "
      "pass, 1 they would not, 2 could not be done.\n"
      "Example: holdfast evaluate credit 2 --champion 1\n"
      "Example: holdfast evaluate model.onnx --task task.toml --data rows.csv --policies gate.cedar");
  command->callback([options, files, &invocation, &action] {
    if (!files->task.empty()) {
      files->model = options->model;
      files->json = options->json;
      action = [files, &invocation]() -> base::Result<ExitCode> {
        HF_TRY(const auto settings, invocation.settings());
        if (!settings.boolean("jail.require_namespaces")) {
          files->weakest_jail = worker::JailStrength::kWithoutNamespaces;
        }
        return evaluate_files(*files);
      };
      return;
    }
    if (options->version == 0) throw CLI::RequiredError("VERSION, or --task with a file,");
    action = server_action(invocation,
                           [options](const ApiClient& client) { return evaluate_version(*options, client); });
  });
}

void add_approve_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("approve", "Approve and sign a version, if its gates pass");
  add_version(*command, *options);
  command->footer(
      "Exit codes: 0 approved, 1 refused (every requirement is told), 2 could not be done.\n"
      "Example: holdfast approve credit 2");
  on_server(*command, invocation, action,
            [options](const ApiClient& client) { return approve(*options, client); });
}

void add_waive_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("waive", "Forgive a version one requirement, for a reason and a time");
  add_version(*command, *options);
  command->add_option("REQUIREMENT", options->requirement, "its id in the gate")->required();
  command->add_option("--reason", options->reason, "why, for the record")->type_name("TEXT")->required();
  command->add_option("--days", options->days, "for how long")
      ->type_name("DAYS")
      ->required()
      ->check(CLI::Range(1, 90));
  command->footer(
      "Nobody may waive what they made.\n"
      "Example: holdfast waive credit 2 robustness-pgd --reason \"pilot, 50 clients\" --days 7");
  on_server(*command, invocation, action,
            [options](const ApiClient& client) { return waive(*options, client); });
}

}  // namespace holdfast::cli
