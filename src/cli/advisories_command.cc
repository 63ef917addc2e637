#include <fmt/format.h>

#include <memory>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/file.h"
#include "cli/command.h"
#include "cli/model_reader.h"
#include "cli/settings.h"
#include "formats/source.h"
#include "supply/advisory_report.h"
#include "supply/collect.h"

namespace holdfast::cli {
namespace {

using std::chrono::hours;

struct Options {
  std::vector<std::filesystem::path> paths;
  std::optional<std::filesystem::path> index;
  std::vector<std::filesystem::path> vex;
  std::string fail_on = "low";
  std::string format = "text";
  bool json = false;
  int stale_days = 7;
  int vex_days = 365;
  std::vector<std::string> deadlines;  // "critical=7"
};

std::filesystem::path index_path(const Options& options, const Invocation& invocation) {
  return options.index ? *options.index : state_folder(invocation.state_path) / "advisories.index";
}

base::Result<supply::AdvisoryIndex> open_index(const Options& options, const Invocation& invocation) {
  const auto path = index_path(options, invocation);
  auto bytes = base::read_file(path, supply::AdvisoryIndex::kMaxBytes);
  if (!bytes && bytes.error().code == base::ErrorCode::kNotFound) {
    return base::fail(
        base::ErrorCode::kNotFound,
        fmt::format("{} is not there: import advisories first, with `holdfast advisories import`",
                    path.generic_string()));
  }
  if (!bytes) return base::fail(std::move(bytes).error());
  return supply::AdvisoryIndex::open(*std::move(bytes));
}

base::Result<ExitCode> import(const Options& options, const Invocation& invocation) {
  supply::AdvisoryImport all;
  for (const auto& path : options.paths) {
    HF_TRY(const auto source, formats::FileSource::open(path));
    auto added = all.add_zip(source);
    if (!added) return base::fail(std::move(added).error().within(path.generic_string()));
  }
  HF_TRY(const auto bytes, all.finish(base::system_clock().now()));
  const auto path = index_path(options, invocation);
  std::error_code error;
  if (!path.parent_path().empty()) std::filesystem::create_directories(path.parent_path(), error);
  HF_CHECK(base::write_file_atomically(path, bytes));
  HF_TRY(const auto index, supply::AdvisoryIndex::open(bytes));
  const auto& status = index.status();
  print(fmt::format("{}: {} advisories on {} packages, {} withdrawn, the newest of {}\n",
                    path.generic_string(), status.advisories, status.packages, status.withdrawn,
                    status.newest.text()));
  return ExitCode::kDone;
}

// What is too old to be believed is said, and is no clean answer.
std::optional<std::string> staleness(const Options& options, const supply::IndexStatus& status,
                                     base::Timestamp now) {
  const auto age = now - status.imported_at;
  if (age <= hours(24) * options.stale_days) return std::nullopt;
  return fmt::format("the advisories were imported {} days ago, more than {}: import them again",
                     std::chrono::duration_cast<hours>(age).count() / 24, options.stale_days);
}

base::Result<supply::MatchOptions> match_options(const Options& options) {
  supply::MatchOptions match{.now = base::system_clock().now(), .vex_lasts = hours(24) * options.vex_days};
  for (const auto& path : options.vex) {
    HF_TRY(const auto bytes, base::read_file(path, supply::kMaxVexBytes));
    auto statements = supply::read_openvex(base::as_text(bytes));
    if (!statements) return base::fail(std::move(statements).error().within(path.generic_string()));
    match.vex.insert(match.vex.end(), statements->begin(), statements->end());
  }
  for (const auto& deadline : options.deadlines) {
    const auto equals = deadline.find('=');
    const auto severity = supply::severity_of_word(deadline.substr(0, equals));
    int days = -1;
    const bool number =
        equals != std::string::npos && CLI::detail::lexical_cast(deadline.substr(equals + 1), days);
    if (severity == supply::Severity::kUnknown || !number || days < 0 || days > 36'500) {
      return base::fail(
          base::ErrorCode::kInvalidArgument,
          fmt::format("--deadline takes SEVERITY=DAYS, such as critical=7, not \"{}\"", deadline));
    }
    match.deadlines[severity] = hours(24) * days;
  }
  return match;
}

base::Result<ExitCode> check(const Options& options, const Invocation& invocation) {
  HF_TRY(const auto match, match_options(options));
  HF_TRY(const auto index, open_index(options, invocation));
  supply::Inventory inventory;
  const auto read_model = jailed_model_reader();
  for (const auto& path : options.paths) {
    HF_TRY(auto collection, supply::collect(path, read_model));
    inventory.add(std::move(collection.inventory));
  }
  HF_TRY(auto result, supply::match_advisories(inventory, index, match));
  if (auto stale = staleness(options, index.status(), match.now)) result.gaps.push_back(*std::move(stale));
  if (options.format == "sarif") {
    print(to_sarif(result, invocation.version));
  } else {
    print(options.json || options.format == "json" ? to_json(result) : to_text(result));
  }
  const auto fail_on = supply::severity_of_word(options.fail_on);
  for (const auto& each : result.matches) {
    if (supply::fails(each, fail_on, match.now)) return ExitCode::kRefused;
  }
  return result.gaps.empty() ? ExitCode::kDone : ExitCode::kCouldNotDo;
}

base::Result<ExitCode> show_status(const Options& options, const Invocation& invocation) {
  HF_TRY(const auto index, open_index(options, invocation));
  const auto& status = index.status();
  const auto stale = staleness(options, status, base::system_clock().now());
  print(
      fmt::format("file: {}\nimported: {}\nnewest change: {}\nadvisories: {} on {} packages, {} withdrawn\n",
                  index_path(options, invocation).generic_string(), status.imported_at.text(),
                  status.newest.text(), status.advisories, status.packages, status.withdrawn));
  if (stale) print(*stale + "\n");
  return stale ? ExitCode::kRefused : ExitCode::kDone;
}

void add_common(CLI::App& command, Options& options) {
  command.add_option("--index", options.index, "the file of advisories; else in the state folder")
      ->type_name("FILE");
}

void add_stale(CLI::App& command, Options& options) {
  command.add_option("--stale-after", options.stale_days, "days after which an import is too old")
      ->check(CLI::Range(1, 3650))
      ->capture_default_str();
}

void add_check(CLI::App& app, const std::shared_ptr<Options>& options, const Invocation& invocation,
               Action& action) {
  auto* command = app.add_subcommand("check", "Look up the packages of lock files, environments and bills");
  command->add_option("PATH", options->paths, "whatever `holdfast bom` takes, and bills of materials")
      ->required();
  command->add_option("--format", options->format, "how to print what was found")
      ->check(CLI::IsMember({"text", "json", "sarif"}))
      ->capture_default_str();
  command->add_flag("--json", options->json, "the same as --format json");
  command->add_option("--fail-on", options->fail_on, "the severity from which the exit code is 1")
      ->check(CLI::IsMember({"none", "low", "medium", "high", "critical"}))
      ->capture_default_str();
  command->add_option("--vex", options->vex, "OpenVEX statements that set something aside; may be repeated")
      ->type_name("FILE");
  command->add_option("--vex-lasts", options->vex_days, "days after which a statement no longer counts")
      ->check(CLI::Range(1, 3650))
      ->capture_default_str();
  command
      ->add_option("--deadline", options->deadlines,
                   "SEVERITY=DAYS: for so long after its publication an advisory is told, but does not fail")
      ->type_name("SEVERITY=DAYS");
  add_stale(*command, *options);
  command->footer(
      "Exit codes: 0 clean, 1 advisories at or above --fail-on, 2 could not tell of all, 64 usage.\n"
      "Example: holdfast advisories check requirements.txt --deadline critical=7 --deadline high=30");
  add_common(*command, *options);
  command->callback([options, &invocation, &action] {
    action = [options, &invocation] { return check(*options, invocation); };
  });
}

}  // namespace

void add_advisories_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("advisories", "Know what is known against the packages in use, offline");
  command->require_subcommand(1);
  auto* import_command =
      command->add_subcommand("import", "Make the index of OSV's archives, in place of the last");
  import_command->add_option("ZIP", options->paths, "all.zip of an ecosystem, as OSV publishes it")
      ->required();
  add_common(*import_command, *options);
  import_command->footer("Example: holdfast advisories import PyPI/all.zip npm/all.zip");
  import_command->callback([options, &invocation, &action] {
    action = [options, &invocation] { return import(*options, invocation); };
  });
  add_check(*command, options, invocation, action);
  auto* status = command->add_subcommand("status", "Show how old the index is and what it holds");
  add_common(*status, *options);
  add_stale(*status, *options);
  status->footer("Exit codes: 0 fresh, 1 older than --stale-after, 2 no index.");
  status->callback([options, &invocation, &action] {
    action = [options, &invocation] { return show_status(*options, invocation); };
  });
}

}  // namespace holdfast::cli
