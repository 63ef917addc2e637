#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/aead.h"

// A small secret at rest: version (1 byte, 1) || nonce (12, random) || ciphertext || tag (16), under the
// algorithm of the key. The version and `context` are authenticated, so that an envelope opens only in the
// place that it was made for: name it in full, e.g. "<workspace>/<purpose>/<subject>" of parts that hold no
// slash. Since nonces are random, seal at most 2^32 envelopes with one key (NIST SP 800-38D, section 8.3).

namespace holdfast::crypto {

base::Bytes seal_envelope(const AeadKey& key, std::string_view context, base::ByteView secret,
                          base::RandomSource& random);

// kDataCorrupt where it was changed, or made with another key or context; kUnsupported for a later version.
base::Result<base::Secret> open_envelope(const AeadKey& key, std::string_view context,
                                         base::ByteView envelope);

}  // namespace holdfast::crypto
