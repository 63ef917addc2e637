#include <fmt/format.h>

#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/answer.h"
#include "cli/server_command.h"

namespace holdfast::cli {
namespace {

struct Options {
  std::string name;
  std::string model;
  std::uint32_t requests_per_second = 100;
  std::optional<std::uint64_t> version;
  bool json = false;
};

void show_release(const nlohmann::json& release) {
  print(fmt::format("{} serves version {} since {}: release {}, {}\n", field(release, "/endpoint"),
                    field(release, "/version"), field(release, "/released_at"), field(release, "/serial"),
                    field(release, "/digest")));
}

std::string served(const nlohmann::json& endpoint) {
  const auto version = field(endpoint, "/release/version");
  return version.empty() ? "nothing" : "version " + version;
}

// "psi 0.31 (0.28 to 0.35)": all figures of a column, or of an estimate.
std::string figures_of(const nlohmann::json& of) {
  std::string text;
  for (const auto& figure : items(of, "figures")) {
    text += fmt::format("{}{} {} ({} to {})", text.empty() ? "" : ", ", field(figure, "/name"),
                        field(figure, "/value"), field(figure, "/low"), field(figure, "/high"));
  }
  return text;
}

void show_drift(const nlohmann::json& endpoint) {
  const auto found = endpoint.find("drift");
  if (found == endpoint.end() || !found->is_object()) {
    print("drift: no window of predictions is full yet\n");
    return;
  }
  const auto& drift = *found;
  print(fmt::format("drift of version {} in the last window, {} rows to {}: {}\n", field(drift, "/version"),
                    field(drift, "/rows"), field(drift, "/at"), field(drift, "/state")));
  Table columns({"COLUMN", "VERDICT", "P (ADJUSTED)", "FIGURES"});
  for (const auto& column : items(drift, "columns")) {
    const bool is_score = field(column, "/score") == "true";
    columns.add({is_score ? "the model's score" : field(column, "/column"), field(column, "/state"),
                 field(column, "/adjusted_p_value"), figures_of(column)});
  }
  print(columns.text("no columns are watched"));
  if (const auto estimate = drift.find("estimate"); estimate != drift.end()) {
    print(fmt::format("performance without labels: {}: {}\n", field(*estimate, "/state"),
                      figures_of(*estimate)));
  }
}

void show_endpoint(const nlohmann::json& endpoint) {
  print(fmt::format("{}: {}, model {}, {} requests per second of each caller\n", field(endpoint, "/name"),
                    served(endpoint), field(endpoint, "/model"), field(endpoint, "/requests_per_second")));
  if (const auto rows = field(endpoint, "/rows_in_window"); !rows.empty())
    print(fmt::format("predictions in the window that is not full yet: {}\n", rows));
  if (!field(endpoint, "/release/version").empty()) show_drift(endpoint);
  if (items(endpoint, "history").empty()) return;
  Table history({"RELEASE", "VERSION", "KIND", "SINCE", "BY"});
  for (const auto& release : items(endpoint, "history")) {
    history.add({field(release, "/serial"), field(release, "/version"), field(release, "/kind"),
                 field(release, "/released_at"), field(release, "/released_by")});
  }
  print(history.text(""));
}

void show_list(const nlohmann::json& answer) {
  Table table({"ENDPOINT", "MODEL", "SERVES", "REQUESTS PER SECOND"});
  for (const auto& endpoint : items(answer, "endpoints")) {
    table.add({field(endpoint, "/name"), field(endpoint, "/model"), served(endpoint),
               field(endpoint, "/requests_per_second")});
  }
  print(table.text("no endpoints"));
}

base::Result<ExitCode> create(const Options& options, const ApiClient& client) {
  HF_TRY(const auto response, client.send_json("POST", "/v1/endpoints",
                                               {{"name", options.name},
                                                {"model", options.model},
                                                {"requests_per_second", options.requests_per_second}}));
  return print_answer(response, options.json, show_endpoint);
}

// Releases, and goes back.
base::Result<ExitCode> put_in_force(const Options& options, std::string_view verb, const ApiClient& client) {
  auto wanted = nlohmann::json::object();
  if (options.version) wanted["version"] = *options.version;
  HF_TRY(const auto response,
         client.send_json("POST", path_of({"v1", "endpoints", options.name, verb}), wanted));
  return print_answer(response, options.json, show_release);
}

void add_json(CLI::App& command, Options& options) {
  command.add_flag("--json", options.json, "print the answer's JSON");
}

}  // namespace

void add_endpoint_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("endpoint", "Make endpoints, and look at them");
  command->require_subcommand(1);
  command->footer("Example: holdfast endpoint list");

  auto* make = command->add_subcommand("create", "An endpoint that serves versions of one model");
  make->add_option("NAME", options->name, "what to call it")->required();
  make->add_option("--model", options->model, "the model")->type_name("MODEL")->required();
  make->add_option("--requests-per-second", options->requests_per_second, "that each caller may send")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  add_json(*make, *options);
  make->footer("Example: holdfast endpoint create credit --model credit");
  on_server(*make, invocation, action,
            [options](const ApiClient& client) { return create(*options, client); });

  auto* list = command->add_subcommand("list", "All, with what they serve");
  add_json(*list, *options);
  list->footer("Example: holdfast endpoint list");
  on_server(*list, invocation, action, [options](const ApiClient& client) -> base::Result<ExitCode> {
    HF_TRY(const auto response, client.get("/v1/endpoints"));
    return print_answer(response, options->json, show_list);
  });

  auto* show = command->add_subcommand(
      "show", "One: the drift of its last window by column, and its releases, newest first");
  show->add_option("NAME", options->name, "the endpoint")->required();
  add_json(*show, *options);
  show->footer("Example: holdfast endpoint show credit");
  on_server(*show, invocation, action, [options](const ApiClient& client) -> base::Result<ExitCode> {
    HF_TRY(const auto response, client.get(path_of({"v1", "endpoints", options->name})));
    return print_answer(response, options->json, show_endpoint);
  });
}

void add_release_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("release", "Serve an approved version at an endpoint");
  command->add_option("ENDPOINT", options->name, "the endpoint")->required();
  command->add_option("VERSION", options->version, "of its model")
      ->required()
      ->check(CLI::Range(1, 1'000'000'000));
  add_json(*command, *options);
  command->footer(
      "Exit codes: 0 released, 1 refused (the version is not approved), 2 could not be done.\n"
      "Example: holdfast release credit 2");
  on_server(*command, invocation, action,
            [options](const ApiClient& client) { return put_in_force(*options, "release", client); });
}

void add_rollback_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("rollback", "Serve the version before, or an older one");
  command->add_option("ENDPOINT", options->name, "the endpoint")->required();
  command->add_option("--to", options->version, "this version")
      ->type_name("VERSION")
      ->check(CLI::Range(1, 1'000'000'000));
  add_json(*command, *options);
  command->footer(
      "A rollback is a new release that names an older version, which must still be approved.\n"
      "Example: holdfast rollback credit");
  on_server(*command, invocation, action,
            [options](const ApiClient& client) { return put_in_force(*options, "rollback", client); });
}

}  // namespace holdfast::cli
