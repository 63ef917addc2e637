#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/aead.h"
#include "crypto/age_keys.h"
#include "crypto/stream.h"

// The payload of an age file (age.md, "Payload"): a nonce, then chunks of 64 KiB, each sealed with its number
// and with whether it is the last.

namespace holdfast::crypto {

inline constexpr std::size_t kAgeNonceBytes = 16;
inline constexpr std::size_t kAgeChunkBytes = 64UL << 10;
inline constexpr std::size_t kAgeSealedChunkBytes = kAgeChunkBytes + kAeadTagBytes;

enum class AgeChunkPlace { kWithin, kLast };

AeadKey age_payload_key(const base::Secret& file_key, base::ByteView nonce);

// Where the chunks of a file begin, and the key to them.
struct AgePayload {
  AeadKey key;
  std::uint64_t offset;
};

// Consumes header and nonce. Errors as read_age_header, unwrap_file_key and check_age_header.
base::Result<AgePayload> open_age_payload(LineReader& sealed, const AgeKeys& keys);

// `sealed` is kAeadTagBytes longer than `plaintext`, which is of at most kAgeChunkBytes.
void seal_age_chunk(const AeadKey& key, std::uint64_t index, AgeChunkPlace place, base::ByteView plaintext,
                    base::MutableByteView sealed);
// kDataCorrupt, with the chunk's number, where it is not the one of this index and place; then `plaintext` is
// zero.
base::Result<> open_age_chunk(const AeadKey& key, std::uint64_t index, AgeChunkPlace place,
                              base::ByteView sealed, base::MutableByteView plaintext);

}  // namespace holdfast::crypto
