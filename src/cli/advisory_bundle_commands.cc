#include <fmt/format.h>

#include <memory>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/advisory_bundles.h"
#include "cli/command.h"
#include "cli/key_files.h"
#include "cli/settings.h"
#include "cli/updates_settings.h"
#include "updates/advisories.h"

namespace holdfast::cli {

namespace fs = std::filesystem;

base::Result<ExitCode> import_advisory_bundle(const fs::path& bundle, const fs::path& index,
                                              const std::optional<fs::path>& key, bool json,
                                              const Invocation& invocation) {
  HF_TRY(const auto settings, invocation.settings());
  HF_TRY(const auto trust, trust_of(settings, "advisories.keys", key));
  HF_TRY(const auto imported,
         updates::import_advisories(bundle, index, trust.keys, base::system_clock().now()));
  HF_CHECK(pin(trust));
  if (json) {
    print(nlohmann::ordered_json{{"file", index.generic_string()},
                                 {"version", imported.edition.version},
                                 {"issued_at", imported.edition.issued_at.text()},
                                 {"advisories", imported.status.advisories},
                                 {"packages", imported.status.packages},
                                 {"withdrawn", imported.status.withdrawn}}
              .dump(2) +
          "\n");
  } else {
    print(fmt::format("{}: version {} of {}: {} advisories on {} packages, {} withdrawn\n",
                      index.generic_string(), imported.edition.version, imported.edition.issued_at.text(),
                      imported.status.advisories, imported.status.packages, imported.status.withdrawn));
  }
  return ExitCode::kDone;
}

base::Result<> allow_unsigned_advisories(bool meant, const Invocation& invocation) {
  HF_TRY(const auto settings, invocation.settings());
  if (!meant && trust_of(settings, "advisories.keys", std::nullopt)) {
    return base::fail(
        base::ErrorCode::kUnauthenticated,
        "a key is trusted for advisories, and this archive is not signed: import a bundle, or say "
        "--unsigned");
  }
  return {};
}

base::Result<> forget_bundle(const fs::path& index) {
  std::error_code error;
  fs::remove(updates::statement_path(index), error);
  if (error) return base::fail_errno("cannot remove the statement of the bundle before", error.value());
  return {};
}

namespace {

struct Options {
  std::vector<fs::path> paths;
  fs::path key;
  fs::path out;
  std::int64_t version = 0;
  std::int64_t days = 14;
  bool json = false;
};

base::Result<ExitCode> pack(const Options& options) {
  HF_TRY(const auto key, read_private_key(options.key));
  const auto now = base::system_clock().now();
  const updates::Edition edition{.kind = std::string(updates::kAdvisoriesKind),
                                 .version = options.version > 0 ? options.version : version_of_day(now),
                                 .issued_at = now,
                                 .expires_at = days_after(now, options.days)};
  HF_CHECK(updates::pack_advisories(options.paths, options.out, edition, key));
  print_signed({.bundle = options.out, .edition = edition, .signer = key.public_key(), .json = options.json});
  return ExitCode::kDone;
}

}  // namespace

void add_advisory_bundle_commands(CLI::App& advisories, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = advisories.add_subcommand("pack", "Sign archives of advisories, for others to import");
  command->add_option("PATH", options->paths, "all.zip of an ecosystem, or a folder of such")->required();
  command->add_option("--key", options->key, "the private key (PEM)")->type_name("FILE")->required();
  command->add_option("-o,--out", options->out, "the bundle to write")->type_name("FILE")->required();
  command->add_option("--set-version", options->version, "its version; else today's date and 01")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{9'999'999'999}));
  command->add_option("--expires", options->days, "the days after which nobody may import it")
      ->type_name("DAYS")
      ->check(CLI::Range(1, 3650))
      ->capture_default_str();
  command->add_flag("--json", options->json, "print JSON");
  command->footer("Example: holdfast advisories pack osv/ --key publisher.pem -o advisories.bundle");
  command->callback([options, &action] { action = [options] { return pack(*options); }; });
}

}  // namespace holdfast::cli
