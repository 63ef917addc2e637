#include "registry/evidence.h"

#include <fmt/format.h>

#include "crypto/sha256.h"

namespace holdfast::registry {

using base::ErrorCode;
using base::fail;
using base::Result;
using store::Sql;

namespace {

constexpr std::int64_t kMaxOfOneArtefact = 1000;

}  // namespace

Result<crypto::PrivateKey> EvidenceRoom::key(const base::WorkspaceId& workspace) const {
  return parts_.keys.signing_key({workspace, "evidence", "signing"}, crypto::KeyAlgorithm::kEcdsaP256);
}

Result<crypto::PublicKey> EvidenceRoom::public_key(const base::WorkspaceId& workspace) const {
  HF_TRY(const auto own, key(workspace));
  return own.public_key();
}

Result<base::Digest> EvidenceRoom::add(store::Transaction& change, const base::WorkspaceId& workspace,
                                       const Statement& statement) {
  HF_TRY(const auto own, key(workspace));
  HF_TRY(const std::string envelope, sign_statement(statement, own));
  const base::Digest digest = crypto::sha256(base::as_bytes(envelope));
  HF_TRY(const std::int64_t id, change.next_change(workspace, "evidence", digest.hex()));
  HF_CHECK(change.execute(
      Sql("INSERT INTO evidence (workspace, id, digest, artefact, predicate_type, envelope,"
          " created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)"),
      workspace, id, digest, statement.subject, statement.predicate_type, envelope, parts_.clock.now()));
  return digest;
}

Result<std::vector<Evidence>> EvidenceRoom::about(const base::WorkspaceId& workspace,
                                                  const base::Digest& artefact) const {
  HF_TRY(const auto own, key(workspace));
  const crypto::PublicKey trusted[] = {own.public_key()};
  HF_TRY(const auto snapshot, parts_.database.snapshot());
  auto rows = snapshot.rows<std::int64_t, base::Digest, std::string, base::Timestamp>(
      Sql("SELECT id, digest, envelope, created_at FROM evidence WHERE workspace = $1 AND artefact = $2"
          " ORDER BY id LIMIT $3"),
      workspace, artefact, kMaxOfOneArtefact);
  if (!rows) return fail(std::move(rows).error());
  std::vector<Evidence> found;
  for (auto& [id, digest, envelope, created_at] : *rows) {
    auto statement = open_statement(envelope, trusted);
    if (!statement || statement->subject != artefact || crypto::sha256(base::as_bytes(envelope)) != digest) {
      return fail(
          ErrorCode::kDataCorrupt,
          fmt::format("evidence {} about {} is not what was signed: {}", id, artefact.prefixed(),
                      statement ? "it stands beside another artefact or digest" : statement.error().message));
    }
    found.push_back({.id = id,
                     .digest = digest,
                     .statement = *std::move(statement),
                     .envelope = std::move(envelope),
                     .created_at = created_at});
  }
  return found;
}

Result<std::optional<Evidence>> EvidenceRoom::newest(const base::WorkspaceId& workspace,
                                                     const base::Digest& artefact,
                                                     std::string_view predicate_type) const {
  HF_TRY(auto all, about(workspace, artefact));
  for (auto evidence = all.rbegin(); evidence != all.rend(); ++evidence) {
    if (evidence->statement.predicate_type == predicate_type) return std::optional(std::move(*evidence));
  }
  return std::optional<Evidence>();
}

}  // namespace holdfast::registry
