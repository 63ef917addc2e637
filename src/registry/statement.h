#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "crypto/sign.h"

// Evidence: a signed in-toto statement (in-toto attestation framework, statement v1) about one artefact, in a
// DSSE envelope that outside tools verify. Plain values.

namespace holdfast::registry {

inline constexpr std::string_view kStatementPayloadType = "application/vnd.in-toto+json";

// The kinds of statement that are made here.
inline constexpr std::string_view kProvenancePredicate = "https://slsa.dev/provenance/v1";
inline constexpr std::string_view kTestResultPredicate = "https://in-toto.io/attestation/test-result/v0.1";
inline constexpr std::string_view kEvaluationPredicate = "urn:holdfast:evaluation:v1";

struct Statement {
  std::string subject_name;
  base::Digest subject;
  std::string predicate_type;
  std::string predicate_json;  // an object, canonical
};

// The envelope's text. kInvalidArgument where the predicate is no JSON object or holds a floating-point
// number.
base::Result<std::string> sign_statement(const Statement& statement, const crypto::PrivateKey& key);

// What one of `trusted` has signed. kUnauthenticated where none has; kDataCorrupt for an envelope that holds
// no statement about exactly one artefact with a SHA-256.
base::Result<Statement> open_statement(std::string_view envelope, std::span<const crypto::PublicKey> trusted);

}  // namespace holdfast::registry
