#include <fmt/format.h>

#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/secret_file.h"
#include "cli/answer.h"
#include "cli/client_assertion.h"
#include "cli/principals.h"
#include "cli/secret_input.h"
#include "cli/server_command.h"
#include "crypto/pem.h"

namespace holdfast::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kForm = "application/x-www-form-urlencoded";
constexpr std::string_view kAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

struct Options {
  std::string name;
  fs::path key;
  std::optional<fs::path> password_file;
  std::optional<fs::path> new_password_file;
  std::string audience = "api";
  std::string issuer;
  std::string token_id;
  std::string all_of;
  bool json = false;
};

// The token alone, so that a script can take it as it is.
base::Result<ExitCode> exchange(const Options& options, const ApiClient& client, std::string form) {
  HF_TRY(const auto response, client.send({.method = "POST",
                                           .target = "/v1/token",
                                           .content_type = kForm,
                                           .body = std::move(form),
                                           .bearer = {}}));
  return print_answer(response, options.json,
                      [](const nlohmann::json& answer) { print(field(answer, "/access_token") + "\n"); });
}

base::Result<crypto::PrivateKey> read_key(const fs::path& path) {
  HF_TRY(const base::Secret pem, base::read_secret_file(path, crypto::kMaxPemBytes));
  auto key = crypto::PrivateKey::from_pem(pem.reveal_text());
  if (!key) return base::fail(std::move(key).error().within(path.string()));
  return *std::move(key);
}

base::Result<ExitCode> token(const Options& options, const ApiClient& client) {
  HF_TRY(const auto key, read_key(options.key));
  HF_TRY(const auto id, principal_id(client, options.name, "service"));
  const auto issuer = options.issuer.empty() ? client.settings().text("server.issuer") : options.issuer;
  HF_TRY(const auto assertion,
         make_client_assertion(key, id, issuer, base::system_clock().now(), base::system_random()));
  return exchange(options, client,
                  form_of({{"grant_type", "client_credentials"},
                           {"client_assertion_type", kAssertionType},
                           {"client_assertion", assertion},
                           {"audience", options.audience}}));
}

base::Result<ExitCode> login(const Options& options, const ApiClient& client) {
  HF_TRY(const auto password,
         secret_from(options.password_file, "password of " + options.name, "--password-file"));
  return exchange(options, client,
                  form_of({{"grant_type", "password"},
                           {"username", options.name},
                           {"password", password.reveal_text()},
                           {"audience", options.audience}}));
}

base::Result<base::Secret> new_password(const Options& options) {
  HF_TRY(auto wanted, secret_from(options.new_password_file, "new password", "--new-password-file"));
  if (options.new_password_file) return wanted;
  HF_TRY(const auto again, ask_secret("new password, once more", "--new-password-file"));
  if (base::constant_time_equal(wanted.reveal(), again.reveal())) return wanted;
  return base::fail(base::ErrorCode::kInvalidArgument, "the two new passwords are not the same");
}

base::Result<ExitCode> password(const Options& options, const ApiClient& client) {
  HF_TRY(const auto current,
         secret_from(options.password_file, "present password of " + options.name, "--password-file"));
  HF_TRY(const auto wanted, new_password(options));
  HF_TRY(const auto response, client.send_json("POST", "/v1/password",
                                               {{"name", options.name},
                                                {"current", std::string(current.reveal_text())},
                                                {"new", std::string(wanted.reveal_text())}}));
  return print_answer(response, options.json, [&options](const nlohmann::json& /*answer*/) {
    print(fmt::format("the password of {} is changed, and their tokens have ended\n", options.name));
  });
}

base::Result<ExitCode> list_tokens(const Options& options, const ApiClient& client) {
  HF_TRY(const auto id, principal_id(client, options.name));
  HF_TRY(const auto response, client.get(path_of({"v1", "principals", id, "tokens"})));
  return print_answer(response, options.json, [](const nlohmann::json& answer) {
    Table table({"TOKEN", "FOR", "UNTIL"});
    for (const auto& token : items(answer, "tokens")) {
      table.add({field(token, "/id"), field(token, "/audience"), field(token, "/expires_at")});
    }
    print(table.text("no live tokens"));
  });
}

