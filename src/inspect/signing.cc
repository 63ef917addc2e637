#include "inspect/signing.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "crypto/dsse.h"
#include "inspect/signing_bundle.h"

namespace holdfast::inspect {

namespace fs = std::filesystem;
using base::Bytes;
using base::Error;
using base::ErrorCode;
using base::fail;
using base::Result;
using crypto::Certificate;
using crypto::PrivateKey;
using crypto::PublicKey;

namespace {

constexpr std::string_view kPayloadType = "application/vnd.in-toto+json";
constexpr std::size_t kMaxShown = 20;  // names in a message

Result<> check_algorithm(const PublicKey& key) {
  if (key.algorithm() != crypto::KeyAlgorithm::kEd25519) return {};
  return fail(
      ErrorCode::kUnsupported,
      "OpenSSF Model Signing takes ECDSA keys, and this one is Ed25519; make one with: openssl genpkey "
      "-algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out PRIVATE.pem");
}

// The name of `path` relative to the artefact; empty where it does not lie inside.
std::string name_inside(const fs::path& artefact, const fs::path& path) {
  if (path.empty()) return {};
  std::error_code error;
  const fs::path whole = fs::weakly_canonical(artefact, error);
  const fs::path part = fs::weakly_canonical(path, error);
  const std::string name = part.lexically_relative(whole).generic_string();
  return name.empty() || name == "." || name == ".." || name.starts_with("../") ? std::string() : name;
}

std::string artefact_name(const fs::path& artefact) {
  std::error_code error;
  const fs::path name = artefact.filename();
  if (!name.empty() && name != "." && name != "..") return name.string();
  return fs::weakly_canonical(artefact, error).filename().string();
}

fs::path file_path(const fs::path& artefact, const std::string& name) {
  return name == "." ? artefact : artefact / name;
}

std::string listed(const std::vector<std::string>& names) {
  std::vector<std::string> shown;
  for (const std::string& name : names) {
    if (shown.size() == kMaxShown) break;
    shown.push_back(shown_name(name));
  }
  return fmt::format(
      "{}{}", fmt::join(shown, ", "),
      names.size() > shown.size() ? fmt::format(" and {} more", names.size() - shown.size()) : "");
}

Result<std::vector<std::string>> ignored_when_signing(const fs::path& artefact,
                                                      const SigningOptions& options) {
  std::set<std::string> ignored;
  if (options.ignore_git) ignored.insert(git_paths().begin(), git_paths().end());
  if (std::string bundle = name_inside(artefact, options.bundle); !bundle.empty())
    ignored.insert(std::move(bundle));
  for (const std::string& path : options.ignore) {
    const std::string plain = fs::path(path).lexically_normal().relative_path().generic_string();
    const bool outside = plain.empty() || plain == "." || plain == ".." || plain.starts_with("../");
    if (outside || fs::path(path).is_absolute()) {
      return fail(
          ErrorCode::kInvalidArgument,
          fmt::format("{} can't be ignored: name a file or folder inside the artefact, relative to it",
                      shown_name(path)));
    }
    ignored.insert(plain.ends_with('/') ? plain.substr(0, plain.size() - 1) : plain);
  }
  if (ignored.size() > kMaxIgnored) {
    return fail(ErrorCode::kLimitExceeded, fmt::format("at most {} paths can be ignored", kMaxIgnored));
  }
  return std::vector<std::string>(ignored.begin(), ignored.end());
}

// Refuses what can't be signed.
Result<> check_signable(const fs::path& artefact, const FoundFiles& found) {
  if (!found.links.empty()) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{} holds symbolic links that are not allowed, or lead to no file: {}",
                            artefact.string(), listed(found.links)));
  }
  if (!found.irregular.empty()) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("{} holds what is neither a file nor a folder: {}",
                                                         artefact.string(), listed(found.irregular)));
  }
  if (found.files.empty()) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("{} holds no file to sign", artefact.string()));
  }
  return {};
}

Result<Manifest> hash_artefact(const fs::path& artefact, const SigningOptions& options) {
  Manifest manifest{.artefact = options.name.empty() ? artefact_name(artefact) : options.name,
                    .uri = options.uri,
                    .allow_symlinks = options.allow_symlinks};
  HF_TRY(manifest.ignored, ignored_when_signing(artefact, options));
  HF_TRY(const FoundFiles found, find_files(artefact, manifest.ignored, options.allow_symlinks));
  HF_CHECK(check_signable(artefact, found));
  std::vector<HashTask> tasks;
  for (const FoundFile& file : found.files) {
    tasks.push_back({.file = file_path(artefact, file.name), .offset = 0, .size = file.size});
  }
  HF_TRY(std::vector<Bytes> digests, hash_all(tasks, manifest.hash, options.progress));
  for (std::size_t i = 0; i < digests.size(); ++i) {
    manifest.resources.push_back({.file = found.files[i].name, .digest = std::move(digests[i])});
  }
  return manifest;
}

}  // namespace

