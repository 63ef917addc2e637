#include <fmt/format.h>

#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/file.h"
#include "cli/answer.h"
#include "cli/proof_files.h"
#include "cli/server_command.h"
#include "crypto/sha256.h"

namespace holdfast::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string model;
  std::uint64_t version = 0;
  fs::path out;
  fs::path key_out;
  fs::path proof_out;
  fs::path log_key_out;
  bool json = false;
};

std::string on_version(const Options& options, std::string_view noun) {
  return path_of({"v1", "models", options.model, "versions", fmt::to_string(options.version), noun});
}

void show_evidence(const nlohmann::json& answer) {
  Table table({"ID", "STATEMENT", "MADE", "DIGEST"});
  for (const auto& one : items(answer, "evidence"))
    table.add(
        {field(one, "/id"), field(one, "/predicate_type"), field(one, "/created_at"), field(one, "/digest")});
  print(table.text("no evidence"));
}

// Each envelope under its digest, which is checked to be one, since it becomes the name of a file.
base::Result<> write_evidence(const fs::path& folder, const nlohmann::json& answer) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return base::fail_errno(fmt::format("cannot make {}", folder.string()), error.value());
  for (const auto& one : items(answer, "evidence")) {
    auto digest = base::Digest::from_hex(field(one, "/digest"));
    if (!digest) return base::fail(std::move(digest).error().within("the server's answer"));
    HF_CHECK(write_text(folder / (digest->hex() + ".dsse.json"), one, "envelope"));
  }
  return write_text(folder / "public_key.pem", answer, "public_key");
}

base::Result<ExitCode> evidence(const Options& options, const ApiClient& client) {
  HF_TRY(const auto response, client.get(on_version(options, "evidence")));
  HF_TRY(const auto answer, accepted(response));
  if (!options.out.empty()) HF_CHECK(write_evidence(options.out, answer));
  return print_answer(response, options.json, show_evidence);
}

base::Result<ExitCode> signature(const Options& options, const ApiClient& client) {
  HF_TRY(const auto response, client.get(on_version(options, "signature")));
  HF_TRY(const auto answer, accepted(response));
  HF_CHECK(write_text(options.out, answer, "bundle"));
  if (!options.key_out.empty()) HF_CHECK(write_text(options.key_out, answer, "public_key"));
  if (!options.proof_out.empty()) {
    HF_TRY(const auto proof, client.get(on_version(options, "proof")));
    HF_TRY(const auto proved, accepted(proof));
    HF_CHECK(write_proof(proved, options.proof_out, options.log_key_out));
  }
  if (options.json) print_as_it_came(response);
  return ExitCode::kDone;
}

base::Result<ExitCode> export_model(const Options& options, const ApiClient& client) {
  HF_TRY(const auto response, client.get(on_version(options, "content")));
  if (response.status != 200) {
    HF_CHECK(accepted(response));
    return base::fail(base::ErrorCode::kDataCorrupt, fmt::format("the server answered {}", response.status));
  }
  const auto bytes = base::as_bytes(response.body);
  HF_CHECK(base::write_file_atomically(options.out, bytes));
  if (options.json) {
    const nlohmann::ordered_json saved{{"model", options.model},
                                       {"version", options.version},
                                       {"file", options.out.string()},
                                       {"size_bytes", bytes.size()},
                                       {"digest", crypto::sha256(bytes).prefixed()}};
    print(saved.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
  }
  return ExitCode::kDone;
}

void add_version(CLI::App& command, Options& options) {
  command.add_option("MODEL", options.model, "the model")->required();
  command.add_option("VERSION", options.version, "its version")
      ->required()
      ->check(CLI::Range(1, 1'000'000'000));
  command.add_flag("--json", options.json, "print the answer's JSON");
}

}  // namespace

void add_evidence_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("evidence", "List the signed statements about a version, or save them");
  add_version(*command, *options);
  command
      ->add_option("--out", options->out,
                   "write each envelope, and the key that signed them, into this folder")
      ->type_name("DIR");
  command->footer(
      "Statements are in-toto, in DSSE envelopes.\n"
      "Example: holdfast evidence credit 2 --out evidence/");
  on_server(*command, invocation, action,
            [options](const ApiClient& client) { return evidence(*options, client); });
}

void add_export_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("export", "Save the bytes of a version, as they were registered");
  add_version(*command, *options);
  command->add_option("--out", options->out, "the file to write")->type_name("FILE")->required();
  command->footer("Example: holdfast export credit 2 --out model.onnx");
  on_server(*command, invocation, action,
            [options](const ApiClient& client) { return export_model(*options, client); });
}

void add_signature_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("signature", "Save the signature that approval put on a version");
  add_version(*command, *options);
  command->add_option("--out", options->out, "the OpenSSF Model Signing bundle")
      ->type_name("BUNDLE")
      ->required();
  command->add_option("--key-out", options->key_out, "the public key that it verifies by")
      ->type_name("PUBLIC.pem");
  auto* proof = command
                    ->add_option("--proof-out", options->proof_out,
                                 "the proof that the log has its record (C2SP tlog-proof)")
                    ->type_name("FILE");
  command->add_option("--log-key-out", options->log_key_out, "the log's key, by which that verifies")
      ->type_name("FILE")
      ->needs(proof);
  command->footer(
      "Example: holdfast export credit 2 --out model.onnx && holdfast signature credit 2 --out credit.sig "
      "--key-out credit.pem && holdfast verify model.onnx --bundle credit.sig --key credit.pem");
  on_server(*command, invocation, action,
            [options](const ApiClient& client) { return signature(*options, client); });
}

}  // namespace holdfast::cli
