#include <fmt/format.h>

#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/answer.h"
#include "cli/run_watch.h"
#include "cli/server_command.h"

namespace holdfast::cli {
namespace {

struct Options {
  std::uint64_t id = 0;
  bool wait = false;
  bool json = false;
};

void show_list(const nlohmann::json& answer) {
  Table table({"RUN", "KIND", "MODEL", "STATE", "PROGRESS", "ASKED", "BY"});
  for (const auto& run : items(answer, "runs")) {
    table.add({field(run, "/id"), field(run, "/kind"), field(run, "/model"), field(run, "/state"),
               progress_line(run), field(run, "/started_at"), field(run, "/started_by")});
  }
  print(table.text("no runs"));
}

void show_run(const nlohmann::json& run) {
  print(fmt::format("run {}: {} of {}, {}\nasked for at {} by {}\n", field(run, "/id"), field(run, "/kind"),
                    field(run, "/model"), field(run, "/state"), field(run, "/started_at"),
                    field(run, "/started_by")));
  if (const auto line = progress_line(run); !line.empty()) print(fmt::format("progress: {}\n", line));
  if (const auto metrics = run.find("metrics"); metrics != run.end() && metrics->is_object()) {
    for (const auto& [name, value] : metrics->items()) print(fmt::format("{}: {}\n", name, value.dump()));
  }
  if (const auto version = field(run, "/result/version"); !version.empty()) {
    print(fmt::format("made: {} version {}\n", field(run, "/model"), version));
  }
  if (const auto error = field(run, "/result/error"); !error.empty()) print(fmt::format("why: {}\n", error));
}

std::string on_run(const Options& options) { return path_of({"v1", "runs", fmt::to_string(options.id)}); }

base::Result<ExitCode> show(const Options& options, const ApiClient& client) {
  if (options.wait) HF_CHECK(wait_for_run(client, fmt::to_string(options.id), "waiting"));
  HF_TRY(const auto response, client.get(on_run(options)));
  HF_TRY(const auto run, accepted(response));
  HF_TRY(const auto shown, print_answer(response, options.json, show_run));
  if (options.wait) HF_CHECK(outcome_of(run));
  return shown;
}

base::Result<ExitCode> cancel(const Options& options, const ApiClient& client) {
  HF_TRY(const auto response,
         client.send_json("POST", on_run(options) + "/cancel", nlohmann::json::object()));
  return print_answer(response, options.json, [](const nlohmann::json& run) {
    print(fmt::format("run {} is {}\n", field(run, "/id"), field(run, "/state")));
  });
}

void add_id(CLI::App& command, Options& options) {
  command.add_option("RUN", options.id, "the run's number")
      ->required()
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 53));
  command.add_flag("--json", options.json, "print the answer's JSON");
}

}  // namespace

void add_runs_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command =
      app.add_subcommand("runs", "Trainings and evaluations: how far they are, what came of them");
  command->require_subcommand(1);
  command->footer("Example: holdfast runs list");
  auto* list = command->add_subcommand("list", "List runs, newest first");
  list->add_flag("--json", options->json, "print the answer's JSON");
  list->footer("Example: holdfast runs list");
  on_server(*list, invocation, action, [options](const ApiClient& client) -> base::Result<ExitCode> {
    HF_TRY(const auto response, client.get("/v1/runs"));
    return print_answer(response, options->json, show_list);
  });
  auto* one = command->add_subcommand("show", "Show one run");
  add_id(*one, *options);
  one->add_flag("--wait", options->wait, "wait for its end first");
  one->footer(
      "With --wait, exit codes: 0 it is done, 1 it was refused, 2 it failed or was cancelled.\n"
      "Example: holdfast runs show 7 --wait");
  on_server(*one, invocation, action, [options](const ApiClient& client) { return show(*options, client); });
  auto* end = command->add_subcommand("cancel", "End a training that waits or runs; nothing comes of it");
  add_id(*end, *options);
  end->footer("Example: holdfast runs cancel 7");
  on_server(*end, invocation, action,
            [options](const ApiClient& client) { return cancel(*options, client); });
}

}  // namespace holdfast::cli
