#include <fmt/format.h>

#include <map>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/answer.h"
#include "cli/principals.h"
#include "cli/server_command.h"

namespace holdfast::cli {
namespace {

struct GroupOptions {
  std::string group;
  std::string principal;
  bool json = false;
};

void show_groups(const nlohmann::json& answer) {
  std::map<std::string, std::string> members;  // by the group's id
  for (const auto& principal : items(answer, "principals")) {
    for (const auto& group : items(principal, "groups")) {
      auto& names = members[field(group, "")];
      names += (names.empty() ? "" : ", ") + field(principal, "/name");
    }
  }
  Table table({"GROUP", "ID", "MEMBERS"});
  for (const auto& principal : items(answer, "principals")) {
    if (field(principal, "/kind") != "group") continue;
    const auto id = field(principal, "/id");
    table.add({field(principal, "/name"), id, members[id]});
  }
  print(table.text("no groups"));
}

base::Result<ExitCode> add_member(const GroupOptions& options, const ApiClient& client) {
  HF_TRY(const auto group, principal_id(client, options.group, "group"));
  HF_TRY(const auto principal, principal_id(client, options.principal));
  HF_TRY(const auto response, client.send_json("PUT", path_of({"v1", "groups", group, "members", principal}),
                                               nlohmann::json::object()));
  return print_answer(response, options.json, [&options](const nlohmann::json& /*answer*/) {
    print(fmt::format("{} is in {}\n", options.principal, options.group));
  });
}

struct GrantOptions {
  std::string principal;
  std::string action;
  std::string type;
  std::string id;
  bool json = false;
};

base::Result<ExitCode> grant(const GrantOptions& options, const ApiClient& client) {
  HF_TRY(const auto principal, principal_id(client, options.principal));
  HF_TRY(const auto response, client.send_json("POST", "/v1/grants",
                                               {{"principal", principal},
                                                {"action", options.action},
                                                {"type", options.type},
                                                {"id", options.id}}));
  return print_answer(response, options.json, [&options](const nlohmann::json& answer) {
    print(fmt::format("{} may {} on {} {}: policy {}\n", options.principal, options.action, options.type,
                      options.id, field(answer, "/policy")));
  });
}

}  // namespace

void add_group_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<GroupOptions>();
  auto* command = app.add_subcommand("group", "See who is in which group, and put somebody in");
  command->require_subcommand(1);
  command->footer("Example: holdfast group add approvers ada");

  auto* list = command->add_subcommand("list", "The groups and their members; with --json all principals");
  list->add_flag("--json", options->json, "print the answer's JSON");
  list->footer("Example: holdfast group list");
  on_server(*list, invocation, action, [options](const ApiClient& client) -> base::Result<ExitCode> {
    HF_TRY(const auto response, client.get("/v1/principals"));
    return print_answer(response, options->json, show_groups);
  });

  auto* add = command->add_subcommand("add", "Put a person or a service into a group");
  add->add_option("GROUP", options->group, "its name or id")->required();
  add->add_option("PRINCIPAL", options->principal, "a name or id")->required();
  add->add_flag("--json", options->json, "print the answer's JSON");
  add->footer("Example: holdfast group add approvers ada");
  on_server(*add, invocation, action,
            [options](const ApiClient& client) { return add_member(*options, client); });
}

void add_grant_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<GrantOptions>();
  auto* command = app.add_subcommand("grant", "Permit a principal one action on one thing");
  command->add_option("PRINCIPAL", options->principal, "a name or id")->required();
  command->add_option("ACTION", options->action, "what it may do: infer, readModel, ...")->required();
  command->add_option("TYPE", options->type, "of the thing: Endpoint, Model, Dataset, ...")->required();
  command->add_option("ID", options->id, "the thing")->required();
  command->add_flag("--json", options->json, "print the answer's JSON");
  command->footer("Example: holdfast grant scorer infer Endpoint credit");
  on_server(*command, invocation, action,
            [options](const ApiClient& client) { return grant(*options, client); });
}

}  // namespace holdfast::cli
