#pragma once

#include "base/bytes.h"
#include "base/digest.h"
#include "base/secret.h"

namespace holdfast::crypto {

// HMAC-SHA-256 (RFC 2104, RFC 6234). A key of any length. Compare codes with base::constant_time_equal.
base::Digest hmac_sha256(base::ByteView key, base::ByteView message);

// HKDF-SHA-256 (RFC 5869): `size` bytes, at most 255 * 32, from input key material. An empty salt is allowed.
base::Secret hkdf_sha256(base::ByteView key_material, base::ByteView salt, base::ByteView info,
                         std::size_t size);

}  // namespace holdfast::crypto
