#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/sign.h"
#include "crypto/signed_note.h"
#include "crypto/x509.h"
#include "trust/version.h"

// Which signer may sign which artefact from which builder: a TOML file that whoever deploys writes. What no
// entry of it allows is refused. Plain values; docs/decisions/0007 says why it is not Cedar.

namespace holdfast::trust {

inline constexpr std::size_t kMaxPolicyBytes = 1UL << 20;
inline constexpr std::size_t kMaxPolicyEntries = 1000;  // of signers, of allow entries, and in each list
inline constexpr std::size_t kMaxPatternBytes = 1000;

// Whether `text` is what `pattern` says, in which each "*" stands for any bytes, none included.
bool matches(std::string_view pattern, std::string_view text);
bool matches_any(std::span<const std::string> patterns, std::string_view text);

// [signer.NAME]: a key, or whoever holds a certificate under one of the roots that names them so.
struct SignerEntry {
  std::string name;
  std::string place;  // "trust.toml:3: [signer.release]", for messages
  std::optional<base::Digest> key_id;
  std::optional<crypto::PublicKey> key;  // that has the id; none until one is offered (offer_keys)
  std::vector<crypto::Certificate> roots;
  // Patterns for the alternative names of the certificate; one list at least has one where there are roots.
  std::vector<std::string> uris;
  std::vector<std::string> emails;
  std::vector<std::string> dns_names;
  std::optional<base::Timestamp> expires;

  [[nodiscard]] bool by_certificate() const { return !roots.empty(); }
};

// [[allow.require]]: a statement that must be there. Empty lists ask for nothing.
struct RequiredStatement {
  std::string place;
  std::string kind;                          // as it was written: "provenance", or the predicate type itself
  std::string predicate_type;                // a URI
  std::vector<std::string> signers;          // who must have signed it: names of entries, one at least
  std::vector<std::string> builders;         // provenance: patterns for runDetails.builder.id
  std::vector<std::string> build_types;      // provenance: for buildDefinition.buildType
  std::vector<std::string> verifiers;        // verification: for verifier.id
  std::vector<std::string> levels;           // verification: each must be among verifiedLevels
  std::vector<base::Digest> policies;        // verification: policy.digest.sha256 is one of them
  std::optional<std::int64_t> max_age_days;  // verification: since timeVerified
};

// [[allow]]
struct AllowEntry {
  std::string name;
  std::string place;
  std::vector<std::string> artefacts;  // patterns for the name that was signed, one at least
  std::vector<std::string> signers;    // names of entries, one at least
  std::optional<ArtefactVersion> at_least;
  std::optional<base::Timestamp> expires;
  std::vector<crypto::NoteVerifier> log_keys;  // the signature must be in the log of one of them
  std::vector<RequiredStatement> required;
};

struct TrustPolicy {
  std::string file;  // for messages
  base::Digest digest;
  std::vector<SignerEntry> signers;
  std::vector<AllowEntry> allowed;

  // Gives each signer that names its key by digest alone the key that has it, where it is among these.
  void offer_keys(std::span<const crypto::PublicKey> keys);
  [[nodiscard]] const SignerEntry& signer(std::string_view name) const;  // one that an entry names
};

// Reads what the policy names: a key's or certificates' file, relative to the policy.
using PolicyFiles = std::function<base::Result<base::Bytes>(const std::filesystem::path& name)>;

// kInvalidArgument with file, line and key for what is missing, unknown, or of the wrong kind, and for an
// entry that nothing could match; the errors of `files`; kLimitExceeded over the bounds above.
base::Result<TrustPolicy> parse_trust_policy(std::string_view toml, std::string_view file_name,
                                             const PolicyFiles& files);

// The file and those that it names beside it.
base::Result<TrustPolicy> read_trust_policy(const std::filesystem::path& file);

}  // namespace holdfast::trust
