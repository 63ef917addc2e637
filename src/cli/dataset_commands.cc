#include <fmt/format.h>

#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "cli/answer.h"
#include "cli/server_command.h"

namespace holdfast::cli {
namespace {

struct Options {
  std::filesystem::path file;
  std::string name;
  std::string purpose;
  std::uint32_t keep_days = 365;
  bool json = false;
};

void show_dataset(const nlohmann::json& dataset) {
  print(fmt::format("{} version {}: {} rows, {} bytes\n", field(dataset, "/name"), field(dataset, "/version"),
                    field(dataset, "/rows"), field(dataset, "/size_bytes")));
  print(fmt::format("digest: {}\npurpose: {}\nkept until: {}\nby: {}\n", field(dataset, "/digest"),
                    field(dataset, "/purpose"), field(dataset, "/keep_until"),
                    field(dataset, "/created_by")));
  Table columns({"COLUMN", "TYPE", "MAY BE EMPTY", "SENSITIVE"});
  for (const auto& column : items(dataset, "columns")) {
    columns.add({field(column, "/name"), field(column, "/type"),
                 field(column, "/nullable") == "true" ? "yes" : "no", field(column, "/sensitive")});
  }
  print(columns.text("no columns"));
}

void show_added(const nlohmann::json& dataset) {
  show_dataset(dataset);
  if (items(dataset, "columns").size() != 1) return;
  print_error(
      "there is one column alone; if the fields are not separated by commas, write the file anew as CSV and "
      "register that");
}

void show_list(const nlohmann::json& answer) {
  Table table({"NAME", "VERSION", "ROWS", "PURPOSE", "KEPT UNTIL"});
  for (const auto& dataset : items(answer, "datasets")) {
    table.add({field(dataset, "/name"), field(dataset, "/version"), field(dataset, "/rows"),
               field(dataset, "/purpose"), field(dataset, "/keep_until")});
  }
  print(table.text("no datasets"));
}

base::Result<ExitCode> add(const Options& options, const ApiClient& client) {
  HF_TRY(const auto file, base::open_regular_file(options.file));
  Progress progress("registering");
  HF_TRY(
      const auto response,
      client.send({.method = "POST",
                   .target = with_query("/v1/datasets", {{"name", options.name},
                                                         {"purpose", options.purpose},
                                                         {"keep_days", fmt::to_string(options.keep_days)}}),
                   .content_type = "text/csv",
                   .body = net::FileBody{.fd = file.get(), .size = {}},
                   .bearer = {}}));
  return print_answer(response, options.json, show_added);
}

}  // namespace

void add_dataset_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("dataset", "Register datasets, and look at those registered");
  command->require_subcommand(1);
  command->footer("Example: holdfast dataset list");

  auto* add_one = command->add_subcommand("add", "Register a CSV file: profiled, split, and sealed at rest");
  add_one->add_option("FILE", options->file, "the file, its first line the columns' names")->required();
  add_one->add_option("--name", options->name, "what to call it")->type_name("NAME")->required();
  add_one->add_option("--purpose", options->purpose, "what it may be used for")
      ->type_name("TEXT")
      ->required();
  add_one->add_option("--keep-days", options->keep_days, "how long it may be kept")
      ->type_name("DAYS")
      ->check(CLI::Range(1, 36'500))
      ->capture_default_str();
  add_one->add_flag("--json", options->json, "print the answer's JSON");
  add_one->footer("Example: holdfast dataset add credit.csv --name credit --purpose \"credit scoring\"");
  on_server(*add_one, invocation, action,
            [options](const ApiClient& client) { return add(*options, client); });

  auto* list = command->add_subcommand("list", "The newest version of each");
  list->add_flag("--json", options->json, "print the answer's JSON");
  list->footer("Example: holdfast dataset list --json");
  on_server(*list, invocation, action, [options](const ApiClient& client) -> base::Result<ExitCode> {
    HF_TRY(const auto response, client.get("/v1/datasets"));
    return print_answer(response, options->json, show_list);
  });

  auto* show = command->add_subcommand("show", "One: its columns, what is sensitive about them, its digest");
  show->add_option("NAME", options->name, "the dataset")->required();
  show->add_flag("--json", options->json, "print the answer's JSON");
  show->footer("Example: holdfast dataset show credit");
  on_server(*show, invocation, action, [options](const ApiClient& client) -> base::Result<ExitCode> {
    HF_TRY(const auto response, client.get(path_of({"v1", "datasets", options->name})));
    return print_answer(response, options->json, show_dataset);
  });
}

}  // namespace holdfast::cli
