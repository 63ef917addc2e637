#include <fmt/format.h>

#include <memory>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "cli/command.h"
#include "crypto/pem.h"
#include "inspect/signing.h"
#include "inspect/signing_bundle.h"

namespace holdfast::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

base::Result<std::vector<crypto::Certificate>> read_certificates(const fs::path& path) {
  HF_TRY(const auto bytes, base::read_file(path, crypto::kMaxPemBytes));
  auto certificates = crypto::parse_certificates(base::as_text(bytes));
  if (!certificates) return base::fail(std::move(certificates).error().within(path.string()));
  return *std::move(certificates);
}

struct SignOptions {
  fs::path artefact;
  fs::path key;
  fs::path certificates;
  fs::path out;
  std::vector<std::string> ignore;
  bool allow_symlinks = false;
  bool json = false;
};

base::Result<ExitCode> sign(const SignOptions& options) {
  HF_TRY(auto bytes, base::read_file(options.key, crypto::kMaxPemBytes));
  const base::Secret pem(std::move(bytes));
  auto key = crypto::PrivateKey::from_pem(pem.reveal_text());
  if (!key) return base::fail(std::move(key).error().within(options.key.string()));
  Progress progress("hashing");
  inspect::SigningOptions signing{
      .ignore = options.ignore,
      .allow_symlinks = options.allow_symlinks,
      .bundle = options.out,
      .progress = [&progress](std::uint64_t done, std::uint64_t total) { progress.update(done, total); }};
  if (!options.certificates.empty()) {
    HF_TRY(signing.certificates, read_certificates(options.certificates));
  }
  HF_TRY(const auto bundle, inspect::sign_artefact(options.artefact, *key, signing));
  HF_CHECK(base::write_file_atomically(options.out, base::as_bytes(bundle)));
  if (options.json) {
    print(ordered_json{{"bundle", options.out.string()}, {"signer", key->public_key().id().hex()}}.dump() +
          "\n");
  }
  return ExitCode::kDone;
}

struct VerifyOptions {
  fs::path artefact;
  fs::path bundle;
  fs::path key;
  fs::path roots;
  bool json = false;
};

base::Result<inspect::Verification> verification_of(const VerifyOptions& options) {
  HF_TRY(const auto bundle, base::read_file(options.bundle, inspect::kMaxBundleBytes));
  Progress progress("hashing");
  const inspect::VerifyingOptions verifying{
      .bundle = options.bundle,
      .progress = [&progress](std::uint64_t done, std::uint64_t total) { progress.update(done, total); }};
  if (!options.roots.empty()) {
    HF_TRY(const auto roots, read_certificates(options.roots));
    return inspect::verify_artefact(options.artefact, base::as_text(bundle), {.certificates = roots},
                                    verifying);
  }
  HF_TRY(const auto pem, base::read_file(options.key, crypto::kMaxPemBytes));
  auto key = crypto::PublicKey::from_pem(base::as_text(pem));
  if (!key) return base::fail(std::move(key).error().within(options.key.string()));
  return inspect::verify_artefact(options.artefact, base::as_text(bundle), *key, verifying);
}

std::string printable(std::string_view name) {
  return ordered_json(name).dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

void print_refusal(const VerifyOptions& options, const inspect::VerificationFailure& failure) {
  if (!options.json) {
    for (const auto& difference : failure.differences) {
      print(fmt::format("{}: {}\n", to_string(difference.kind), printable(difference.name)));
    }
    return;
  }
  auto differences = ordered_json::array();
  for (const auto& [kind, name] : failure.differences)
    differences.push_back({{"kind", to_string(kind)}, {"name", name}});
  print(
      ordered_json{{"verified", false}, {"reason", failure.error.message}, {"differences", differences}}.dump(
          2, ' ', false, ordered_json::error_handler_t::replace) +
      "\n");
}

void print_success(const VerifyOptions& options, const inspect::VerifiedModel& model) {
  const auto& certificate = model.certificate();
  if (options.json) {
    ordered_json result{
        {"verified", true}, {"root", model.root().prefixed()}, {"signer", model.signer().hex()}};
    if (certificate) result["subject"] = certificate->subject();
    print(result.dump(2) + "\n");
  } else {
    print(fmt::format("verified: {}\n",
                      certificate ? "signed by " + certificate->subject() : "signed by the key given"));
  }
}

base::Result<ExitCode> verify(const VerifyOptions& options) {
  HF_TRY(auto verification, verification_of(options));
  if (!verification) {
    print_refusal(options, verification.error());
    return base::fail(std::move(verification).error().error);
  }
  print_success(options, *verification);
  return ExitCode::kDone;
}

}  // namespace

void add_sign_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<SignOptions>();
  auto* command = app.add_subcommand("sign", "Sign a file or folder (OpenSSF Model Signing bundle)");
  command->add_option("PATH", options->artefact, "the file or folder")->required();
  command->add_option("--key", options->key, "the private key (PEM)")->type_name("PRIVATE.pem")->required();
  command->add_option("--out", options->out, "the bundle to write")->type_name("BUNDLE")->required();
  command
      ->add_option("--certificates", options->certificates,
                   "the key's certificate, then those up to its root (PEM)")
      ->type_name("CHAIN.pem");
  command->add_option("--ignore", options->ignore,
                      "a file or folder in PATH that is no part of it; may be repeated");
  command->add_flag("--allow-symlinks", options->allow_symlinks, "follow symbolic links to files");
  command->add_flag("--json", options->json, "print JSON");
  command->footer(
      "Example: holdfast keygen sign -o signing.pem && holdfast sign model/ --key signing.pem --out "
      "model.sig");
  command->callback([options, &action] { action = [options] { return sign(*options); }; });
}

void add_verify_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<VerifyOptions>();
  auto* command = app.add_subcommand("verify", "Check that a file or folder is exactly what was signed");
  command->add_option("PATH", options->artefact, "the file or folder")->required();
  command->add_option("--bundle", options->bundle, "the signature")->type_name("BUNDLE")->required();
  auto* signer = command->add_option_group("signer", "Who must have signed it");
  signer->add_option("--key", options->key, "the holder of this public key")->type_name("PUBLIC.pem");
  signer->add_option("--roots", options->roots, "whoever holds a certificate under one of these")
      ->type_name("ROOTS.pem");
  signer->require_option(1);
  command->add_flag("--json", options->json, "print JSON");
  command->footer(
      "Exit codes: 0 verified, 1 refused (every difference is named), 2 could not be checked.\n"
      "Example: holdfast verify model/ --bundle model.sig --key signing.pem.pub");
  command->callback([options, &action] { action = [options] { return verify(*options); }; });
}

}  // namespace holdfast::cli
