#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/dsse.h"
#include "crypto/sign.h"
#include "crypto/x509.h"

// Signed in-toto statements (in-toto attestation framework, statement v1) about one or more artefacts: read
// whoever made them, and the predicates that this program makes. Plain values.

namespace holdfast::trust {

inline constexpr std::string_view kStatementPayloadType = "application/vnd.in-toto+json";
inline constexpr std::string_view kProvenance = "https://slsa.dev/provenance/v1";
inline constexpr std::string_view kVerificationSummary = "https://slsa.dev/verification_summary/v1";
inline constexpr std::string_view kTestResult = "https://in-toto.io/attestation/test-result/v0.1";
inline constexpr std::string_view kRelease = "https://in-toto.io/attestation/release/v0.1";
inline constexpr std::string_view kEvaluation = "urn:holdfast:evaluation:v1";

inline constexpr std::size_t kMaxSubjects = 1UL << 20;

struct Subject {
  std::string name;  // may be empty
  base::Digest digest;

  friend bool operator==(const Subject&, const Subject&) = default;
};

struct AttestedStatement {
  std::vector<Subject> subjects;  // one at least; those without a SHA-256 are passed over
  std::string predicate_type;
  std::string predicate_json;  // an object
};

// The payload's text, canonical. kInvalidArgument where there is no subject or the predicate is no JSON
// object, kUnsupported where it holds a floating-point number.
base::Result<std::string> write_statement(const AttestedStatement& statement);

// Errors as write_statement(). The envelope alone, or where there are certificates a Sigstore bundle with
// them, as model signatures have it: the signer's first.
base::Result<std::string> attest(const AttestedStatement& statement, const crypto::PrivateKey& key,
                                 std::span<const crypto::Certificate> certificates = {});

// kDataCorrupt for what is no statement v1 about at least one artefact with a SHA-256. Unknown members are
// passed over, as the framework's parsing rules ask.
base::Result<AttestedStatement> parse_statement(base::ByteView payload);

// A statement that nobody has verified: out of reach until somebody names a key.
struct SealedStatement {
  std::string origin;  // the file, for messages
  crypto::DsseEnvelope envelope;
  std::vector<crypto::Certificate> certificates;  // leaf first; empty: signed with a bare key
};

inline constexpr std::size_t kMaxStatementFileBytes = 64UL << 20;
inline constexpr std::size_t kMaxStatements = 1000;

// A DSSE envelope, a Sigstore bundle with a certificate chain, or one of them a line (an in-toto bundle,
// .intoto.jsonl). kDataCorrupt for anything else, kLimitExceeded over the bounds.
base::Result<std::vector<SealedStatement>> parse_sealed_statements(std::string_view text,
                                                                   const std::string& origin);

}  // namespace holdfast::trust
