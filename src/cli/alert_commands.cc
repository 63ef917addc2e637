#include <fmt/format.h>

#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/answer.h"
#include "cli/secret_input.h"
#include "cli/server_command.h"

namespace holdfast::cli {
namespace {

struct Options {
  std::string only;  // of this state
  std::uint64_t id = 0;
  std::string comment;
  std::string name;
  std::string url;
  std::filesystem::path secret_file;
  bool json = false;
};

void show_list(const nlohmann::json& answer) {
  Table table({"ID", "STATE", "SEVERITY", "SUBJECT", "SINCE", "SUMMARY"});
  for (const auto& alert : items(answer, "alerts")) {
    table.add({field(alert, "/id"), field(alert, "/state"), field(alert, "/severity"),
               field(alert, "/subject"), field(alert, "/opened_at"), field(alert, "/summary")});
  }
  print(table.text("no alerts"));
}

void show_alert(const nlohmann::json& alert) {
  print(fmt::format("alert {}: {}, {}, {} about {}\n{}\n", field(alert, "/id"), field(alert, "/state"),
                    field(alert, "/severity"), field(alert, "/source"), field(alert, "/subject"),
                    field(alert, "/summary")));
  print(fmt::format("opened {}, last seen {}, {} windows; practice {}, risk {}; what to do: {}\n",
                    field(alert, "/opened_at"), field(alert, "/last_at"), field(alert, "/count"),
                    field(alert, "/practice"), field(alert, "/risk"), field(alert, "/runbook")));
  for (const auto& signal : items(alert, "signals")) {
    print(fmt::format("  {} {}: {}\n", field(signal, "/severity"), field(signal, "/name"),
                      field(signal, "/summary")));
  }
  for (const auto& step : items(alert, "history")) {
    print(fmt::format("  {} {} {} {}\n", field(step, "/at"), field(step, "/event"), field(step, "/who"),
                      field(step, "/comment")));
  }
}

base::Result<ExitCode> act(const Options& options, std::string_view verb, const ApiClient& client) {
  auto deed = nlohmann::json::object();
  if (!options.comment.empty()) deed["comment"] = options.comment;
  HF_TRY(const auto response,
         client.send_json("POST", path_of({"v1", "alerts", fmt::to_string(options.id), verb}), deed));
  return print_answer(response, options.json, show_alert);
}

base::Result<ExitCode> set_webhook(const Options& options, const ApiClient& client) {
  HF_TRY(const auto secret, read_secret(options.secret_file));
  HF_TRY(const auto response,
         client.send_json("PUT", path_of({"v1", "webhooks", options.name}),
                          {{"url", options.url}, {"secret", std::string(secret.reveal_text())}}));
  return print_answer(response, options.json, [](const nlohmann::json& answer) {
    print(fmt::format("alerts are told to {} at {}\n", field(answer, "/name"), field(answer, "/url")));
  });
}

void show_webhooks(const nlohmann::json& answer) {
  Table table({"NAME", "URL"});
  for (const auto& webhook : items(answer, "webhooks"))
    table.add({field(webhook, "/name"), field(webhook, "/url")});
  print(table.text("no webhooks"));
}

}  // namespace

void add_alerts_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("alerts", "List alerts, newest first");
  command->add_option("WHICH", options->only, "those of this state alone")
      ->check(CLI::IsMember({"open", "acknowledged", "resolved"}));
  command->add_flag("--json", options->json, "print the answer's JSON");
  command->footer("Example: holdfast alerts open");
  on_server(*command, invocation, action, [options](const ApiClient& client) -> base::Result<ExitCode> {
    HF_TRY(const auto response, client.get(with_query("/v1/alerts", {{"state", options->only}})));
    return print_answer(response, options->json, show_list);
  });
}

void add_alert_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("alert", "Look at one alert, take it on, or end it");
  command->require_subcommand(1);
  command->footer("Example: holdfast alert acknowledge 3 --comment \"looking at the feed of PAY_0\"");
  const auto add = [&](const char* name, const char* help, const char* example) {
    auto* verb = command->add_subcommand(name, help);
    verb->add_option("ID", options->id, "the alert's number")->required();
    verb->add_flag("--json", options->json, "print the answer's JSON");
    verb->footer(example);
    return verb;
  };
  auto* show = add("show", "Its signals and its history", "Example: holdfast alert show 3");
  on_server(*show, invocation, action, [options](const ApiClient& client) -> base::Result<ExitCode> {
    HF_TRY(const auto response, client.get(path_of({"v1", "alerts", fmt::to_string(options->id)})));
    return print_answer(response, options->json, show_alert);
  });
  auto* acknowledge =
      add("acknowledge", "Say that somebody is on it", "Example: holdfast alert acknowledge 3");
  auto* resolve = add("resolve", "Say that it is over, and why",
                      "Example: holdfast alert resolve 3 --comment \"the feed is repaired\"");
  for (auto* const verb : {acknowledge, resolve}) {
    verb->add_option("--comment", options->comment, "why, for the record")->type_name("TEXT");
    on_server(*verb, invocation, action, [options, name = verb->get_name()](const ApiClient& client) {
      return act(*options, name, client);
    });
  }
}

void add_webhook_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("webhook", "Say where alerts are told");
  command->require_subcommand(1);
  command->footer("Example: holdfast webhook list");

  auto* set = command->add_subcommand("set", "Make one, or give it another address and secret");
  set->add_option("NAME", options->name, "what to call it")->required();
  set->add_option("URL", options->url, "where; egress.allow must name the host")->required();
  set->add_option("--secret-file", options->secret_file, "the secret that messages are signed with")
      ->type_name("FILE")
      ->required();
  set->add_flag("--json", options->json, "print the answer's JSON");
  set->footer(
      "Example: holdfast webhook set on-call https://hooks.example.com/holdfast --secret-file secret.txt");
  on_server(*set, invocation, action,
            [options](const ApiClient& client) { return set_webhook(*options, client); });

  auto* list = command->add_subcommand("list", "All, without their secrets");
  list->add_flag("--json", options->json, "print the answer's JSON");
  list->footer("Example: holdfast webhook list");
  on_server(*list, invocation, action, [options](const ApiClient& client) -> base::Result<ExitCode> {
    HF_TRY(const auto response, client.get("/v1/webhooks"));
    return print_answer(response, options->json, show_webhooks);
  });
}

}  // namespace holdfast::cli
