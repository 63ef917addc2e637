#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/sign.h"
#include "crypto/x509.h"
#include "inspect/signing_files.h"
#include "inspect/signing_manifest.h"

// Signatures of models and other artefacts, as OpenSSF Model Signing writes them (github.com/sigstore/
// model-transparency): a Sigstore bundle that says what every file of a folder, or one file alone, must be.
// What we sign the Python tool model_signing verifies, and the other way round. The artefact must not be
// written to meanwhile.

namespace holdfast::inspect {

struct SigningOptions {
  // Relative to the artefact: files, and folders with all they hold, that are not part of it.
  std::vector<std::string> ignore;
  bool ignore_git = true;  // git_paths() too
  bool allow_symlinks = false;
  // Where the bundle will lie: ignored if that is inside the artefact.
  std::filesystem::path bundle;
  std::string name;  // of the artefact; empty: of its file or folder
  std::string uri;   // Manifest::uri
  // The key's certificate first, then those up to the root; empty to sign with the bare key.
  std::vector<crypto::Certificate> certificates;
  SigningProgress progress;
};

// The bundle's text, with SHA-256 of whole files. kUnsupported for a key that is not ECDSA, which the format
// wants; kInvalidArgument for an artefact without files, with links that are not allowed, with what is
// neither file nor folder or has no UTF-8 name, and for certificates of another key; kLimitExceeded for what
// verify_artefact would refuse as too much.
base::Result<std::string> sign_artefact(const std::filesystem::path& artefact, const crypto::PrivateKey& key,
                                        const SigningOptions& options = {});

enum class DifferenceKind {
  kMissing,    // signed, but not there
  kChanged,    // there with another content
  kUnsigned,   // there, but not signed
  kLink,       // a symbolic link, which the signature does not allow, or one to a folder
  kIrregular,  // neither a file nor a folder
};

std::string_view to_string(DifferenceKind kind);  // "missing" .. "not a regular file"

struct Difference {
  DifferenceKind kind;
  std::string name;  // relative; bytes as the file system has them
};

struct VerificationFailure {
  base::Error error;
  // Every one, where the signature is right and the artefact is not what it says; else empty.
  std::vector<Difference> differences;
};

// What verification alone makes.
class VerifiedModel {
 public:
  [[nodiscard]] const Manifest& manifest() const { return manifest_; }
  [[nodiscard]] base::Digest root() const { return manifest_.root(); }
  [[nodiscard]] const base::Digest& signer() const { return signer_; }  // the id of the key that signed
  // Who that is, where it was verified by certificates.
  [[nodiscard]] const std::optional<crypto::Certificate>& certificate() const { return certificate_; }

 private:
  friend class ArtefactVerifier;
  VerifiedModel(Manifest manifest, base::Digest signer, std::optional<crypto::Certificate> certificate)
      : manifest_(std::move(manifest)), signer_(signer), certificate_(std::move(certificate)) {}
  Manifest manifest_;
  base::Digest signer_;
  std::optional<crypto::Certificate> certificate_;
};

using Verification = tl::expected<VerifiedModel, VerificationFailure>;

struct VerifyingOptions {
  std::filesystem::path
      bundle;  // where the bundle lies: ignored if that is inside the artefact and not signed
  SigningProgress progress;
};

// That the artefact is exactly what the holder of `key` signed: every signed file there and unchanged, and
// nothing else but what the signature says to ignore. Codes: kDataCorrupt for a malformed bundle and for
// differences, kUnauthenticated for a signature by another key, kUnsupported for another kind of bundle,
// kLimitExceeded over the bounds of signing_bundle.h and signing_files.h, and those of reading.
[[nodiscard]] Verification verify_artefact(const std::filesystem::path& artefact,
                                           std::string_view bundle_json, const crypto::PublicKey& key,
                                           const VerifyingOptions& options = {});

struct SignerRoots {
  std::span<const crypto::Certificate> certificates;
  // When the certificates must be valid. Empty: when the signer's begins, as the tool has it, so that a
  // signature outlives its certificate; nothing in the bundle proves when it was made.
  std::optional<base::Timestamp> at;
};

// As above, for whoever holds a certificate for signing under one of the roots; who that is, is for the
// caller to judge.
[[nodiscard]] Verification verify_artefact(const std::filesystem::path& artefact,
                                           std::string_view bundle_json, const SignerRoots& roots,
                                           const VerifyingOptions& options = {});

}  // namespace holdfast::inspect
