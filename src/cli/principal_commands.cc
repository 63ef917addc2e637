#include <fmt/format.h>

#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "cli/answer.h"
#include "cli/principals.h"
#include "cli/server_command.h"
#include "crypto/pem.h"
#include "crypto/sign.h"

namespace holdfast::cli {
namespace {

struct Options {
  std::string name;
  std::filesystem::path key;
  std::string key_id;
  bool json = false;
};

void print_one_time(const nlohmann::json& answer) {
  print(fmt::format("{} has the id {}\none-time password: {}\n", field(answer, "/name"), field(answer, "/id"),
                    field(answer, "/one_time_password")));
  print(fmt::format("It is shown once, and until {} it sets another: holdfast password {}\n",
                    field(answer, "/expires_at"), field(answer, "/name")));
}

base::Result<ExitCode> create_person(const Options& options, const ApiClient& client) {
  HF_TRY(const auto response, client.send_json("POST", "/v1/people", {{"name", options.name}}));
  return print_answer(response, options.json, print_one_time);
}

base::Result<ExitCode> reset_person(const Options& options, const ApiClient& client) {
  HF_TRY(const auto id, principal_id(client, options.name, "person"));
  HF_TRY(const auto response, send_bare(client, "DELETE", path_of({"v1", "people", id, "password"})));
  return print_answer(response, options.json, print_one_time);
}

base::Result<std::string> public_pem(const std::filesystem::path& path) {
  HF_TRY(const auto bytes, base::read_file(path, crypto::kMaxPemBytes));
  auto key = crypto::PublicKey::from_pem(base::as_text(bytes));
  if (!key) return base::fail(std::move(key).error().within(path.string()));
  return key->to_pem();
}

base::Result<std::string> add_key(const ApiClient& client, const std::string& id, const std::string& pem) {
  HF_TRY(const auto response,
         client.send_json("POST", path_of({"v1", "services", id, "keys"}), {{"pem", pem}}));
  HF_TRY(const auto answer, accepted(response));
  return field(answer, "/key_id");
}

void print_service(const Options& options, const std::string& id, const std::string& key_id) {
  if (options.json) {
    print(nlohmann::ordered_json{{"id", id}, {"name", options.name}, {"key_id", key_id}}.dump() + "\n");
  } else {
    print(fmt::format("{} has the id {}\nit signs in with the key {}\n", options.name, id, key_id));
  }
}

base::Result<ExitCode> create_service(const Options& options, const ApiClient& client) {
  // Read before anything is made, so that a wrong file leaves nothing behind.
  HF_TRY(const auto pem, public_pem(options.key));
  HF_TRY(const auto response, client.send_json("POST", "/v1/services", {{"name", options.name}}));
  HF_TRY(const auto answer, accepted(response));
  const auto id = field(answer, "/id");
  auto key_id = add_key(client, id, pem);
  if (!key_id) {
    return base::fail(std::move(key_id).error().within(
        fmt::format("the service {} was made, but has no key yet (holdfast service key {} --key {})", id,
                    options.name, options.key.string())));
  }
  print_service(options, id, *key_id);
  return ExitCode::kDone;
}

base::Result<ExitCode> add_service_key(const Options& options, const ApiClient& client) {
  HF_TRY(const auto pem, public_pem(options.key));
  HF_TRY(const auto id, principal_id(client, options.name, "service"));
  HF_TRY(const auto key_id, add_key(client, id, pem));
  print_service(options, id, key_id);
  return ExitCode::kDone;
}

base::Result<ExitCode> set_enabled(const Options& options, const ApiClient& client, const char* kind,
                                   bool enabled) {
  HF_TRY(const auto id, principal_id(client, options.name, kind));
  HF_TRY(const auto response,
         client.send_json("PUT", path_of({"v1", "principals", id}), {{"enabled", enabled}}));
  return print_answer(response, options.json, [&options, enabled](const nlohmann::json& /*answer*/) {
    print(options.name + (enabled ? " may sign in\n" : " may not sign in, and their tokens have ended\n"));
  });
}

base::Result<ExitCode> list(const Options& options, const ApiClient& client, std::string_view kind) {
  HF_TRY(const auto response, client.get("/v1/principals"));
  return print_answer(response, options.json, [kind](const nlohmann::json& answer) {
    Table table({"NAME", "ID", "STATE"});
    for (const auto& principal : items(answer, "principals")) {
      if (field(principal, "/kind") != kind) continue;
      table.add({field(principal, "/name"), field(principal, "/id"),
                 field(principal, "/enabled") == "true" ? "enabled" : "disabled"});
    }
    print(table.text("none"));
  });
}

base::Result<ExitCode> list_service_keys(const Options& options, const ApiClient& client) {
  HF_TRY(const auto id, principal_id(client, options.name, "service"));
  HF_TRY(const auto response, client.get(path_of({"v1", "services", id, "keys"})));
  return print_answer(response, options.json, [](const nlohmann::json& answer) {
    for (const auto& key : items(answer, "keys")) print(field(key, "") + "\n");
  });
}

base::Result<ExitCode> remove_service_key(const Options& options, const ApiClient& client) {
  HF_TRY(const auto id, principal_id(client, options.name, "service"));
  HF_TRY(const auto response,
         send_bare(client, "DELETE", path_of({"v1", "services", id, "keys", options.key_id})));
  return print_answer(response, options.json, [&options](const nlohmann::json& /*answer*/) {
    print(fmt::format("{} has lost the key {}, and its tokens have ended\n", options.name, options.key_id));
  });
}

// What people and services have in common.
void add_standing(CLI::App& command, const Invocation& invocation, Action& action, const char* kind,
                  const char* example) {
  auto options = std::make_shared<Options>();
  const auto add = [&](const char* name, const std::string& help) {
    auto* verb = command.add_subcommand(name, help);
    verb->add_flag("--json", options->json, "print the answer's JSON");
    return verb;
  };
  auto* all = add("list", "All of them, with their ids, and whether they may sign in");
  all->footer(fmt::format("Example: holdfast {} list", kind));
  on_server(*all, invocation, action,
            [options, kind](const ApiClient& client) { return list(*options, client, kind); });
  for (const bool enabled : {false, true}) {
    auto* verb = enabled ? add("enable", "Let it sign in again; what was taken from it stays taken")
                         : add("disable", "Shut it out at once, its tokens too; nothing of it is forgotten");
    verb->add_option("NAME", options->name, "its name or id")->required();
    verb->footer(fmt::format("Example: holdfast {} {} {}", kind, enabled ? "enable" : "disable", example));
    on_server(*verb, invocation, action, [options, kind, enabled](const ApiClient& client) {
      return set_enabled(*options, client, kind, enabled);
    });
  }
}

}  // namespace

void add_person_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("person", "Make the people who may sign in, and shut them out");
  command->require_subcommand(1);
  command->footer("Example: holdfast person create ada");
  auto* create = command->add_subcommand("create", "A person, with a one-time password that is shown once");
  create->add_option("NAME", options->name, "what to call them")->required();
  create->add_flag("--json", options->json, "print the answer's JSON");
  create->footer("Example: holdfast person create ada && holdfast group add approvers ada");
  on_server(*create, invocation, action,
            [options](const ApiClient& client) { return create_person(*options, client); });
  auto* reset = command->add_subcommand(
      "reset", "A new one-time password in place of theirs, which ends; the way back in for who has none");
  reset->add_option("NAME", options->name, "the person, by name or id")->required();
  reset->add_flag("--json", options->json, "print the answer's JSON");
  reset->footer("Example: holdfast person reset admin");
  on_server(*reset, invocation, action,
            [options](const ApiClient& client) { return reset_person(*options, client); });
  add_standing(*command, invocation, action, "person", "ada");
}

