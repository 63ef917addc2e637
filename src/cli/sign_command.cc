#include <fmt/format.h>

#include <memory>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "cli/command.h"
#include "cli/key_files.h"
#include "inspect/signing.h"
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
  bool allow_symlinks = false;
  bool json = false;
};

// "credit@1.4.0", or the name alone.
base::Result<> name_artefact(const std::string& text, inspect::SigningOptions& signing) {
  const auto at = text.rfind('@');
  signing.name = text.substr(0, at);
  if (signing.name.empty()) {
    return base::fail(base::ErrorCode::kInvalidArgument, "--as takes NAME@VERSION, such as credit@1.4.0");
  }
  if (at == std::string::npos) return {};
  auto version = trust::ArtefactVersion::parse(text.substr(at + 1));
  if (!version) return base::fail(std::move(version).error().within("--as"));
  signing.uri = trust::generic_purl(signing.name, version->text());
  return {};
}

base::Result<ExitCode> sign(const SignOptions& options) {
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
  if (options.json) {
    print(ordered_json{{"bundle", options.out.string()}, {"signer", key.public_key().id().hex()}}.dump() +
          "\n");
  }
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
  command
      ->add_option(
          "--as", options->name_and_version,
          "what it is, so that an older one can't be put in its place; else the name of PATH, and no "
          "version")
      ->type_name("NAME@VERSION");
  command->add_option("--ignore", options->ignore,
                      "a file or folder in PATH that is no part of it; may be repeated");
  command->add_flag("--allow-symlinks", options->allow_symlinks, "follow symbolic links to files");
  command->add_flag("--json", options->json, "print JSON");
  command->footer(
      "Example: holdfast keygen sign -o signing.pem && holdfast sign model/ --as credit@1.4.0 --key "
      "signing.pem --out model.sig");
  command->callback([options, &action] { action = [options] { return sign(*options); }; });
}

}  // namespace holdfast::cli
