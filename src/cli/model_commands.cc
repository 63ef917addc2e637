#include <fmt/format.h>

#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "cli/answer.h"
#include "cli/gate_text.h"
#include "cli/server_command.h"

namespace holdfast::cli {
namespace {

struct RegisterOptions {
  std::filesystem::path file;
  std::string model;
  std::string as_is;
  bool json = false;
};

void show_version(const nlohmann::json& version) {
  print(fmt::format("{} version {}: {}, {} bytes, {}\ndigest: {}\n", field(version, "/model"),
                    field(version, "/version"), field(version, "/format"), field(version, "/size_bytes"),
                    field(version, "/state"), field(version, "/digest")));
}

void show_refusal(const nlohmann::json& refusal) {
  print(fmt::format("refused: {}\n", field(refusal, "/reason")));
  for (const auto& finding : items(refusal, "findings")) {
    const auto offset = field(finding, "/offset");
    print(fmt::format("  {} {}: {}\n    in {}{}{}\n", field(finding, "/severity"), field(finding, "/rule"),
                      field(finding, "/message"), field(finding, "/path"), offset.empty() ? "" : " at byte ",
                      offset));
  }
}

base::Result<ExitCode> register_model(const RegisterOptions& options, const ApiClient& client) {
  HF_TRY(const auto file, base::open_regular_file(options.file));
  Progress progress("registering");
  HF_TRY(const auto response,
         client.send(
             {.method = "POST",
              .target = with_query(path_of({"v1", "models", options.model, "versions"}),
                                   {{"file", options.file.filename().string()}, {"as_is", options.as_is}}),
              .content_type = "application/octet-stream",
              .body = net::FileBody{.fd = file.get(), .size = {}},
              .bearer = {}}));
  if (const auto refusal = refusal_in(response, "accepted")) {
    if (options.json) {
      print_as_it_came(response);
    } else {
      show_refusal(*refusal);
    }
    return ExitCode::kRefused;
  }
  HF_TRY(const auto answer, accepted(response));
  if (options.json) {
    print_as_it_came(response);
  } else {
    show_version(answer.value("version", nlohmann::json::object()));
  }
  return ExitCode::kDone;
}

struct ListOptions {
  std::string model;
  bool json = false;
};

void show_list(const nlohmann::json& answer) {
  Table table({"MODEL", "VERSION", "STATE", "FORMAT", "BYTES", "CREATED", "BY"});
  for (const auto& version : items(answer, "versions")) {
    table.add({field(version, "/model"), field(version, "/version"), field(version, "/state"),
               field(version, "/format"), field(version, "/size_bytes"), field(version, "/created_at"),
               field(version, "/created_by")});
  }
  print(table.text("no models"));
}

}  // namespace

void add_register_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<RegisterOptions>();
  auto* command = app.add_subcommand("register", "Register a model file: inspected first, refused or kept");
  command->add_option("FILE", options->file, "the model")->required();
  command->add_option("--model", options->model, "the model that it is a version of")
      ->type_name("NAME")
      ->required();
  command->add_option("--as-is", options->as_is, "keep also what is no model, for this reason")
      ->type_name("REASON");
  command->add_flag("--json", options->json, "print the answer's JSON");
  command->footer(
      "Exit codes: 0 registered, 1 refused (every finding is named), 2 could not be done.\n"
      "Example: holdfast register model.onnx --model credit");
  on_server(*command, invocation, action,
            [options](const ApiClient& client) { return register_model(*options, client); });
}

void add_models_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<ListOptions>();
  auto* command = app.add_subcommand("models", "List the versions of models, newest first");
  command->add_option("MODEL", options->model, "of this one alone");
  command->add_flag("--json", options->json, "print the answer's JSON");
  command->footer("Example: holdfast models credit");
  on_server(*command, invocation, action, [options](const ApiClient& client) -> base::Result<ExitCode> {
    HF_TRY(const auto response, client.get(with_query("/v1/models", {{"model", options->model}})));
    return print_answer(response, options->json, show_list);
  });
}

}  // namespace holdfast::cli
