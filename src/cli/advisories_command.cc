#include <fmt/format.h>

#include <memory>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "cli/advisory_bundles.h"
#include "cli/command.h"
#include "cli/model_reader.h"
#include "cli/settings.h"
#include "formats/source.h"
#include "supply/advisory_report.h"
#include "supply/collect.h"
#include "supply/exploitation.h"
#include "updates/advisories.h"
#include "updates/folder.h"

namespace holdfast::cli {
namespace {

using nlohmann::ordered_json;
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
  std::optional<std::filesystem::path> key;
  bool unsigned_archives = false;
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

// Beside the index of advisories.
std::filesystem::path exploitation_path(const Options& options, const Invocation& invocation) {
  return index_path(options, invocation).replace_extension(".exploited");
}

// Nothing where none was imported, which is no fault: advisories can be told without.
base::Result<std::optional<supply::ExploitationIndex>> open_exploitation(const Options& options,
                                                                         const Invocation& invocation) {
  const auto path = exploitation_path(options, invocation);
  auto bytes = base::read_file(path, supply::ExploitationIndex::kMaxBytes);
  if (!bytes && bytes.error().code == base::ErrorCode::kNotFound) {
    return std::optional<supply::ExploitationIndex>();
  }
  if (!bytes) return base::fail(std::move(bytes).error());
  auto index = supply::ExploitationIndex::open(*std::move(bytes));
  if (!index) return base::fail(std::move(index).error().within(path.generic_string()));
  return std::optional(*std::move(index));
}

base::Result<> write_index(const std::filesystem::path& path, base::ByteView bytes) {
  HF_CHECK(updates::make_private_folder(path.parent_path()));
  return base::write_file_atomically(path, bytes);
}

// What a file is, by its first bytes: an archive of OSV, CISA's catalogue in JSON, else scores.
enum class Source { kAdvisories, kCatalogue, kScores };

base::Result<Source> source_of(const formats::Source& file) {
  base::Bytes head(4);
  HF_TRY(const auto count, file.read_at(0, head));
  const auto text = base::as_text(base::ByteView(head).first(count));
  if (text.starts_with("PK")) return Source::kAdvisories;
  return text.find('{') != std::string_view::npos ? Source::kCatalogue : Source::kScores;
}

struct Imports {
  supply::AdvisoryImport advisories;
  bool any_advisories = false;
  supply::ExploitationImport exploitation;
  bool any_exploitation = false;
};

base::Result<> take_in(const std::filesystem::path& path, Imports& to) {
  HF_TRY(const auto file, formats::FileSource::open(path));
  HF_TRY(const auto source, source_of(file));
  if (source == Source::kAdvisories) {
    to.any_advisories = true;
    return to.advisories.add_zip(file);
  }
  to.any_exploitation = true;
  if (source == Source::kScores) return to.exploitation.add_scores(file);
  HF_TRY(const auto text, base::read_file(path, supply::ExploitationImport::kMaxCatalogueBytes));
  return to.exploitation.add_catalogue(base::as_text(text));
}

std::string day_or_none(base::Timestamp moment) {
  return moment == base::Timestamp() ? "none" : moment.text().substr(0, 10);
}

std::string summary(const supply::ExploitationStatus& status) {
  return fmt::format("{} CVEs, EPSS of {}, known exploited of {}", status.rows, day_or_none(status.scored_at),
                     day_or_none(status.catalogue_of));
}

base::Result<> finish_exploitation(const Imports& imports, const Options& options,
                                   const Invocation& invocation) {
  HF_TRY(const auto bytes, imports.exploitation.finish());
  const auto path = exploitation_path(options, invocation);
  HF_CHECK(write_index(path, bytes));
  HF_TRY(const auto index, supply::ExploitationIndex::open(bytes));
  if (!options.json) print(fmt::format("{}: {}\n", path.generic_string(), summary(index.status())));
  return {};
}

ordered_json json_of(const std::filesystem::path& path, const supply::IndexStatus& status) {
  return {{"file", path.generic_string()},  {"imported_at", status.imported_at.text()},
          {"newest", status.newest.text()}, {"advisories", status.advisories},
          {"packages", status.packages},    {"withdrawn", status.withdrawn}};
}

ordered_json json_of(const supply::ExploitationStatus& status) {
  return {{"cves", status.rows},
          {"epss_of", day_or_none(status.scored_at)},
          {"known_exploited_of", day_or_none(status.catalogue_of)}};
}

// What is there now, after an import or without one.
base::Result<ordered_json> state_json(const Options& options, const Invocation& invocation) {
  ordered_json state{{"index", nullptr}, {"exploitation", nullptr}};
  if (const auto index = open_index(options, invocation)) {
    state["index"] = json_of(index_path(options, invocation), index->status());
  } else if (index.error().code != base::ErrorCode::kNotFound) {
    return base::fail(index.error());
  }
  HF_TRY(const auto exploitation, open_exploitation(options, invocation));
  if (exploitation) state["exploitation"] = json_of(exploitation->status());
  return state;
}

base::Result<> finish_advisories(base::ByteView bytes, const Options& options, const Invocation& invocation) {
  const auto path = index_path(options, invocation);
  HF_TRY(const auto index, supply::AdvisoryIndex::open(base::Bytes(bytes.begin(), bytes.end())));
  HF_CHECK(forget_bundle(path));
  HF_CHECK(write_index(path, bytes));
  const auto& status = index.status();
  if (options.json) return {};
  print(fmt::format("{}: {} advisories on {} packages, {} withdrawn, the newest of {}\n",
                    path.generic_string(), status.advisories, status.packages, status.withdrawn,
                    status.newest.text()));
  return {};
}

// All files are read before anything is written, so that one that is bad changes nothing.
base::Result<ExitCode> import(const Options& options, const Invocation& invocation) {
  HF_TRY(const bool bundle, updates::is_bundle(options.paths.front()));
  if (bundle && options.paths.size() == 1) {
    return import_advisory_bundle(options.paths.front(), index_path(options, invocation), options.key,
                                  options.json, invocation);
  }
  Imports imports;
  HF_TRY(const auto before, open_exploitation(options, invocation));
  if (before) imports.exploitation = supply::ExploitationImport(*before);
  for (const auto& path : options.paths) {
    auto taken = take_in(path, imports);
    if (!taken) return base::fail(std::move(taken).error().within(path.generic_string()));
  }
  base::Bytes bytes;
  if (imports.any_advisories) {
    HF_CHECK(allow_unsigned_advisories(options.unsigned_archives, invocation));
    HF_TRY(bytes, imports.advisories.finish(base::system_clock().now()));
  }
  if (imports.any_exploitation) HF_CHECK(finish_exploitation(imports, options, invocation));
  if (imports.any_advisories) HF_CHECK(finish_advisories(bytes, options, invocation));
  if (options.json) {
    HF_TRY(const auto state, state_json(options, invocation));
    print(state.dump(2) + "\n");
  }
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

// "critical=7", or "exploited=3".
base::Result<> set_deadline(const std::string& text, supply::MatchOptions& match) {
  const auto equals = text.find('=');
  const auto word = text.substr(0, equals);
  const auto severity = supply::severity_of_word(word);
  const bool exploited = word == "exploited";
  int days = -1;
  const bool number = equals != std::string::npos && CLI::detail::lexical_cast(text.substr(equals + 1), days);
  if ((severity == supply::Severity::kUnknown && !exploited) || !number || days < 0 || days > 36'500) {
    return base::fail(
        base::ErrorCode::kInvalidArgument,
        fmt::format("it is SEVERITY=DAYS, such as critical=7 or exploited=3, not \"{}\"", text));
  }
  if (exploited) {
    match.exploited_deadline = hours(24) * days;
  } else {
    match.deadlines[severity] = hours(24) * days;
  }
  return {};
}

base::Result<supply::MatchOptions> match_options(const Options& options) {
  supply::MatchOptions match{.now = base::system_clock().now(), .vex_lasts = hours(24) * options.vex_days};
  for (const auto& path : options.vex) {
    HF_TRY(const auto bytes, base::read_file(path, supply::kMaxVexBytes));
    auto statements = supply::read_openvex(base::as_text(bytes));
    if (!statements) return base::fail(std::move(statements).error().within(path.generic_string()));
    match.vex.insert(match.vex.end(), statements->begin(), statements->end());
  }
  for (const auto& deadline : options.deadlines) HF_CHECK(set_deadline(deadline, match));
  return match;
}

std::string check_deadline(const std::string& text) {
  supply::MatchOptions unused;
  const auto set = set_deadline(text, unused);
  return set ? std::string() : set.error().message;
}

base::Result<ExitCode> check(const Options& options, const Invocation& invocation) {
  HF_TRY(auto match, match_options(options));
  HF_TRY(const auto index, open_index(options, invocation));
  HF_TRY(const auto exploitation, open_exploitation(options, invocation));
  if (exploitation) match.exploitation = &*exploitation;
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
  if (options.json) {
    HF_TRY(auto state, state_json(options, invocation));
    state["overdue"] = stale.has_value();
    print(state.dump(2) + "\n");
    return stale ? ExitCode::kRefused : ExitCode::kDone;
  }
  print(
      fmt::format("file: {}\nimported: {}\nnewest change: {}\nadvisories: {} on {} packages, {} withdrawn\n",
                  index_path(options, invocation).generic_string(), status.imported_at.text(),
                  status.newest.text(), status.advisories, status.packages, status.withdrawn));
  HF_TRY(const auto exploitation, open_exploitation(options, invocation));
  print(exploitation ? fmt::format("exploitation: {}\n", summary(exploitation->status()))
                     : "exploitation: nothing imported\n");
  if (stale) print(*stale + "\n");
  return stale ? ExitCode::kRefused : ExitCode::kDone;
}

void add_common(CLI::App& command, Options& options) {
  command.add_option("--index", options.index, "the file of advisories; else in the state folder")
      ->type_name("FILE");
}

void add_stale(CLI::App& command, Options& options) {
  command.add_option("--stale-after", options.stale_days, "days after which an import is too old")
      ->type_name("DAYS")
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
      ->type_name("DAYS")
      ->check(CLI::Range(1, 3650))
      ->capture_default_str();
  command
      ->add_option("--deadline", options->deadlines,
                   "SEVERITY=DAYS: for so long after its publication an advisory is told, but does not fail; "
                   "exploited=DAYS: after it was known to be exploited, else the shortest of the others")
      ->type_name("SEVERITY=DAYS")
      ->check(CLI::Validator(check_deadline, ""));
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
  command->footer("Example: holdfast advisories check requirements.txt");
  auto* import_command =
      command->add_subcommand("import", "Make the index of OSV's archives, in place of the last");
  import_command
      ->add_option("FILE", options->paths,
                   "all.zip of an ecosystem, as OSV publishes it; EPSS's scores (.csv or .csv.gz); CISA's "
                   "known_exploited_vulnerabilities.json")
      ->required();
  add_common(*import_command, *options);
  import_command
      ->add_option("--key", options->key,
                   "of a bundle, its publisher's public key (PEM); the first one is kept, later ones are in "
                   "advisories.keys")
      ->type_name("FILE");
  import_command->add_flag("--unsigned", options->unsigned_archives,
                           "take archives that are not signed, though a key is trusted");
  import_command->add_flag("--json", options->json, "print JSON");
  import_command->footer(
      "Scores and the catalogue each take the place of the last of their kind, and leave the advisories.\n"
      "Example: holdfast advisories import PyPI/all.zip npm/all.zip epss_scores-current.csv.gz "
      "known_exploited_vulnerabilities.json");
  import_command->callback([options, &invocation, &action] {
    action = [options, &invocation] { return import(*options, invocation); };
  });
  add_advisory_bundle_commands(*command, action);
  add_check(*command, options, invocation, action);
  auto* status = command->add_subcommand("status", "Show how old the index is and what it holds");
  add_common(*status, *options);
  add_stale(*status, *options);
  status->add_flag("--json", options->json, "print JSON");
  status->footer(
      "Exit codes: 0 fresh, 1 older than --stale-after, 2 no index.\n"
      "Example: holdfast advisories status");
  status->callback([options, &invocation, &action] {
    action = [options, &invocation] { return show_status(*options, invocation); };
  });
}

}  // namespace holdfast::cli
