#include "cli/app.h"

#include <fmt/format.h>

#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/settings.h"

namespace holdfast::cli {
namespace {

constexpr const char* kDescription =
    "The secure path of a machine-learning model from an untrusted file to a watched endpoint.";
constexpr const char* kExitCodes =
    "Exit codes: 0 done, 1 refused (a finding, a wrong signature, a gate), 2 could not be done, 64 usage.\n";
constexpr const char* kExample = "Example: holdfast inspect model.pt";

// An empty --state is a variable of a script that was never set, not a wish for the folder of today's place.
CLI::Validator not_empty() {
  return {[](std::string& text) { return text.empty() ? "an empty name names no folder" : ""; }, ""};
}

int code(ExitCode exit_code) { return static_cast<int>(exit_code); }

int finish(base::Result<ExitCode> outcome) {
  if (const auto flushed = flush(); outcome && !flushed) outcome = base::fail(flushed.error());
  if (outcome) return code(*outcome);
  print_error(outcome.error().message);
  return code(exit_code_of(outcome.error()));
}

// In the order in which help lists them: files alone, the way of a model, then what keeps an eye on it.
void add_commands(CLI::App& app, const Invocation& invocation, Action& action) {
  add_inspect_command(app, invocation, action);
  add_keygen_command(app, action);
  add_sign_command(app, invocation, action);
  add_verify_command(app, action);
  add_seal_command(app, action);
  add_unseal_command(app, action);
  add_rules_command(app, action);
  add_rule_set_commands(*app.get_subcommand("rules"), invocation, action);
  add_bom_command(app, invocation, action);
  add_advisories_command(app, invocation, action);
  add_serve_command(app, invocation, action);
  add_dataset_command(app, invocation, action);
  add_require_command(app, invocation, action);
  add_register_command(app, invocation, action);
  add_models_command(app, invocation, action);
  add_train_command(app, invocation, action);
  add_runs_command(app, invocation, action);
  add_evaluate_command(app, invocation, action);
  add_approve_command(app, invocation, action);
  add_waive_command(app, invocation, action);
  add_evidence_command(app, invocation, action);
  add_export_command(app, invocation, action);
  add_signature_command(app, invocation, action);
  add_endpoint_command(app, invocation, action);
  add_release_command(app, invocation, action);
  add_rollback_command(app, invocation, action);
  add_withdraw_command(app, invocation, action);
  add_person_command(app, invocation, action);
  add_service_command(app, invocation, action);
  add_group_command(app, invocation, action);
  add_grant_command(app, invocation, action);
  add_token_command(app, invocation, action);
  add_login_command(app, invocation, action);
  add_sign_out_command(app, invocation, action);
  add_password_command(app, invocation, action);
  add_policy_command(app, invocation, action);
  add_key_command(app, invocation, action);
  add_alerts_command(app, invocation, action);
  add_alert_command(app, invocation, action);
  add_webhook_command(app, invocation, action);
  add_updates_command(app, invocation, action);
  add_posture_command(app, invocation, action);
  add_audit_command(app, invocation, action);
  add_audit_records_command(*app.get_subcommand("audit"), invocation, action);
  add_config_command(app, invocation, action);
}

// A command whose exit codes mean something of their own says so itself; the others say what holds for all.
void tell_exit_codes(CLI::App& app) {
  const auto help = app.get_footer();
  if (help.find("Exit codes:") == std::string::npos) app.footer(kExitCodes + help);
  for (auto* command : app.get_subcommands([](const CLI::App*) { return true; })) tell_exit_codes(*command);
}

// CLI11 says only that a command is missing where somebody wrote one that does not exist.
std::optional<std::string> misspelt(const CLI::App& app, const CLI::ParseError& error, int argc,
                                    const char* const* argv) {
  if (error.get_exit_code() != static_cast<int>(CLI::ExitCodes::RequiredError)) return std::nullopt;
  if (!app.get_subcommands().empty() || argc < 2 || argv[1][0] == '-') return std::nullopt;
  return std::string(argv[1]);
}

}  // namespace

base::Result<base::Config> Invocation::settings() const { return load_settings(config_path); }

int run(int argc, const char* const* argv, const char* version, Backend& backend) {
  Invocation invocation{
      .version = version, .config_path = {}, .state_path = {}, .token_file = {}, .backend = backend};
  Action action;
  CLI::App app(kDescription, "holdfast");
  app.footer(kExample);
  app.set_version_flag("--version", std::string("holdfast ") + version);
  app.add_option("--config", invocation.config_path, "the configuration file")->type_name("FILE");
  app.add_option("--state", invocation.state_path, "the state folder (or HOLDFAST_STATE)")
      ->type_name("DIR")
      ->check(not_empty());
  app.add_option("--token-file", invocation.token_file,
                 "whose rights to use: a token (or HOLDFAST_TOKEN); else the local operator")
      ->type_name("FILE");
  app.require_subcommand(1);
  app.fallthrough();
  add_commands(app, invocation, action);
  tell_exit_codes(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (const auto word = misspelt(app, error, argc, argv)) {
      print_error(fmt::format("there is no command {}; `holdfast --help` lists them", *word));
      return code(ExitCode::kUsage);
    }
    // CLI11 prints help and version, which are no errors, through the same door.
    return app.exit(error) == 0 ? code(ExitCode::kDone) : code(ExitCode::kUsage);
  }
  return finish(action());
}

}  // namespace holdfast::cli
