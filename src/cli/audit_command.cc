#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "audit/checkpoint.h"
#include "audit/log.h"
#include "audit/verify.h"
#include "base/encoding.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/row_check.h"
#include "cli/settings.h"
#include "keys/key_store.h"
#include "keys/master_rotation.h"

namespace holdfast::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr std::size_t kMaxCheckpointBytes = 64UL << 10;

struct Options {
  fs::path log;
  std::string key;
  fs::path against;
  fs::path master_key;
  bool json = false;
};

// The key that must have signed, and where it is known from.
struct Signer {
  crypto::NoteVerifier verifier;
  bool from_folder;
};

base::Result<Signer> signer_of(const Options& options, const fs::path& log) {
  if (!options.key.empty()) {
    auto verifier = crypto::NoteVerifier::parse(options.key);
    if (!verifier) return base::fail(base::ErrorCode::kInvalidArgument, "--key: " + verifier.error().message);
    return Signer{*std::move(verifier), false};
  }
  const auto file = log / audit::Log::kVerifierFile;
  HF_TRY(const auto bytes, base::read_file(file, kMaxCheckpointBytes));
  auto text = base::as_text(bytes);
  if (text.ends_with('\n')) text.remove_suffix(1);
  auto verifier = crypto::NoteVerifier::parse(text);
  if (!verifier) return base::fail(std::move(verifier).error().within(file.string()));
  return Signer{*std::move(verifier), true};
}

base::Result<std::optional<audit::Checkpoint>> kept_elsewhere(const Options& options, const Signer& signer) {
  if (options.against.empty()) return std::optional<audit::Checkpoint>();
  HF_TRY(const auto note, base::read_file(options.against, kMaxCheckpointBytes));
  auto checkpoint = audit::open_checkpoint(base::as_text(note), signer.verifier);
  if (!checkpoint) return base::fail(std::move(checkpoint).error().within(options.against.string()));
  return std::optional(*std::move(checkpoint));
}

// The keys that open the bodies, or why none do.
struct Keys {
  std::unique_ptr<keys::KeyStore> store;
  std::string sealed_because;
};

base::Result<std::unique_ptr<keys::KeyStore>> open_store(const fs::path& master_key, const fs::path& state) {
  HF_TRY(auto master, keys::master_key_in_force(master_key, state, state / "keys"));
  return keys::KeyStore::open(state / "keys", std::move(master), {.read_only = true});
}

// A key that was named must open them. The server's own is taken where it is there and fits: a copy of a log
// is verified where its key is not, or where another server's is.
base::Result<Keys> open_keys(const Options& options, const Invocation& invocation, const fs::path& state) {
  if (!options.master_key.empty()) {
    HF_TRY(auto store, open_store(options.master_key, state));
    return Keys{std::move(store), {}};
  }
  if (!options.log.empty()) return Keys{nullptr, "--master-key opens them"};
  HF_TRY(const auto settings, invocation.settings());
  const fs::path usual = settings.text("keys.master_file");
  auto store = open_store(usual, state);
  if (store) return Keys{*std::move(store), {}};
  return Keys{nullptr, store.error().code == base::ErrorCode::kNotFound
                           ? "--master-key opens them"
                           : fmt::format("{} does not open them: {}; name another by --master-key",
                                         usual.string(), store.error().message)};
}

std::string bodies_text(const Keys& keys, const audit::VerifyReport& report) {
  if (keys.store != nullptr) {
    return fmt::format("{} opened and compared, {} destroyed, {} without a key", report.opened,
                       report.destroyed, report.without_key);
  }
  return fmt::format("compared while sealed ({}), {} destroyed", keys.sealed_because, report.destroyed);
}