Result<std::string> sign_artefact(const fs::path& artefact, const PrivateKey& key,
                                  const SigningOptions& options) {
  HF_CHECK(check_algorithm(key.public_key()));
  if (options.certificates.size() > kMaxBundleCertificates) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("a bundle takes at most {} certificates", kMaxBundleCertificates));
  }
  if (!options.certificates.empty()) {
    HF_TRY(const PublicKey certified, options.certificates.front().public_key());
    if (certified != key.public_key()) {
      return fail(ErrorCode::kInvalidArgument,
                  "the first certificate is not of the key that signs; put the signer's certificate first");
    }
  }
  HF_TRY(const Manifest manifest, hash_artefact(artefact, options));
  HF_TRY(const std::string statement, write_manifest(manifest));
  std::string bundle =
      write_bundle({.key_hint = key_hint(key.public_key()),
                    .certificates = options.certificates,
                    .envelope = crypto::DsseEnvelope::sign(std::string(kPayloadType),
                                                           Bytes(statement.begin(), statement.end()), key)});
  if (bundle.size() > kMaxBundleBytes) {
    return fail(
        ErrorCode::kLimitExceeded,
        fmt::format("{} holds too many files for a bundle of {} bytes; sign an archive of them instead",
                    artefact.string(), kMaxBundleBytes));
  }
  return bundle;
}

std::string_view to_string(DifferenceKind kind) {
  switch (kind) {
    case DifferenceKind::kMissing:
      return "missing";
    case DifferenceKind::kChanged:
      return "changed";
    case DifferenceKind::kUnsigned:
      return "not signed";
    case DifferenceKind::kLink:
      return "a link that is not allowed";
    case DifferenceKind::kIrregular:
      return "not a regular file";
  }
  return "changed";
}

// Compares an artefact with a manifest whose signature has been verified.
class ArtefactVerifier {
 public:
  ArtefactVerifier(const fs::path& artefact, const VerifyingOptions& options)
      : artefact_(artefact), options_(options) {}

  Verification verify(const crypto::DsseEnvelope& envelope, const PublicKey& key,
                      std::optional<Certificate> certificate) {
    auto manifest = authenticate(envelope, key);
    if (!manifest) return failed(std::move(manifest).error());
    if (auto compared = compare(*manifest); !compared) return failed(std::move(compared).error());
    if (!differences_.empty()) {
      return tl::unexpected(VerificationFailure{.error = describe(), .differences = std::move(differences_)});
    }
    return VerifiedModel(*std::move(manifest), key.id(), std::move(certificate));
  }

  static tl::unexpected<VerificationFailure> failed(Error error) {
    return tl::unexpected(VerificationFailure{.error = std::move(error), .differences = {}});
  }

 private:
  static Result<Manifest> authenticate(const crypto::DsseEnvelope& envelope, const PublicKey& key) {
    HF_CHECK(check_algorithm(key));
    HF_TRY(const auto payload, envelope.verify(kPayloadType, std::span(&key, 1)));
    return parse_manifest(payload.bytes());
  }

  void differ(DifferenceKind kind, const std::string& name) {
    // A file of many shards differs once.
    if (!differences_.empty() && differences_.back().kind == kind && differences_.back().name == name) return;
    differences_.push_back({.kind = kind, .name = name});
  }

  // What stands in a file's place and is none.
  void refuse(DifferenceKind kind, const std::string& name) {
    differ(kind, name);
    refused_.insert(name);
  }

  Result<> compare(const Manifest& manifest) {
    std::map<std::string, std::uint64_t, std::less<>> signed_sizes;  // of shards; 0 for whole files
    for (const ManifestResource& resource : manifest.resources) {
      signed_sizes[resource.file] = resource.offset + resource.size;
    }
    std::vector<std::string> ignored = manifest.ignored;
    if (std::string bundle = name_inside(artefact_, options_.bundle);
        !bundle.empty() && !signed_sizes.contains(bundle)) {
      ignored.push_back(std::move(bundle));
    }
    HF_TRY(const FoundFiles found, find_files(artefact_, ignored, manifest.allow_symlinks));
    for (const std::string& name : found.links) refuse(DifferenceKind::kLink, name);
    for (const std::string& name : found.irregular) refuse(DifferenceKind::kIrregular, name);
    std::map<std::string_view, std::uint64_t> sizes;
    for (const FoundFile& file : found.files) {
      sizes.emplace(file.name, file.size);
      // The tool makes no shard of an empty file, so that its signature can't name one.
      const bool may_be_absent = manifest.shard_size > 0 && file.size == 0;
      if (!signed_sizes.contains(file.name) && !may_be_absent) differ(DifferenceKind::kUnsigned, file.name);
    }
    return compare_contents(manifest, signed_sizes, sizes);
  }

