#include <fmt/format.h>

#include <map>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/time.h"
#include "cli/command.h"
#include "crypto/age_keys.h"
#include "crypto/sign.h"

namespace holdfast::cli {
namespace {

namespace fs = std::filesystem;
using crypto::KeyAlgorithm;

const std::map<std::string, KeyAlgorithm>& algorithms() {
  static const std::map<std::string, KeyAlgorithm> names = [] {
    std::map<std::string, KeyAlgorithm> all;
    for (const auto algorithm : {KeyAlgorithm::kEcdsaP256, KeyAlgorithm::kEcdsaP384, KeyAlgorithm::kEcdsaP521,
                                 KeyAlgorithm::kEd25519}) {
      all.emplace(to_string(algorithm), algorithm);
    }
    return all;
  }();
  return names;
}

struct Options {
  fs::path out;
  fs::path public_out;
  std::string algorithm = "ecdsa-p256";
  bool json = false;
};

// A key that is there is never replaced: what it signed or sealed may be lost with it.
base::Result<> write_new(const fs::path& path, base::ByteView bytes, unsigned mode) {
  HF_TRY(base::AtomicFile file, base::AtomicFile::create(path, mode));
  HF_CHECK(file.write(bytes));
  auto written = file.commit(/*replace=*/false);
  if (!written && written.error().code == base::ErrorCode::kAlreadyExists) {
    return base::fail(
        base::ErrorCode::kAlreadyExists,
        fmt::format("{} is there already, and a key is never written over: name another file, or "
                    "move that one away",
                    path.string()));
  }
  return written;
}

base::Result<ExitCode> generate_signing_key(const Options& options) {
  const auto key = crypto::PrivateKey::generate(algorithms().at(options.algorithm));
  const auto pem = key.to_pem();
  const auto public_path =
      options.public_out.empty() ? fs::path(options.out).concat(".pub") : options.public_out;
  HF_CHECK(write_new(options.out, pem.reveal(), 0600));
  HF_CHECK(write_new(public_path, base::as_bytes(key.public_key().to_pem()), 0644));
  if (options.json) {
    print(nlohmann::ordered_json{{"private_key", options.out.string()},
                                 {"public_key", public_path.string()},
                                 {"algorithm", options.algorithm},
                                 {"key_id", key.public_key().id().hex()}}
              .dump() +
          "\n");
  } else {
    print(fmt::format("private key: {}\npublic key: {}\n", options.out.string(), public_path.string()));
  }
  return ExitCode::kDone;
}

base::Result<ExitCode> generate_identity(const Options& options) {
  const auto identity = crypto::AgeIdentity::generate(base::system_random());
  const auto recipient = identity.recipient().text();
  const auto secret = identity.text();
  base::Secret text(base::Bytes{});
  {
    base::Bytes lines;
    base::append(lines, fmt::format("# created: {}\n# public key: {}\n", base::system_clock().now().text(),
                                    recipient));
    lines.reserve(lines.size() + secret.size() + 1);  // so that no copy of the secret is left behind unwiped
    base::append(lines, secret.reveal());
    lines.push_back('\n');
    text = base::Secret(std::move(lines));
  }
  HF_CHECK(write_new(options.out, text.reveal(), 0600));
  if (options.json) {
    print(nlohmann::ordered_json{{"identity", options.out.string()}, {"recipient", recipient}}.dump() + "\n");
  } else {
    print(recipient + "\n");
  }
  return ExitCode::kDone;
}

}  // namespace

void add_keygen_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("keygen", "Make a key pair in files of your own");
  command->require_subcommand(1);
  command->footer("Example: holdfast keygen sign -o signing.pem && holdfast keygen seal -o identity.txt");

  auto* sign = command->add_subcommand("sign", "A key that signs; its public half goes to OUT.pub");
  sign->add_option("-o,--out", options->out, "the private key (PEM, PKCS #8, not encrypted)")->required();
  sign->add_option("--public-out", options->public_out, "the public key, instead of OUT.pub");
  sign->add_option("--algorithm", options->algorithm, "what kind of key")
      ->check(CLI::IsMember(&algorithms()))
      ->capture_default_str();
  sign->add_flag("--json", options->json, "print JSON");
  sign->callback([options, &action] { action = [options] { return generate_signing_key(*options); }; });

  auto* seal = command->add_subcommand("seal", "An age identity; its recipient is printed");
  seal->add_option("-o,--out", options->out, "the identity file")->required();
  seal->add_flag("--json", options->json, "print JSON");
  seal->callback([options, &action] { action = [options] { return generate_identity(*options); }; });
}

}  // namespace holdfast::cli
