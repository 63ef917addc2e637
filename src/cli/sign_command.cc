#include <fmt/format.h>

#include <memory>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "cli/key_files.h"
#include "cli/proof_files.h"
#include "cli/server_command.h"
#include "crypto/sha256.h"
#include "inspect/signing.h"
#include "inspect/signing_bundle.h"
#include "trust/decide.h"
#include "trust/predicates.h"
#include "trust/version.h"

namespace holdfast::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

struct SignOptions {
  fs::path artefact;
  fs::path key;
  fs::path certificates;
  fs::path out;
  std::vector<std::string> ignore;
  std::string name_and_version;
  fs::path log_proof;
  fs::path log_key_out;
  bool allow_symlinks = false;
  bool json = false;
};

// "credit@1.4.0", or the name alone.
base::Result<> name_artefact(const std::string& text, inspect::SigningOptions& signing) {
  const auto at = text.rfind('@');
  signing.name = text.substr(0, at);
  if (signing.name.empty()) {
    return base::fail(base::ErrorCode::kInvalidArgument, "it is NAME@VERSION, such as credit@1.4.0");
  }
  if (at == std::string::npos) return {};
  HF_TRY(const auto version, trust::ArtefactVersion::parse(text.substr(at + 1)));
  signing.uri = trust::generic_purl(signing.name, version.text());
  return {};
}

std::string check_name(const std::string& text) {
  inspect::SigningOptions unused;
  const auto named = name_artefact(text, unused);
  return named ? std::string() : named.error().message;
}

// What the log is told of the signature, and where that is proved.
base::Result<> log_signature(const SignOptions& options, const crypto::PrivateKey& key,
                             std::string_view bundle, const ApiClient& client) {
  const auto parsed = inspect::parse_bundle(bundle);
  if (!parsed) return base::fail(parsed.error());
  const crypto::PublicKey signer = key.public_key();
  HF_TRY(const auto payload, parsed->envelope.verify(trust::kStatementPayloadType, std::span(&signer, 1)));
  HF_TRY(const auto manifest, inspect::parse_manifest(payload.bytes()));
  nlohmann::json body{{"bundle", crypto::sha256(base::as_bytes(bundle)).prefixed()},
                      {"signer", signer.id().prefixed()},
                      {"root", manifest.root().prefixed()}};
  const auto name = trust::signed_name(manifest);
  if (name.version) body["version"] = name.version->text();
  HF_TRY(const auto response,
         client.send_json("POST", path_of({"v1", "models", name.name, "signatures"}), body));
  HF_TRY(const auto answer, accepted(response));
  return write_proof(answer, options.log_proof, options.log_key_out);
}

base::Result<ExitCode> sign(const SignOptions& options, const ApiClient* client) {
  HF_TRY(const auto key, read_private_key(options.key));
  Progress progress("hashing");
  inspect::SigningOptions signing{
      .ignore = options.ignore,
      .allow_symlinks = options.allow_symlinks,
      .bundle = options.out,
      .progress = [&progress](std::uint64_t done, std::uint64_t total) { progress.update(done, total); }};
  if (!options.certificates.empty()) {
    HF_TRY(signing.certificates, read_certificates(options.certificates));
  }
  if (!options.name_and_version.empty()) HF_CHECK(name_artefact(options.name_and_version, signing));
  HF_TRY(const auto bundle, inspect::sign_artefact(options.artefact, key, signing));
  HF_CHECK(base::write_file_atomically(options.out, base::as_bytes(bundle)));
  if (client != nullptr) HF_CHECK(log_signature(options, key, bundle, *client));
  if (options.json) {
    print(ordered_json{{"bundle", options.out.string()}, {"signer", key.public_key().id().hex()}}.dump() +
          "\n");
  }
  return ExitCode::kDone;
}

}  // namespace

void add_sign_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<SignOptions>();
  auto* command = app.add_subcommand("sign", "Sign a file or folder (OpenSSF Model Signing bundle)");
  command->add_option("PATH", options->artefact, "the file or folder")->required();
  command->add_option("--key", options->key, "the private key (PEM)")->type_name("PRIVATE.pem")->required();
  command->add_option("--out", options->out, "the bundle to write")->type_name("BUNDLE")->required();
  command
      ->add_option("--certificates", options->certificates,
                   "the key's certificate, then those up to its root (PEM)")
      ->type_name("CHAIN.pem");
  command
      ->add_option(
          "--as", options->name_and_version,
          "what it is, so that an older one can't be put in its place; else the name of PATH, and no "
          "version")
      ->type_name("NAME@VERSION")
      ->check(CLI::Validator(check_name, ""));
  command->add_option("--ignore", options->ignore,
                      "a file or folder in PATH that is no part of it; may be repeated");
  command->add_flag("--allow-symlinks", options->allow_symlinks, "follow symbolic links to files");
  auto* proof =
      command
          ->add_option("--log-proof", options->log_proof,
                       "record the signature in the installation's log, and write the proof here (C2SP "
                       "tlog-proof)")
          ->type_name("FILE");
  command->add_option("--log-key-out", options->log_key_out, "write the log's key, by which that verifies")
      ->type_name("FILE")
      ->needs(proof);
  command->add_flag("--json", options->json, "print JSON");
  command->footer(
      "Example: holdfast keygen sign -o signing.pem && holdfast sign model/ --as credit@1.4.0 --key "
      "signing.pem --out model.sig");
  command->callback([options, &invocation, &action] {
    if (options->log_proof.empty()) {
      action = [options] { return sign(*options, nullptr); };
    } else {
      action =
          server_action(invocation, [options](const ApiClient& client) { return sign(*options, &client); });
    }
  });
}

}  // namespace holdfast::cli
