#include <fmt/format.h>

#include <memory>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/key_files.h"
#include "crypto/age_file.h"
#include "crypto/sha256.h"
#include "trust/predicates.h"

namespace holdfast::cli {
namespace {

namespace fs = std::filesystem;

std::uint64_t size_or_zero(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  return error ? 0 : size;
}

crypto::Progress show(Progress& progress, std::uint64_t total) {
  return [&progress, total](std::uint64_t done) { progress.update(done, total); };
}

void print_written(const fs::path& out, bool as_json) {
  if (as_json) print(nlohmann::ordered_json{{"written", out.string()}}.dump() + "\n");
}

struct SealOptions {
  std::vector<std::string> recipients;
  fs::path in;
  fs::path out;
  fs::path attest;
  fs::path key;
  bool armor = false;
  bool json = false;
};

// That the sealed file was made of the plain one, for whoever has only the sealed one at hand.
base::Result<> attest_sealing(const SealOptions& options, const base::Digest& plain,
                              base::Timestamp started) {
  HF_TRY(const auto key, read_private_key(options.key));
  HF_TRY(const auto sealed, crypto::sha256_file(options.out));
  HF_TRY(const auto again, crypto::sha256_file(options.in));
  if (again != plain) {
    return base::fail(
        base::ErrorCode::kConflict,
        fmt::format("{} was written to while it was sealed; seal it again", options.in.string()));
  }
  std::vector<std::pair<std::string, std::string>> parameters;
  for (std::size_t i = 0; i < options.recipients.size(); ++i) {
    parameters.emplace_back(fmt::format("recipient{}", i + 1), options.recipients[i]);
  }
  const trust::AttestedStatement statement{
      .subjects = {{options.out.filename().string(), sealed}},
      .predicate_type = std::string(trust::kProvenance),
      .predicate_json = trust::provenance_json({.build_type = "urn:holdfast:seal:v1",
                                                .builder = "urn:holdfast:cli",
                                                .builder_version = {},
                                                .parameters = std::move(parameters),
                                                .dependencies = {{options.in.filename().string(), plain}},
                                                .started_on = started,
                                                .finished_on = base::system_clock().now()})};
  HF_TRY(const std::string text, trust::attest(statement, key));
  return base::write_file_atomically(options.attest, base::as_bytes(text));
}

base::Result<ExitCode> seal(const SealOptions& options) {
  std::vector<crypto::AgeRecipient> recipients;
  for (const auto& text : options.recipients) {
    auto recipient = crypto::AgeRecipient::parse(text);
    if (!recipient) return base::fail(std::move(recipient).error().within("--recipient"));
    recipients.push_back(*std::move(recipient));
  }
  const auto started = base::system_clock().now();
  base::Digest plain;
  if (!options.attest.empty()) {
    HF_TRY(plain, crypto::sha256_file(options.in));
  }
  Progress progress("sealing");
  HF_CHECK(crypto::seal_file(options.in, options.out, recipients,
                             {.form = options.armor ? crypto::AgeForm::kArmored : crypto::AgeForm::kBinary,
                              .progress = show(progress, size_or_zero(options.in))}));
  if (!options.attest.empty()) HF_CHECK(attest_sealing(options, plain, started));
  print_written(options.out, options.json);
  return ExitCode::kDone;
}

struct UnsealOptions {
  std::vector<fs::path> identity_files;
  fs::path in;
  fs::path out;
  bool json = false;
};

base::Result<ExitCode> unseal(const UnsealOptions& options) {
  crypto::AgeKeys keys;
  for (const auto& path : options.identity_files) {
    HF_TRY(auto identities, crypto::read_age_identities(path));
    std::move(identities.begin(), identities.end(), std::back_inserter(keys.identities));
  }
  Progress progress("unsealing");
  HF_CHECK(crypto::unseal_file(options.in, options.out, keys, show(progress, size_or_zero(options.in))));
  print_written(options.out, options.json);
  return ExitCode::kDone;
}

}  // namespace

void add_seal_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<SealOptions>();
  auto* command = app.add_subcommand("seal", "Encrypt a file to age recipients");
  command
      ->add_option("-r,--recipient", options->recipients,
                   "whom it is for: an age public key; may be repeated")
      ->type_name("AGE-RECIPIENT")
      ->required();
  command->add_option("-o,--out", options->out, "the sealed file")->type_name("OUT")->required();
  command->add_flag("-a,--armor", options->armor, "write text (PEM) instead of bytes");
  auto* attest = command
                     ->add_option("--attest", options->attest,
                                  "write a signed statement of what was sealed (SLSA provenance)")
                     ->type_name("FILE");
  attest->needs(command->add_option("--key", options->key, "the private key that signs it (PEM)")
                    ->type_name("PRIVATE.pem")
                    ->needs(attest));
  command->add_flag("--json", options->json, "print JSON");
  command->add_option("IN", options->in, "the file to seal")->required();
  command->footer(
      "age says nothing of the sender: sign what you seal (holdfast sign).\n"
      "Example: holdfast seal -r age1... -o model.onnx.age model.onnx");
  command->callback([options, &action] { action = [options] { return seal(*options); }; });
}

void add_unseal_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<UnsealOptions>();
  auto* command =
      app.add_subcommand("unseal", "Decrypt a sealed file; nothing is left at OUT when that fails");
  command->add_option("-i,--identity", options->identity_files, "a file of age private keys; may be repeated")
      ->type_name("IDENTITY-FILE")
      ->required();
  command->add_option("-o,--out", options->out, "the plain file, readable by its owner alone")
      ->type_name("OUT")
      ->required();
  command->add_flag("--json", options->json, "print JSON");
  command->add_option("IN", options->in, "the sealed file")->required();
  command->footer(
      "Exit codes: 0 done, 1 refused (no key fits, or the file was changed), 2 could not be done.\n"
      "Example: holdfast unseal -i key.txt -o model.onnx model.onnx.age");
  command->callback([options, &action] { action = [options] { return unseal(*options); }; });
}

}  // namespace holdfast::cli