base::Result<ExitCode> revoke(const Options& options, const ApiClient& client) {
  if (options.token_id.empty() == options.all_of.empty()) {
    return base::fail(base::ErrorCode::kInvalidArgument, "give the id of one token, or --all-of a principal");
  }
  std::string target = path_of({"v1", "tokens", options.token_id});
  if (!options.all_of.empty()) {
    HF_TRY(const auto id, principal_id(client, options.all_of));
    target = path_of({"v1", "principals", id, "tokens"});
  }
  HF_TRY(const auto response, send_bare(client, "DELETE", target));
  return print_answer(response, options.json, [&options](const nlohmann::json& /*answer*/) {
    print(options.all_of.empty() ? fmt::format("the token {} has ended\n", options.token_id)
                                 : fmt::format("all tokens of {} have ended\n", options.all_of));
  });
}

base::Result<ExitCode> sign_out(const Options& options, const ApiClient& client) {
  HF_TRY(const auto response,
         send_bare(client, "DELETE", with_query("/v1/token", {{"audience", options.audience}})));
  return print_answer(response, options.json,
                      [](const nlohmann::json& /*answer*/) { print("signed out: the token has ended\n"); });
}

void add_token_verbs(CLI::App& command, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* list = command.add_subcommand("list", "The live tokens of a principal, by their ids");
  list->add_option("PRINCIPAL", options->name, "a name or id")->required();
  list->footer("Example: holdfast token list ada");
  on_server(*list, invocation, action,
            [options](const ApiClient& client) { return list_tokens(*options, client); });
  auto* end = command.add_subcommand("revoke", "End one token, or all of a principal, at once");
  end->add_option("TOKEN", options->token_id, "its id, which is no token");
  end->add_option("--all-of", options->all_of, "a name or id: all of theirs")->type_name("PRINCIPAL");
  end->footer("Example: holdfast token revoke --all-of ada");
  on_server(*end, invocation, action,
            [options](const ApiClient& client) { return revoke(*options, client); });
  for (auto* verb : {list, end}) verb->add_flag("--json", options->json, "print the answer's JSON");
}

void add_audience(CLI::App& command, Options& options) {
  command.add_option("--audience", options.audience, "what the token is for: api, or endpoint:NAME")
      ->type_name("AUDIENCE")
      ->capture_default_str();
  command.add_flag("--json", options.json, "print the answer's JSON");
}

}  // namespace

void add_token_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("token", "Sign a service in by its key, and print its token");
  std::vector<CLI::Option*> needed{
      command->add_option("--service", options->name, "its id or name")->type_name("SERVICE"),
      command->add_option("--key", options->key, "its private key (PEM)")->type_name("PRIVATE.pem")};
  add_audience(*command, *options);
  command->add_option("--issuer", options->issuer, "the installation's name, instead of server.issuer")
      ->type_name("NAME");
  command->footer(
      "Example: holdfast token --service scorer --key scorer.pem --audience endpoint:credit > scorer.token");
  on_server_or_verbs(*command, invocation, action, std::move(needed),
                     [options](const ApiClient& client) { return token(*options, client); });
  add_token_verbs(*command, invocation, action);
}

void add_sign_out_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("sign-out", "End the token that --token-file or HOLDFAST_TOKEN names");
  add_audience(*command, *options);
  command->footer("Example: holdfast sign-out --token-file ada.token");
  on_server(*command, invocation, action,
            [options](const ApiClient& client) { return sign_out(*options, client); });
}

void add_login_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("login", "Sign a person in by password, and print their token");
  command->add_option("NAME", options->name, "who")->required();
  command
      ->add_option("--password-file", options->password_file,
                   "read the password there (- is standard input), do not ask")
      ->type_name("FILE");
  add_audience(*command, *options);
  command->footer(
      "Example: (umask 077; holdfast login ada > ada.token) && holdfast approve credit 2 --token-file "
      "ada.token");
  on_server(*command, invocation, action,
            [options](const ApiClient& client) { return login(*options, client); });
}

void add_password_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("password", "Set a password in place of the present or one-time one");
  command->add_option("NAME", options->name, "whose")->required();
  command
      ->add_option("--password-file", options->password_file,
                   "read the present one there (- is standard input), do not ask")
      ->type_name("FILE");
  command
      ->add_option("--new-password-file", options->new_password_file,
                   "read the new one there (- is standard input), do not ask")
      ->type_name("FILE");
  command->add_flag("--json", options->json, "print the answer's JSON");
  command->footer("Example: holdfast password admin");
  on_server(*command, invocation, action,
            [options](const ApiClient& client) { return password(*options, client); });
}

}  // namespace holdfast::cli