  Result<> compare_contents(const Manifest& manifest,
                            const std::map<std::string, std::uint64_t, std::less<>>& signed_sizes,
                            const std::map<std::string_view, std::uint64_t>& sizes) {
    std::vector<HashTask> tasks;
    std::vector<const ManifestResource*> expected;
    for (const ManifestResource& resource : manifest.resources) {
      const auto size = sizes.find(resource.file);
      if (size == sizes.end()) {
        if (!refused_.contains(resource.file)) differ(DifferenceKind::kMissing, resource.file);
      } else if (manifest.shard_size > 0 && size->second != signed_sizes.at(resource.file)) {
        differ(DifferenceKind::kChanged, resource.file);
      } else {
        tasks.push_back({.file = file_path(artefact_, resource.file),
                         .offset = resource.offset,
                         .size = manifest.shard_size > 0 ? resource.size : size->second});
        expected.push_back(&resource);
      }
    }
    HF_TRY(const std::vector<Bytes> digests, hash_all(tasks, manifest.hash, options_.progress));
    for (std::size_t i = 0; i < digests.size(); ++i) {
      if (digests[i] != expected[i]->digest) differ(DifferenceKind::kChanged, expected[i]->file);
    }
    return {};
  }

  [[nodiscard]] Error describe() const {
    std::vector<std::string> lines;
    for (const Difference& difference : differences_) {
      if (lines.size() == kMaxShown) break;
      lines.push_back(fmt::format("{} is {}", difference.name == "." ? "it" : shown_name(difference.name),
                                  to_string(difference.kind)));
    }
    return {
        .code = ErrorCode::kDataCorrupt,
        .message = fmt::format(
            "{} is not what was signed ({}): {}{}", artefact_.string(),
            differences_.size() == 1 ? "1 difference" : fmt::format("{} differences", differences_.size()),
            fmt::join(lines, "; "), differences_.size() > lines.size() ? "; ..." : "")};
  }

  const fs::path& artefact_;
  const VerifyingOptions& options_;
  std::vector<Difference> differences_;
  std::set<std::string> refused_;
};

Verification verify_artefact(const fs::path& artefact, std::string_view bundle_json, const PublicKey& key,
                             const VerifyingOptions& options) {
  auto bundle = parse_bundle(bundle_json);
  if (!bundle) return ArtefactVerifier::failed(std::move(bundle).error());
  if (!bundle->certificates.empty()) {
    return ArtefactVerifier::failed({.code = ErrorCode::kInvalidArgument,
                                     .message =
                                         "the bundle is signed under certificates; verify it with their root "
                                         "certificate instead of a key"});
  }
  if (!bundle->key_hint.empty() && bundle->key_hint != key_hint(key)) {
    return ArtefactVerifier::failed(
        {.code = ErrorCode::kUnauthenticated,
         .message = fmt::format("the bundle names the key {}, and the key given is {}",
                                shown_name(bundle->key_hint.substr(0, 64)), key_hint(key))});
  }
  return ArtefactVerifier(artefact, options).verify(bundle->envelope, key, std::nullopt);
}

Verification verify_artefact(const fs::path& artefact, std::string_view bundle_json, const SignerRoots& roots,
                             const VerifyingOptions& options) {
  auto bundle = parse_bundle(bundle_json);
  if (!bundle) return ArtefactVerifier::failed(std::move(bundle).error());
  if (bundle->certificates.empty()) {
    return ArtefactVerifier::failed(
        {.code = ErrorCode::kInvalidArgument,
         .message = "the bundle is signed with a bare key; verify it with that public key instead "
                    "of root certificates"});
  }
  const Certificate& leaf = bundle->certificates.front();
  const auto chained =
      crypto::verify_chain(leaf, std::span(bundle->certificates).subspan(1), roots.certificates,
                           crypto::CertificateUse::kSigning, roots.at.value_or(leaf.not_before()));
  if (!chained) return ArtefactVerifier::failed(chained.error());
  const auto key = leaf.public_key();
  if (!key) return ArtefactVerifier::failed(key.error());
  return ArtefactVerifier(artefact, options).verify(bundle->envelope, *key, leaf);
}

}  // namespace holdfast::inspect
