#include <fmt/format.h>

#include <memory>
#include <tuple>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/file.h"
#include "cli/command.h"
#include "cli/inspect_attest.h"
#include "cli/updates_settings.h"
#include "inspect/report.h"
#include "intake/inspector.h"

namespace holdfast::cli {
namespace {

struct Options {
  std::vector<std::filesystem::path> paths;
  std::string format = "text";
  bool json = false;
  std::string fail_on = "medium";
  bool explain = false;
  bool weights = false;
  std::filesystem::path dismissals;
  std::filesystem::path write_dismissals;
  std::string reason;
  std::string reviewer;
  std::string until;
  bool require_fresh = false;
  std::filesystem::path attest;
  std::filesystem::path attest_key;
  std::filesystem::path certificates;
};

base::Result<intake::InspectOptions> limits_of(const base::Config& settings) {
  const bool full = settings.boolean("jail.require_namespaces");
  return intake::InspectOptions{
      .memory_bytes = static_cast<std::uint64_t>(settings.integer("inspect.memory_mib")) << 20,
      .time_per_file = std::chrono::seconds(settings.integer("inspect.seconds")),
      .weakest_jail = full ? worker::JailStrength::kFull : worker::JailStrength::kWithoutNamespaces};
}

constexpr std::size_t kMaxDismissalsBytes = 64UL << 20;

base::Result<> set_aside(const std::filesystem::path& path, inspect::Report& report) {
  HF_TRY(const auto bytes, base::read_file(path, kMaxDismissalsBytes));
  const auto dismissals = inspect::parse_dismissals(base::as_text(bytes));
  if (!dismissals) return base::fail(base::Error(dismissals.error()).within(path.string()));
  inspect::apply(*dismissals, base::system_clock().now(), report);
  return {};
}

// What is still found, as dismissals for a person to keep or strike out.
base::Result<> write_dismissals(const Options& options, const inspect::Report& report) {
  const auto until = base::Timestamp::parse(options.until + "T00:00:00Z");
  if (!until) return base::fail(base::Error(until.error()).within("--until takes a day such as 2027-01-31"));
  const auto text = inspect::to_json(inspect::dismiss_all(report, options.reason, options.reviewer, *until));
  return base::write_file_atomically(options.write_dismissals, base::as_bytes(text));
}

base::Result<ExitCode> inspect(const Options& options, const Invocation& invocation) {
  HF_TRY(const auto settings, invocation.settings());
  HF_TRY(const auto fail_on, inspect::parse_severity(options.fail_on));
  HF_TRY(auto limits, limits_of(settings));
  limits.explain = options.explain;
  limits.weights = options.weights;
  HF_TRY(const auto rules, rules_to_use(invocation, settings));
  limits.rules = rules.set;
  limits.overdue = options.require_fresh && rules.expired.empty() ? rules.stale : rules.expired;
  if (limits.overdue.empty() && !rules.stale.empty()) print_error(rules.stale);
  Progress progress("inspecting");
  InspectedFiles inspected;
  limits.on_file = [&](const std::string& path) {
    progress.say(path);
    if (!options.attest.empty()) inspected.look(path);
  };
  HF_TRY(auto report, intake::inspect_paths(options.paths, limits));
  if (!options.dismissals.empty()) HF_CHECK(set_aside(options.dismissals, report));
  if (!options.write_dismissals.empty()) HF_CHECK(write_dismissals(options, report));
  if (!options.attest.empty()) {
    HF_CHECK(attest_inspection({.out = options.attest,
                                .key = options.attest_key,
                                .certificates = options.certificates,
                                .dismissals = options.dismissals,
                                .paths = options.paths,
                                .fail_on = fail_on,
                                .program_version = invocation.version},
                               report, inspected));
  }
  if (options.format == "sarif") {
    print(to_sarif(report, invocation.version));
  } else if (options.json || options.format == "json") {
    print(to_json(report));
  } else {
    print(to_text(report, colour_output()));
  }
  return static_cast<ExitCode>(judge(report, fail_on));
}

}  // namespace

void add_inspect_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command =
      app.add_subcommand("inspect", "Look into files that nobody has vouched for, without running them");
  command->add_option("PATH", options->paths, "files and folders")->required();
  command->add_option("--format", options->format, "how to print what was found")
      ->check(CLI::IsMember({"text", "json", "sarif"}))
      ->capture_default_str();
  command->add_flag("--json", options->json, "the same as --format json");
  command
      ->add_option("--fail-on", options->fail_on, "the severity from which a finding makes the exit code 1")
      ->check(CLI::IsMember({"info", "low", "medium", "high", "critical"}))
      ->capture_default_str();
  command->add_flag("--weights", options->weights,
                    "look at every number of tensors, for what is hidden in them or out of range");
  command->add_flag("--explain", options->explain, "write out what each pickle would do, as Python");
  command->add_flag("--require-fresh", options->require_fresh,
                    "a rule set older than rules.max_age_days is a finding, not a warning");
  command->add_option("--dismissals", options->dismissals, "a file of findings that were set aside")
      ->type_name("FILE");
  auto* write = command
                    ->add_option("--write-dismissals", options->write_dismissals,
                                 "write what is found to this file, set aside for --reason")
                    ->type_name("FILE");
  for (auto& [name, value, what, type] :
       {std::tuple{"--reason", &options->reason, "why, for --write-dismissals", "TEXT"},
        std::tuple{"--reviewer", &options->reviewer, "who decided it", "NAME"},
        std::tuple{"--until", &options->until, "the day from which it counts again", "YYYY-MM-DD"}}) {
    write->needs(command->add_option(name, *value, what)->type_name(type)->needs(write));
  }
  auto* attest = command
                     ->add_option("--attest", options->attest,
                                  "write what came out as a signed statement (SLSA verification summary)")
                     ->type_name("FILE");
  auto* key = command->add_option("--key", options->attest_key, "the private key that signs it (PEM)")
                  ->type_name("PRIVATE.pem")
                  ->needs(attest);
  attest->needs(key);
  command
      ->add_option("--certificates", options->certificates,
                   "the key's certificate, then those up to its root (PEM)")
      ->type_name("CHAIN.pem")
      ->needs(attest);
  command->footer(
      "Exit codes: 0 clean, 1 findings at or above --fail-on, 2 could not look at all of it, 64 usage.\n"
      "Example: holdfast inspect --format sarif model.pt > model.sarif");
  command->callback([options, &invocation, &action] {
    action = [options, &invocation] { return inspect(*options, invocation); };
  });
}

}  // namespace holdfast::cli
