#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/strong.h"
#include "base/time.h"
#include "registry/parts.h"
#include "registry/statement.h"

namespace holdfast::registry {

struct Evidence {
  std::int64_t id = 0;
  base::Digest digest;  // SHA-256 of the envelope
  Statement statement;  // verified
  std::string envelope;
  base::Timestamp created_at;
};

// Statements about artefacts, signed by this installation (key evidence/signing) and only ever added to.
// Thread-safe.
class EvidenceRoom {
 public:
  explicit EvidenceRoom(const Parts& parts) : parts_(parts) {}

  // Signs and adds, in the caller's transaction. Gives the digest of the envelope.
  base::Result<base::Digest> add(store::Transaction& change, const base::WorkspaceId& workspace,
                                 const Statement& statement);
  // All of an artefact, oldest first. An envelope that does not verify is kDataCorrupt.
  [[nodiscard]] base::Result<std::vector<Evidence>> about(const base::WorkspaceId& workspace,
                                                          const base::Digest& artefact) const;
  // The newest of its kind, if there is one.
  [[nodiscard]] base::Result<std::optional<Evidence>> newest(const base::WorkspaceId& workspace,
                                                             const base::Digest& artefact,
                                                             std::string_view predicate_type) const;
  // Whoever verifies our evidence needs it.
  [[nodiscard]] base::Result<crypto::PublicKey> public_key(const base::WorkspaceId& workspace) const;

 private:
  [[nodiscard]] base::Result<crypto::PrivateKey> key(const base::WorkspaceId& workspace) const;
  Parts parts_;
};

}  // namespace holdfast::registry
