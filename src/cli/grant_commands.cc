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

constexpr std::string_view kGrantPrefix = "grant-";

// As Cedar reads it, where a line feed is a space.
std::string on_one_line(const std::string& text) {
  std::string line;
  for (const char c : text) {
    const bool space = c == '\n' || c == ' ';
    if (!space) line += c;
    if (space && !line.empty() && line.back() != ' ') line += ' ';
  }
  if (line.ends_with(' ')) line.pop_back();
  return line;
}

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

base::Result<ExitCode> remove_member(const GroupOptions& options, const ApiClient& client) {
  HF_TRY(const auto group, principal_id(client, options.group, "group"));
  HF_TRY(const auto principal, principal_id(client, options.principal));
  HF_TRY(const auto response,
         send_bare(client, "DELETE", path_of({"v1", "groups", group, "members", principal})));
  return print_answer(response, options.json, [&options](const nlohmann::json& /*answer*/) {
    print(fmt::format("{} is no longer in {}\n", options.principal, options.group));
  });
}

base::Result<ExitCode> create_group(const GroupOptions& options, const ApiClient& client) {
  HF_TRY(const auto response, client.send_json("POST", "/v1/groups", {{"name", options.group}}));
  return print_answer(response, options.json, [&options](const nlohmann::json& answer) {
    print(fmt::format("{} has the id {}\n", options.group, field(answer, "/id")));
  });
}

struct GrantOptions {
  std::string principal;
  std::string action;
  std::string type;
  std::string id;
  std::string policy;
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

base::Result<ExitCode> list_grants(const GrantOptions& options, const ApiClient& client) {
  HF_TRY(const auto response, client.get("/v1/policies"));
  return print_answer(response, options.json, [](const nlohmann::json& answer) {
    Table table({"GRANT", "SAYS"});
    for (const auto& policy : items(answer, "policies")) {
      const auto id = field(policy, "/id");
      if (id.starts_with(kGrantPrefix)) table.add({id, on_one_line(text_block(policy, "text"))});
    }
    print(table.text("no grants"));
  });
}

base::Result<ExitCode> remove_grant(const GrantOptions& options, const ApiClient& client) {
  HF_TRY(const auto response, send_bare(client, "DELETE", path_of({"v1", "grants", options.policy})));
  return print_answer(response, options.json, [&options](const nlohmann::json& /*answer*/) {
    print(fmt::format("{} is taken back\n", options.policy));
  });
}

void add_grant_verbs(CLI::App& command, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<GrantOptions>();
  auto* list = command.add_subcommand("list", "The grants that there are; with --json all policies");
  list->add_flag("--json", options->json, "print the answer's JSON");
  list->footer("Example: holdfast grant list");
  on_server(*list, invocation, action,
            [options](const ApiClient& client) { return list_grants(*options, client); });
  auto* remove = command.add_subcommand("remove", "Take a grant back, at once");
  remove->add_option("GRANT", options->policy, "the policy's id, which granting printed")->required();
  remove->add_flag("--json", options->json, "print the answer's JSON");
  remove->footer("Example: holdfast grant remove grant-5f1c...");
  on_server(*remove, invocation, action,
            [options](const ApiClient& client) { return remove_grant(*options, client); });
}

}  // namespace

void add_group_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<GroupOptions>();
  auto* command =
      app.add_subcommand("group", "See who is in which group, put somebody in, take somebody out");
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

  auto* remove = command->add_subcommand("remove", "Take a person or a service out of a group, at once");
  remove->add_option("GROUP", options->group, "its name or id")->required();
  remove->add_option("PRINCIPAL", options->principal, "a name or id")->required();
  remove->add_flag("--json", options->json, "print the answer's JSON");
  remove->footer("Example: holdfast group remove approvers ada");
  on_server(*remove, invocation, action,
            [options](const ApiClient& client) { return remove_member(*options, client); });

  auto* create =
      command->add_subcommand("create", "A group of your own, whose rights are grants and policies");
  create->add_option("GROUP", options->group, "what to call it")->required();
  create->add_flag("--json", options->json, "print the answer's JSON");
  create->footer("Example: holdfast group create reviewers");
  on_server(*create, invocation, action,
            [options](const ApiClient& client) { return create_group(*options, client); });
}

void add_grant_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<GrantOptions>();
  auto* command = app.add_subcommand("grant", "Permit a principal one action on one thing");
  std::vector<CLI::Option*> needed{
      command->add_option("PRINCIPAL", options->principal, "a name or id"),
      command->add_option("ACTION", options->action, "what it may do: infer, readModel, ..."),
      command->add_option("TYPE", options->type, "of the thing: Endpoint, Model, Dataset, ..."),
      command->add_option("ID", options->id, "the thing")};
  command->add_flag("--json", options->json, "print the answer's JSON");
  command->footer("Example: holdfast grant scorer infer Endpoint credit");
  on_server_or_verbs(*command, invocation, action, std::move(needed),
                     [options](const ApiClient& client) { return grant(*options, client); });
  add_grant_verbs(*command, invocation, action);
}

}  // namespace holdfast::cli