// A file that does not belong to the log may have any name.
std::string printable(std::string text) {
  std::ranges::replace_if(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return text;
}

void print_rows(const RowCheck& rows) {
  if (!rows.fault.empty()) {
    print(fmt::format("the database is not as the log says: {}\n", printable(rows.fault)));
  } else if (!rows.not_compared.empty()) {
    print(fmt::format("rows of the database: not compared with the log: {}\n", printable(rows.not_compared)));
  } else {
    print("rows of the database: as the log says\n");
  }
}

void print_text(const Options& options, const Signer& signer, const Keys& keys,
                const audit::VerifyReport& report, const RowCheck& rows) {
  print(fmt::format("records: {}\n", report.checkpoint.size));
  if (report.unpublished > 0)
    print(fmt::format("not yet in the published checkpoint: {}\n", report.unpublished));
  print(fmt::format("bodies: {}\n", printable(bodies_text(keys, report))));
  if (report.unfinished_bytes > 0) {
    print(fmt::format("a write that is not finished, or was cut short: {} bytes\n", report.unfinished_bytes));
  }
  print(fmt::format("key: {}\n", signer.verifier.text()));
  if (signer.from_folder) {
    print(
        "The key was read from the log's own folder, where whoever rewrites the log can replace it. Keep it "
        "elsewhere, and give it with --key.\n");
  }
  if (options.against.empty()) {
    print(
        "That the whole folder was not put back to an earlier state only a checkpoint kept elsewhere can "
        "tell (--against).\n");
  }
  if (!report.fault) {
    print("the log holds\n");
    print_rows(rows);
    return;
  }
  const auto& fault = *report.fault;
  const auto record = fault.record ? fmt::format(", record {}", *fault.record) : "";
  print(fmt::format("the log does not hold: {}{}: {}\n", printable(fault.file), record,
                    printable(fault.message)));
}

void print_json(const Options& options, const Signer& signer, const Keys& keys,
                const audit::VerifyReport& report, const RowCheck& rows) {
  ordered_json result{
      {"holds", !report.fault.has_value()},
      {"records", report.checkpoint.size},
      {"root", report.checkpoint.root.hex()},
      {"origin", report.checkpoint.origin},
      {"unpublished", report.unpublished},
      {"bodies",
       {{"opened", report.opened}, {"destroyed", report.destroyed}, {"without_key", report.without_key}}},
      {"unfinished_bytes", report.unfinished_bytes},
      {"key", signer.verifier.text()},
      {"key_from", signer.from_folder ? "log folder" : "command line"},
      {"against", nullptr},
      {"fault", nullptr},
      {"rows", {{"compared", rows.not_compared.empty()}, {"fault", nullptr}}}};
  if (!rows.fault.empty()) result["rows"]["fault"] = rows.fault;
  if (!rows.not_compared.empty()) result["rows"]["not_compared_because"] = rows.not_compared;
  if (keys.store == nullptr) result["bodies"]["sealed_because"] = keys.sealed_because;
  if (!options.against.empty()) result["against"] = options.against.string();
  if (report.fault) {
    result["fault"] = {{"file", report.fault->file}, {"record", nullptr}, {"message", report.fault->message}};
    if (report.fault->record) result["fault"]["record"] = *report.fault->record;
  }
  print(result.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n");
}

base::Result<ExitCode> verify(const Options& options, const Invocation& invocation) {
  const auto state = state_folder(invocation.state_path);
  const auto log = options.log.empty() ? state / "log" : options.log;
  HF_TRY(const auto signer, signer_of(options, log));
  HF_TRY(const auto against, kept_elsewhere(options, signer));
  HF_TRY(const auto keys, open_keys(options, invocation, state));
  Progress progress("verifying");
  const auto say = [&progress](std::uint64_t done, std::uint64_t total) {
    progress.say(fmt::format("{} of {} records", done, total));
  };
  HF_TRY(const auto report,
         audit::verify_log(log, signer.verifier,
                           {.keys = keys.store.get(), .against = against, .progress = say}));
  RowCheck rows{.fault = {}, .not_compared = "the log is verified alone (--log)"};
  if (report.fault) {
    rows.not_compared = "the log does not hold";
  } else if (options.log.empty()) {
    rows = check_rows(invocation, state);
  }
  if (options.json) {
    print_json(options, signer, keys, report, rows);
  } else {
    print_text(options, signer, keys, report, rows);
  }
  return report.fault || !rows.fault.empty() ? ExitCode::kRefused : ExitCode::kDone;
}

}  // namespace

void add_audit_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("audit", "Look at the audit log");
  command->require_subcommand(1);
  command->footer("Example: holdfast audit records --limit 20");
  auto* check = command->add_subcommand(
      "verify",
      "Check that no record was changed, removed or inserted, nor any row of the database behind the log");
  check->add_option("--log", options->log, "the log's folder, instead of the one in the state folder")
      ->type_name("DIR");
  check->add_option("--key", options->key, "the key that must have signed its checkpoints")
      ->type_name("VKEY");
  check
      ->add_option("--against", options->against,
                   "a checkpoint kept elsewhere, with which the log must begin")
      ->type_name("FILE");
  check
      ->add_option("--master-key", options->master_key,
                   "opens the records with the keys in the state folder, and compares them too; else the "
                   "setting keys.master_file, where that key is there")
      ->type_name("FILE");
  check->add_flag("--json", options->json, "print JSON");
  check->footer(
      "Reads the log's files alone, beside a running server too, and then asks the server, or opens the "
      "folder itself, whether the rows of the database are as the log says. Exit codes: 0 the log holds, 1 "
      "it or a row does not (the first fault is named), 2 it could not be read.\n"
      "Example: holdfast audit verify --state /var/lib/holdfast --against checkpoint.yesterday");
  check->callback([options, &invocation, &action] {
    action = [options, &invocation] { return verify(*options, invocation); };
  });
}

}  // namespace holdfast::cli
