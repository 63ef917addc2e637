#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "base/config.h"
#include "base/result.h"
#include "cli/backend.h"
#include "cli/terminal.h"

namespace CLI {
class App;
}

namespace holdfast::cli {

// What every command can see: the options that stand before or after any of them, and the settings, read when
// asked.
struct Invocation {
  std::string version;
  std::optional<std::filesystem::path> config_path;
  std::optional<std::filesystem::path> state_path;
  std::optional<std::filesystem::path> token_file;
  Backend& backend;  // outlives the command line

  [[nodiscard]] base::Result<base::Config> settings() const;
};

// What a command does once its options are parsed. Its results are printed by itself; its error by the
// caller.
using Action = std::function<base::Result<ExitCode>()>;

// Each adds one command to the application and sets `action` when the command is the one that was given.
// `invocation` outlives the action.
void add_config_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_inspect_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_keygen_command(CLI::App& app, Action& action);
void add_sign_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_verify_command(CLI::App& app, Action& action);
void add_seal_command(CLI::App& app, Action& action);
void add_unseal_command(CLI::App& app, Action& action);
void add_rules_command(CLI::App& app, Action& action);
void add_bom_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_advisories_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_audit_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_serve_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_dataset_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_require_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_register_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_models_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_train_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_runs_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_evaluate_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_approve_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_waive_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_evidence_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_export_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_signature_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_endpoint_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_release_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_withdraw_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_rollback_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_person_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_service_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_group_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_grant_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_token_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_login_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_sign_out_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_password_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_policy_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_key_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_alerts_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_alert_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_webhook_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_updates_command(CLI::App& app, const Invocation& invocation, Action& action);
void add_posture_command(CLI::App& app, const Invocation& invocation, Action& action);
// To the command `rules`.
void add_rule_set_commands(CLI::App& rules, const Invocation& invocation, Action& action);
// To the command `audit`.
void add_audit_records_command(CLI::App& audit, const Invocation& invocation, Action& action);

}  // namespace holdfast::cli
