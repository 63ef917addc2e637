#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "audit/tlog_proof.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/key_files.h"
#include "inspect/signing.h"
#include "inspect/signing_bundle.h"
#include "trust/decide.h"
#include "trust/memory.h"
#include "trust/policy.h"
#include "trust/statement.h"

namespace holdfast::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr std::size_t kMaxVerifierBytes = 4096;

struct Options {
  fs::path artefact;
  fs::path bundle;
  std::vector<fs::path> keys;
  fs::path roots;
  fs::path policy;
  std::vector<fs::path> evidence;
  fs::path proof;
  std::string log_key;
  std::string at_least;
  fs::path remember;
  bool json = false;
};

// What was found right, whichever way it was asked.
struct Verified {
  trust::SignedName signed_as;
  base::Digest root;
  base::Digest signer;
  std::optional<crypto::Certificate> certificate;
  std::optional<audit::ProvedRecord> logged;
  std::optional<trust::Acceptance> acceptance;  // by a policy
};

std::string printable(std::string_view name) {
  return ordered_json(name).dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::string dump(const ordered_json& value) {
  return value.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

inspect::SigningProgress show(Progress& progress) {
  return [&progress](std::uint64_t done, std::uint64_t total) { progress.update(done, total); };
}

void print_differences(const std::vector<inspect::Difference>& differences) {
  for (const auto& difference : differences) {
    print(fmt::format("{}: {}\n", to_string(difference.kind), printable(difference.name)));
  }
}

ordered_json differences_json(const std::vector<inspect::Difference>& differences) {
  auto list = ordered_json::array();
  for (const auto& [kind, name] : differences) list.push_back({{"kind", to_string(kind)}, {"name", name}});
  return list;
}

base::Result<std::optional<audit::TlogProof>> read_proof(const Options& options) {
  if (options.proof.empty()) return std::optional<audit::TlogProof>();
  HF_TRY(const auto bytes, base::read_file(options.proof, audit::kMaxProofBytes));
  auto proof = audit::parse_tlog_proof(base::as_text(bytes));
  if (!proof) return base::fail(std::move(proof).error().within(options.proof.string()));
  return std::optional(*std::move(proof));
}

// The key itself, or a file that holds it (log.vkey).
base::Result<crypto::NoteVerifier> read_log_key(const std::string& text) {
  if (auto key = crypto::NoteVerifier::parse(text)) return *std::move(key);
  HF_TRY(const auto bytes, base::read_file(text, kMaxVerifierBytes));
  auto line = base::as_text(bytes);
  if (line.ends_with('\n')) line.remove_suffix(1);
  auto key = crypto::NoteVerifier::parse(line);
  if (!key) return base::fail(std::move(key).error().within("--log-key " + text));
  return *std::move(key);
}

// A file, or those of a folder whose names end as those of statements do.
base::Result<std::vector<fs::path>> evidence_files(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return std::vector{path};
  std::vector<fs::path> files;
  for (auto entry = fs::directory_iterator(path, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const auto extension = entry->path().extension();
    if (extension != ".json" && extension != ".jsonl" && extension != ".sigstore") continue;
    if (files.size() == trust::kMaxStatements) {
      return base::fail(base::ErrorCode::kLimitExceeded,
                        fmt::format("{} holds over {} files", path.string(), trust::kMaxStatements));
    }
    files.push_back(entry->path());
  }
  if (error) return base::fail_errno(fmt::format("cannot read {}", path.string()), error.value());
  std::ranges::sort(files);
  return files;
}

base::Result<std::vector<trust::SealedStatement>> read_evidence(const Options& options) {
  std::vector<trust::SealedStatement> statements;
  for (const auto& path : options.evidence) {
    HF_TRY(const auto files, evidence_files(path));
    for (const auto& file : files) {
      HF_TRY(const auto bytes, base::read_file(file, trust::kMaxStatementFileBytes));
      HF_TRY(auto found, trust::parse_sealed_statements(base::as_text(bytes), file.string()));
      std::ranges::move(found, std::back_inserter(statements));
      if (statements.size() > trust::kMaxStatements) {
        return base::fail(base::ErrorCode::kLimitExceeded,
                          fmt::format("--evidence gives over {} statements", trust::kMaxStatements));
      }
    }
  }
  return statements;
}

base::Result<> check_proof(const Options& options, std::string_view bundle, Verified& verified) {
  HF_TRY(const auto proof, read_proof(options));
  if (!proof || options.log_key.empty()) return {};
  HF_TRY(const auto key, read_log_key(options.log_key));
  auto proved = audit::verify_record_proof(*proof, key);
  if (!proved) return base::fail(std::move(proved).error().within(options.proof.string()));
  HF_CHECK(trust::check_logged(*proved, bundle));
  verified.logged = *std::move(proved);
  return {};
}

void print_refusal(const Options& options, const inspect::VerificationFailure& failure) {
  if (!options.json) return print_differences(failure.differences);
  print(dump({{"verified", false},
              {"reason", failure.error.message},
              {"differences", differences_json(failure.differences)}}));
}

base::Result<Verified> verify_signer(const Options& options, std::string_view bundle) {
  if (options.keys.size() > 1) {
    return base::fail(base::ErrorCode::kInvalidArgument, "without --policy there is one --key");
  }
  Progress progress("hashing");
  const inspect::VerifyingOptions verifying{.bundle = options.bundle, .progress = show(progress)};
  const auto run = [&]() -> base::Result<inspect::Verification> {
    if (!options.roots.empty()) {
      HF_TRY(const auto roots, read_certificates(options.roots));
      return inspect::verify_artefact(options.artefact, bundle,
                                      inspect::SignerRoots{.certificates = roots, .at = std::nullopt},
                                      verifying);
    }
    HF_TRY(const auto key, read_public_key(options.keys.front()));
    return inspect::verify_artefact(options.artefact, bundle, key, verifying);
  };
  HF_TRY(auto verification, run());
  if (!verification) {
    print_refusal(options, verification.error());
    return base::fail(std::move(verification).error().error);
  }
  return Verified{.signed_as = trust::signed_name(verification->manifest()),
                  .root = verification->root(),
                  .signer = verification->signer(),
                  .certificate = verification->certificate(),
                  .logged = std::nullopt,
                  .acceptance = std::nullopt};
}

void print_refusal(const Options& options, const trust::TrustRefusal& refusal) {
  if (!options.json) return print_differences(refusal.differences);
  auto entries = ordered_json::array();
  for (const auto& [entry, place, reason] : refusal.entries) {
    entries.push_back({{"entry", entry}, {"place", place}, {"reason", reason}});
  }
  ordered_json result{{"verified", false}, {"reason", refusal.error.message}};
  if (refusal.signed_as) result["name"] = refusal.signed_as->name;
  if (refusal.signed_as && refusal.signed_as->version) {
    result["version"] = refusal.signed_as->version->text();
  }
  result["entries"] = std::move(entries);
  result["differences"] = differences_json(refusal.differences);
  print(dump(result));
}

base::Result<Verified> verify_policy(const Options& options, std::string_view bundle) {
  HF_TRY(auto policy, trust::read_trust_policy(options.policy));
  std::vector<crypto::PublicKey> keys;
  for (const auto& file : options.keys) {
    HF_TRY(auto key, read_public_key(file));
    keys.push_back(std::move(key));
  }
  policy.offer_keys(keys);
  HF_TRY(const auto statements, read_evidence(options));
  HF_TRY(const auto proof, read_proof(options));
  Progress progress("hashing");
  auto accepted = trust::decide(policy, options.artefact,
                                {.bundle_json = bundle,
                                 .bundle = options.bundle,
                                 .statements = statements,
                                 .proof = proof,
                                 .now = base::system_clock().now(),
                                 .progress = show(progress)});
  if (!accepted) {
    print_refusal(options, accepted.error());
    return base::fail(std::move(accepted).error().error);
  }
  return Verified{.signed_as = accepted->signed_as,
                  .root = accepted->root,
                  .signer = accepted->key,
                  .certificate = accepted->certificate,
                  .logged = accepted->logged,
                  .acceptance = *accepted};
}

// Last of all, so that nothing is remembered that was refused.
base::Result<> check_version(const Options& options, const trust::SignedName& signed_as) {
  if (!options.at_least.empty()) {
    HF_TRY(const auto floor, trust::ArtefactVersion::parse(options.at_least));
    HF_CHECK(trust::check_floor(signed_as, floor));
  }
  if (options.remember.empty()) return {};
  if (signed_as.version) return remember_version(options.remember, signed_as.name, *signed_as.version);
  return base::fail(base::ErrorCode::kPermissionDenied,
                    "the signature tells no version to remember; sign with --as NAME@VERSION");
}

void print_text(const Verified& verified) {
  const auto& signed_as = verified.signed_as;
  if (!verified.acceptance) {
    print(fmt::format("verified: {}\n", verified.certificate ? "signed by " + verified.certificate->subject()
                                                             : "signed by the key given"));
  } else {
    print(fmt::format("verified: signed by {}, as the entry \"{}\" allows\n", verified.acceptance->signer,
                      verified.acceptance->entry));
    for (const auto& used : verified.acceptance->statements) {
      print(fmt::format("{}: {}, signed by {}\n", used.kind, printable(used.origin), used.signer));
    }
  }
  if (signed_as.version) {
    print(fmt::format("signed as: {} {}\n", printable(signed_as.name), signed_as.version->text()));
  }
  if (verified.logged) {
    print(fmt::format("in the log: {}, record {} of {}, at {}\n", verified.logged->checkpoint.origin,
                      verified.logged->index, verified.logged->checkpoint.size,
                      verified.logged->time.text()));
  }
}

void print_json(const Verified& verified) {
  ordered_json result{
      {"verified", true}, {"root", verified.root.prefixed()}, {"signer", verified.signer.hex()}};
  if (verified.certificate) result["subject"] = verified.certificate->subject();
  result["name"] = verified.signed_as.name;
  if (verified.signed_as.version) result["version"] = verified.signed_as.version->text();
  if (!verified.signed_as.uri.empty()) result["uri"] = verified.signed_as.uri;
  if (verified.logged) {
    result["log"] = {{"origin", verified.logged->checkpoint.origin},
                     {"record", verified.logged->index},
                     {"size", verified.logged->checkpoint.size},
                     {"at", verified.logged->time.text()},
                     {"actor", verified.logged->record.actor}};
  }
  if (verified.acceptance) {
    auto statements = ordered_json::array();
    for (const auto& [kind, origin, signer] : verified.acceptance->statements) {
      statements.push_back({{"kind", kind}, {"file", origin}, {"signer", signer}});
    }
    result["policy"] = {{"entry", verified.acceptance->entry},
                        {"signer", verified.acceptance->signer},
                        {"statements", std::move(statements)}};
  }
  print(dump(result));
}

base::Result<ExitCode> verify(const Options& options) {
  HF_TRY(const auto bytes, base::read_file(options.bundle, inspect::kMaxBundleBytes));
  const auto bundle = base::as_text(bytes);
  auto verified = options.policy.empty() ? verify_signer(options, bundle) : verify_policy(options, bundle);
  if (!verified) return base::fail(std::move(verified).error());
  if (!verified->logged) HF_CHECK(check_proof(options, bundle, *verified));
  HF_CHECK(check_version(options, verified->signed_as));
  if (options.json) {
    print_json(*verified);
  } else {
    print_text(*verified);
  }
  return ExitCode::kDone;
}

void add_trust_options(CLI::App& command, Options& options) {
  auto* policy =
      command.add_option("--policy", options.policy, "who may sign what, and with which statements")
          ->type_name("POLICY.toml");
  command
      .add_option("--evidence", options.evidence,
                  "signed statements about it, or a folder of them; may be repeated")
      ->type_name("FILE")
      ->needs(policy);
  command.add_option("--at-least", options.at_least, "refuse a version older than this one")
      ->check(CLI::Validator(
          [](const std::string& text) {
            const auto version = trust::ArtefactVersion::parse(text);
            return version ? std::string() : version.error().message;
          },
          ""))
      ->type_name("VERSION");
  command
      .add_option(
          "--remember", options.remember,
          "refuse a version older than the newest one that was verified with this file, and keep it there")
      ->type_name("FILE");
  command.add_option("--proof", options.proof, "that the signature is in a log (C2SP tlog-proof)")
      ->type_name("FILE");
  auto* log_key = command
                      .add_option("--log-key", options.log_key,
                                  "the key of that log, or a file of it; a policy may name it instead")
                      ->type_name("VKEY");
  log_key->needs(command.get_option("--proof"));
}

}  // namespace

void add_verify_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("verify", "Check that a file or folder is exactly what was signed");
  command->add_option("PATH", options->artefact, "the file or folder")->required();
  command->add_option("--bundle", options->bundle, "the signature")->type_name("BUNDLE")->required();
  auto* key =
      command
          ->add_option("--key", options->keys,
                       "the holder of this public key must have signed it; with --policy, a key that it "
                       "names by digest, and may be repeated")
          ->type_name("PUBLIC.pem");
  auto* roots = command
                    ->add_option("--roots", options->roots,
                                 "whoever holds a certificate under one of these must have signed it")
                    ->type_name("ROOTS.pem");
  add_trust_options(*command, *options);
  command->add_flag("--json", options->json, "print JSON");
  auto* policy = command->get_option("--policy");
  roots->excludes(key)->excludes(policy);
  command->footer(
      "Exit codes: 0 verified, 1 refused (every difference is named), 2 could not be checked.\n"
      "Example: holdfast verify model/ --bundle model.sig --policy trust.toml --evidence evidence/");
  command->callback([options, key, roots, policy, &action] {
    if (key->empty() && roots->empty() && policy->empty()) {
      throw CLI::RequiredError("one of --key, --roots and --policy, which say who must have signed it,");
    }
    if (!options->proof.empty() && options->log_key.empty() && policy->empty()) {
      throw CLI::RequiredError("--log-key, the key of the log that the proof must be of,");
    }
    action = [options] { return verify(*options); };
  });
}

}  // namespace holdfast::cli