void add_service_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command =
      app.add_subcommand("service", "Make the services that may sign in, by their keys, and shut them out");
  command->require_subcommand(1);
  command->footer(
      "Example: holdfast keygen sign -o scorer.pem && holdfast service create scorer --key scorer.pem.pub");
  const auto add = [&](const char* name, const char* help, const char* example, auto work) {
    auto* verb = command->add_subcommand(name, help);
    verb->add_option("NAME", options->name, "the service")->required();
    verb->add_option("--key", options->key, "its public key: Ed25519, or ECDSA on P-256")
        ->type_name("PUBLIC.pem")
        ->required();
    verb->add_flag("--json", options->json, "print JSON");
    verb->footer(example);
    on_server(*verb, invocation, action,
              [options, work](const ApiClient& client) { return work(*options, client); });
  };
  add("create", "A service, with its first key",
      "Example: holdfast service create scorer --key scorer.pem.pub", create_service);
  add("key", "One more key, so that it can follow another",
      "Example: holdfast service key scorer --key next.pem.pub", add_service_key);
  auto* keys = command->add_subcommand("keys", "The ids of its keys");
  auto* remove = command->add_subcommand("remove-key", "Take a key away from it, which ends its tokens");
  for (auto* verb : {keys, remove}) {
    verb->add_option("NAME", options->name, "the service")->required();
    verb->add_flag("--json", options->json, "print the answer's JSON");
  }
  keys->footer("Example: holdfast service keys scorer");
  on_server(*keys, invocation, action,
            [options](const ApiClient& client) { return list_service_keys(*options, client); });
  remove->add_option("KEY", options->key_id, "the key's id")->required();
  remove->footer("Example: holdfast service remove-key scorer 5f1c...");
  on_server(*remove, invocation, action,
            [options](const ApiClient& client) { return remove_service_key(*options, client); });
  add_standing(*command, invocation, action, "service", "scorer");
}

}  // namespace holdfast::cli
