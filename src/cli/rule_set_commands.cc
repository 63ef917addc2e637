#include <fmt/format.h>

#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/key_files.h"
#include "cli/settings.h"
#include "cli/updates_settings.h"
#include "updates/rules.h"

namespace holdfast::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  fs::path path;
  fs::path out;
  fs::path signing_key;
  std::optional<fs::path> key;
  std::int64_t version = 0;
  std::int64_t days = 180;
  bool json = false;
};

nlohmann::ordered_json json_of(const inspect::RuleSet& set, bool overdue) {
  nlohmann::ordered_json value{{"version", set.name.version},
                               {"issued_at", set.name.issued_at.text()},
                               {"expires_at", nullptr},
                               {"signer", nullptr},
                               {"overdue", overdue}};
  if (set.expires_at) value["expires_at"] = set.expires_at->text();
  if (!set.name.signer.empty()) value["signer"] = set.name.signer;
  return value;
}

base::Result<ExitCode> export_set(const Options& options) {
  HF_CHECK(updates::export_rules(options.path));
  const auto folder = options.path.generic_string();
  print(
      options.json
          ? nlohmann::ordered_json{{"folder", folder}, {"version", inspect::kBuiltinRulesVersion}}.dump(2) +
                "\n"
          : fmt::format("{}: the program's own rules, version {}\n", folder, inspect::kBuiltinRulesVersion));
  return ExitCode::kDone;
}

base::Result<ExitCode> sign_set(const Options& options) {
  HF_TRY(const auto key, read_private_key(options.signing_key));
  const auto now = base::system_clock().now();
  const updates::Edition edition{.kind = std::string(updates::kRulesKind),
                                 .version = options.version > 0 ? options.version : version_of_day(now),
                                 .issued_at = now,
                                 .expires_at = days_after(now, options.days)};
  HF_CHECK(updates::sign_rules(options.path, options.out, edition, key));
  print_signed({.bundle = options.out, .edition = edition, .signer = key.public_key(), .json = options.json});
  return ExitCode::kDone;
}

base::Result<ExitCode> update_set(const Options& options, const Invocation& invocation) {
  HF_TRY(const auto settings, invocation.settings());
  HF_TRY(const auto trust, trust_of(settings, "rules.keys", options.key));
  HF_TRY(const auto set, updates::install_rules(options.path, state_folder(invocation.state_path), trust.keys,
                                                base::system_clock().now()));
  HF_CHECK(pin(trust));
  if (options.json) {
    print(json_of(set, /*overdue=*/false).dump(2) + "\n");
  } else {
    print(fmt::format("rules {} of {} are in force, until {}\n", set.name.version, set.name.issued_at.text(),
                      set.expires_at.value_or(base::Timestamp()).text()));
  }
  return ExitCode::kDone;
}

base::Result<ExitCode> show_set(const Options& options, const Invocation& invocation) {
  HF_TRY(const auto settings, invocation.settings());
  HF_TRY(const auto use, rules_to_use(invocation, settings));
  const auto& set = *use.set;
  const auto& late = use.expired.empty() ? use.stale : use.expired;
  if (options.json) {
    print(json_of(set, !late.empty()).dump(2) + "\n");
  } else {
    print(fmt::format("version: {}\nissued: {}\nexpires: {}\nsigned by: {}\n", set.name.version,
                      set.name.issued_at.text(), set.expires_at ? set.expires_at->text() : "never",
                      set.name.signer.empty() ? "nobody, it is the program's own" : set.name.signer));
    if (!late.empty()) print(late + "\n");
  }
  return late.empty() ? ExitCode::kDone : ExitCode::kRefused;
}

void add_sign(CLI::App& rules, const std::shared_ptr<Options>& options, Action& action) {
  auto* command = rules.add_subcommand("sign", "Make a signed rule set of a folder");
  command->add_option("DIR", options->path, "a folder as `rules export` writes it, or a part of it")
      ->required();
  command->add_option("--key", options->signing_key, "the private key (PEM)")->type_name("FILE")->required();
  command->add_option("-o,--out", options->out, "the bundle to write")->type_name("FILE")->required();
  command->add_option("--set-version", options->version, "its version; else today's date and 01")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{9'999'999'999}));
  command->add_option("--expires", options->days, "the days after which nothing may pass by it")
      ->type_name("DAYS")
      ->check(CLI::Range(1, 3650))
      ->capture_default_str();
  command->add_flag("--json", options->json, "print JSON");
  command->footer("Example: holdfast rules sign my-rules --key publisher.pem -o rules.bundle");
  command->callback([options, &action] { action = [options] { return sign_set(*options); }; });
}

}  // namespace

void add_rule_set_commands(CLI::App& rules, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  rules.require_subcommand(0, 1);
  auto* write = rules.add_subcommand("export", "Write the program's own rules as files that can be changed");
  write->add_option("DIR", options->path, "the folder to write")->required();
  write->add_flag("--json", options->json, "print JSON");
  write->footer("Example: holdfast rules export my-rules");
  write->callback([options, &action] { action = [options] { return export_set(*options); }; });
  add_sign(rules, options, action);
  auto* update = rules.add_subcommand("update", "Put a signed rule set in force");
  update->add_option("FILE", options->path, "the bundle")->required();
  update
      ->add_option("--key", options->key,
                   "the publisher's public key (PEM); the first one is kept, later ones are in rules.keys")
      ->type_name("FILE");
  update->add_flag("--json", options->json, "print JSON");
  update->footer(
      "Exit codes: 0 in force, 1 refused (signature, an older version, expired), 2 could not.\n"
      "Example: holdfast rules update rules.bundle --key publisher.pem.pub");
  update->callback([options, &invocation, &action] {
    action = [options, &invocation] { return update_set(*options, invocation); };
  });
  auto* status = rules.add_subcommand("status", "Show which rule set is in force and how old it is");
  status->add_flag("--json", options->json, "print JSON");
  status->footer(
      "Exit codes: 0 fresh, 1 older than rules.max_age_days or expired, 2 damaged.\n"
      "Example: holdfast rules status");
  status->callback([options, &invocation, &action] {
    action = [options, &invocation] { return show_set(*options, invocation); };
  });
}

}  // namespace holdfast::cli
