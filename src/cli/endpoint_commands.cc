#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/answer.h"
#include "cli/server_command.h"
#include "data/json_fields.h"

namespace holdfast::cli {
namespace {

struct Options {
  std::string name;
  std::string model;
  std::optional<std::uint32_t> requests_per_second;
  std::string learned_domain;
  std::vector<std::string> limits;      // "COLUMN=LOW:HIGH"
  std::vector<std::string> end_limits;  // of these columns
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

void show_guard(const nlohmann::json& endpoint) {
  const auto domain = field(endpoint, "/guard/learned_domain");
  if (domain.empty()) return;
  print(fmt::format("guard: outside of what training has seen is {}\n", domain == "refuse" ? "refused"
                                                                        : domain == "off"  ? "not looked at"
                                                                                           : "flagged"));
  const auto guard = endpoint.value("guard", nlohmann::json::object());
  const auto limits = guard.value("limits", nlohmann::json::object());
  for (const auto& [column, range] : limits.items()) {
    print(fmt::format("guard: {} outside of {} to {} is refused\n", column, field(range, "/low"),
                      field(range, "/high")));
  }
}

void show_endpoint(const nlohmann::json& endpoint) {
  print(fmt::format("{}: {}, model {}, {} requests per second of each caller\n", field(endpoint, "/name"),
                    served(endpoint), field(endpoint, "/model"), field(endpoint, "/requests_per_second")));
  show_guard(endpoint);
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

// The number as the API writes it; a text that is none is left for the server to name.
std::string shortest(const std::string& text) {
  double number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc() && read.ptr == text.data() + text.size() ? data::number_text(number) : text;
}

// "debt=0:5000".
base::Result<> add_limit(const std::string& text, nlohmann::json& limits) {
  const auto equals = text.rfind('=');
  const auto colon = text.find(':', equals == std::string::npos ? 0 : equals);
  if (equals == std::string::npos || equals == 0 || colon == std::string::npos) {
    return base::fail(base::ErrorCode::kInvalidArgument,
                      fmt::format("--limit takes COLUMN=LOW:HIGH, not {}", text));
  }
  limits[text.substr(0, equals)] = {{"low", shortest(text.substr(equals + 1, colon - equals - 1))},
                                    {"high", shortest(text.substr(colon + 1))}};
  return {};
}

// What is given, as the API takes it.
base::Result<nlohmann::json> settings_in(const Options& options) {
  auto settings = nlohmann::json::object();
  if (options.requests_per_second) settings["requests_per_second"] = *options.requests_per_second;
  auto limits = nlohmann::json::object();
  for (const auto& limit : options.limits) HF_CHECK(add_limit(limit, limits));
  for (const auto& column : options.end_limits) limits[column] = nullptr;
  if (!options.learned_domain.empty()) settings["guard"]["learned_domain"] = options.learned_domain;
  if (!limits.empty()) settings["guard"]["limits"] = std::move(limits);
  return settings;
}

base::Result<ExitCode> create(const Options& options, const ApiClient& client) {
  HF_TRY(auto wanted, settings_in(options));
  wanted["name"] = options.name;
  wanted["model"] = options.model;
  HF_TRY(const auto response, client.send_json("POST", "/v1/endpoints", wanted));
  return print_answer(response, options.json, show_endpoint);
}

base::Result<ExitCode> change(const Options& options, const ApiClient& client) {
  HF_TRY(const auto wanted, settings_in(options));
  if (wanted.empty()) {
    return base::fail(base::ErrorCode::kInvalidArgument,
                      "say what to change; holdfast endpoint set --help lists it");
  }
  HF_TRY(const auto response, client.send_json("PATCH", path_of({"v1", "endpoints", options.name}), wanted));
  return print_answer(response, options.json, show_endpoint);
}

base::Result<ExitCode> remove(const Options& options, const ApiClient& client) {
  HF_TRY(const auto response, client.send({.method = "DELETE",
                                           .target = path_of({"v1", "endpoints", options.name}),
                                           .content_type = {},
                                           .body = {},
                                           .bearer = {}}));
  return print_answer(response, options.json, [&options](const nlohmann::json& /*answer*/) {
    print(fmt::format("{} is removed\n", options.name));
  });
}

base::Result<ExitCode> withdraw(const Options& options, const ApiClient& client) {
  HF_TRY(const auto response, client.send_json("POST", path_of({"v1", "endpoints", options.name, "withdraw"}),
                                               nlohmann::json::object()));
  return print_answer(response, options.json, [](const nlohmann::json& release) {
    print(fmt::format("{} serves nothing since {}: release {} withdrew version {}\n",
                      field(release, "/endpoint"), field(release, "/released_at"), field(release, "/serial"),
                      field(release, "/version")));
  });
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

void add_settings(CLI::App& command, Options& options) {
  command
      .add_option("--requests-per-second", options.requests_per_second,
                  "that each caller may send; 100 where nothing is said")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000));
  command
      .add_option("--learned-domain", options.learned_domain,
                  "numbers outside of what training has seen: refuse, flag (where nothing is said) or off")
      ->check(CLI::IsMember({"refuse", "flag", "off"}));
  command
      .add_option("--limit", options.limits,
                  "refuse the column's numbers outside of these, in place of what training has seen; may be "
                  "repeated")
      ->type_name("COLUMN=LOW:HIGH");
}

// To change one, and to end it.
void add_changes(CLI::App& command, const std::shared_ptr<Options>& options, const Invocation& invocation,
                 Action& action) {
  auto* set = command.add_subcommand("set", "Change its rate, or what its guard refuses");
  set->add_option("NAME", options->name, "the endpoint")->required();
  add_settings(*set, *options);
  set->add_option("--no-limit", options->end_limits, "end the limit of this column; may be repeated")
      ->type_name("COLUMN");
  add_json(*set, *options);
  set->footer("Example: holdfast endpoint set credit --learned-domain refuse --limit AGE=18:100");
  on_server(*set, invocation, action,
            [options](const ApiClient& client) { return change(*options, client); });

  auto* end = command.add_subcommand("remove", "End one that serves nothing");
  end->add_option("NAME", options->name, "the endpoint")->required();
  add_json(*end, *options);
  end->footer(
      "What it served stays on record. One that serves is withdrawn first.\n"
      "Example: holdfast withdraw credit && holdfast endpoint remove credit");
  on_server(*end, invocation, action,
            [options](const ApiClient& client) { return remove(*options, client); });
}

}  // namespace

void add_endpoint_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("endpoint", "Make endpoints, look at them, change them, end them");
  command->require_subcommand(1);
  command->footer("Example: holdfast endpoint list");

  auto* make = command->add_subcommand("create", "An endpoint that serves versions of one model");
  make->add_option("NAME", options->name, "what to call it")->required();
  make->add_option("--model", options->model, "the model")->type_name("MODEL")->required();
  add_settings(*make, *options);
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
  add_changes(*command, options, invocation, action);
}

void add_withdraw_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("withdraw", "Serve nothing at an endpoint from now on");
  command->add_option("ENDPOINT", options->name, "the endpoint")->required();
  add_json(*command, *options);
  command->footer(
      "Requests that are under way are answered. Any approved version can be released again.\n"
      "Example: holdfast withdraw credit");
  on_server(*command, invocation, action,
            [options](const ApiClient& client) { return withdraw(*options, client); });
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
