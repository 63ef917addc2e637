#include "registry/model_signature.h"

#include <algorithm>

#include "inspect/signing_bundle.h"
#include "inspect/signing_manifest.h"
#include "registry/statement.h"
#include "trust/predicates.h"

namespace holdfast::registry {

using base::Result;

Result<std::string> sign_model(const crypto::PrivateKey& key, std::string_view name, std::int64_t version,
                               const base::Digest& digest) {
  inspect::Manifest manifest{.artefact = std::string(name),
                             .uri = trust::generic_purl(name, std::to_string(version))};
  manifest.resources.push_back(
      {.file = ".", .digest = base::Bytes(digest.bytes().begin(), digest.bytes().end())});
  HF_TRY(const std::string statement, inspect::write_manifest(manifest));
  return inspect::write_bundle(
      {.key_hint = inspect::key_hint(key.public_key()),
       .certificates = {},
       .envelope = crypto::DsseEnvelope::sign(std::string(kStatementPayloadType),
                                              base::Bytes(statement.begin(), statement.end()), key)});
}

Result<> check_model_signature(std::string_view bundle, const crypto::PublicKey& key,
                               const base::Digest& digest) {
  HF_TRY(const auto parsed, inspect::parse_bundle(bundle));
  const crypto::PublicKey trusted[] = {key};
  HF_TRY(const auto payload, parsed.envelope.verify(kStatementPayloadType, trusted));
  HF_TRY(const auto manifest, inspect::parse_manifest(payload.bytes()));
  const bool same = manifest.resources.size() == 1 && manifest.resources.front().file == "." &&
                    manifest.shard_size == 0 && manifest.hash == inspect::ManifestHash::kSha256 &&
                    base::ByteView(manifest.resources.front().digest).size() == base::Digest::kSize &&
                    std::ranges::equal(manifest.resources.front().digest, digest.bytes());
  if (same) return {};
  return base::fail(
      base::ErrorCode::kDataCorrupt,
      "the model is not the one that was signed: its bytes have the digest " + digest.prefixed());
}

}  // namespace holdfast::registry
