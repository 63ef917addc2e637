#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "audit/tlog_proof.h"
#include "base/digest.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/x509.h"
#include "inspect/signing.h"
#include "trust/policy.h"
#include "trust/statement.h"
#include "trust/version.h"

// Whether an artefact is what somebody signed whom a policy trusts with it. Reads the artefact's files and
// nothing else.

namespace holdfast::trust {

// What a signature says the artefact is called.
struct SignedName {
  std::string name;                        // of the statement's subject
  std::optional<ArtefactVersion> version;  // of the subject's package URL, where that has one that compares
  std::string uri;                         // the package URL; may be empty
};
SignedName signed_name(const inspect::Manifest& manifest);

// kPermissionDenied where the signature is of an older version than `floor`, or tells none that compares.
base::Result<> check_floor(const SignedName& signed_as, const ArtefactVersion& floor);

// That the record proved to be in a log is of this bundle's signature: kDataCorrupt otherwise.
base::Result<> check_logged(const audit::ProvedRecord& proved, std::string_view bundle_json);
// The actions of such records, and the member of their details that holds "sha256:" and the bundle's digest.
inline constexpr std::string_view kLogSignature = "signature.log";
inline constexpr std::string_view kApproveModel = "model.approve";
inline constexpr const char* kBundleMember = "bundle";

// What comes with an artefact.
struct Claims {
  std::string_view bundle_json;
  std::filesystem::path bundle;  // where it lies: no part of the artefact
  std::span<const SealedStatement> statements;
  std::optional<audit::TlogProof> proof;
  base::Timestamp now;
  inspect::SigningProgress progress;
};

struct UsedStatement {
  std::string kind;  // as the policy has it
  std::string origin;
  std::string signer;
};

struct Acceptance {
  SignedName signed_as;
  std::string signer;  // the entry's name
  std::string entry;   // the [[allow]] that allowed it
  base::Digest key;
  std::optional<crypto::Certificate> certificate;
  base::Digest root;
  std::vector<UsedStatement> statements;
  std::optional<audit::ProvedRecord> logged;
};

// Why one [[allow]] did not allow it, and what would help.
struct Refused {
  std::string entry;
  std::string place;
  std::string reason;
};

struct TrustRefusal {
  base::Error error;  // all of it, for a person
  std::optional<SignedName> signed_as;
  std::vector<Refused> entries;  // of those that are for its name
  std::vector<inspect::Difference>
      differences;  // where an entry allows what was signed, and this is not that
};

// The first entry that allows it. Codes: kPermissionDenied where none does, kUnauthenticated where none of
// the policy's signers signed it, and those of inspect::verify_artefact.
[[nodiscard]] tl::expected<Acceptance, TrustRefusal> decide(const TrustPolicy& policy,
                                                            const std::filesystem::path& artefact,
                                                            const Claims& claims);

}  // namespace holdfast::trust
