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
  HF_TRY(const auto response, client.send({.method = "DELETE",
                                           .target = path_of({"v1", "people", id, "password"}),
                                           .content_type = {},
                                           .body = {},
                                           .bearer = {}}));
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

}  // namespace

void add_person_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("person", "Make the people who may sign in");
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
}

void add_service_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("service", "Make the services that may sign in, by their keys");
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
}

}  // namespace holdfast::cli
