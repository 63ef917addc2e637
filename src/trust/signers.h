#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "crypto/dsse.h"
#include "trust/policy.h"

namespace holdfast::trust {

struct SignedBy {
  const SignerEntry* entry;
  crypto::PublicKey key;
  base::Bytes payload;
};

// The payload, where the entry's signer signed this envelope of statements. Why not: kUnavailable where its
// key was not given, kUnauthenticated otherwise. Whether the entry has expired is for the caller to ask.
base::Result<SignedBy> signed_by(const SignerEntry& entry, const crypto::DsseEnvelope& envelope,
                                 std::span<const crypto::Certificate> certificates);

// kPermissionDenied, with the date, where the entry has expired.
base::Result<> check_current(const SignerEntry& entry, base::Timestamp now);

}  // namespace holdfast::trust
