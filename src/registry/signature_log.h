#pragma once

#include <string>

#include "access/decision.h"
#include "audit/tlog_proof.h"
#include "base/digest.h"
#include "base/result.h"
#include "registry/parts.h"

namespace holdfast::registry {

// A signature that was made elsewhere, as its maker tells it: nothing of it is verified here.
struct OutsideSignature {
  base::Digest bundle;  // SHA-256 of the bundle's bytes
  base::Digest signer;  // the key's id
  base::Digest root;    // of what was signed
  std::string version;  // may be empty
};

// Records that the caller says so, durably, and proves that the record is in the log: whoever has the log's
// key can tell later that this signature was known, when, and through whom. `authorised` is for addEvidence
// on the model of the artefact's name.
base::Result<audit::TlogProof> log_signature(const Parts& parts, const access::Authorised& authorised,
                                             const OutsideSignature& signature);

}  // namespace holdfast::registry
