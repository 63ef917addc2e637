#pragma once

#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/age_header.h"
#include "crypto/age_keys.h"

// The file key, wrapped for those who may have it (age.md, "Native recipient types").

namespace holdfast::crypto {

// One stanza for each recipient. kInvalidArgument for no recipient, an empty passphrase, a work factor out of
// bounds, or a public key that is a point of low order; kLimitExceeded past kMaxAgeStanzas; kUnavailable
// without memory.
base::Result<std::vector<AgeStanza>> wrap_file_key(const base::Secret& file_key,
                                                   const AgeRecipients& recipients,
                                                   base::RandomSource& random);

// The file key of the first stanza that opens, in at most kMaxAgeStanzas * kMaxAgeIdentities trials. Stanzas
// of a type that is not known are skipped; a malformed one of a known type makes the whole header
// kDataCorrupt, and a work factor above kMaxAgeWorkFactor kLimitExceeded, whether or not there is a key for
// it. kPermissionDenied when no key fits; kUnsupported when none could, since all stanzas are of other types.
base::Result<base::Secret> unwrap_file_key(const AgeHeader& header, const AgeKeys& keys);

}  // namespace holdfast::crypto
