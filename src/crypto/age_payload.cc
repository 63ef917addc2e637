#include "crypto/age_payload.h"

#include <fmt/format.h>

#include <array>

#include "crypto/age_header.h"
#include "crypto/age_wrap.h"
#include "crypto/hmac.h"

namespace holdfast::crypto {

using base::ByteView;
using base::ErrorCode;
using base::fail;
using base::MutableByteView;
using base::Result;
using base::Secret;

namespace {

// An 11-byte big-endian counter, then 1 for the last chunk. No file has 2^64 chunks.
AeadNonce nonce_of(std::uint64_t index, AgeChunkPlace place) {
  AeadNonce nonce{};
  for (std::size_t i = 0; i < sizeof(index); ++i) nonce[10 - i] = static_cast<std::uint8_t>(index >> 8 * i);
  nonce[11] = place == AgeChunkPlace::kLast ? 1 : 0;
  return nonce;
}

}  // namespace

AeadKey age_payload_key(const Secret& file_key, ByteView nonce) {
  auto key =
      AeadKey::create(AeadAlgorithm::kChaCha20Poly1305,
                      hkdf_sha256(file_key.reveal(), nonce, base::as_bytes("payload"), AeadKey::kSize));
  return std::move(key).value();
}

Result<AgePayload> open_age_payload(LineReader& sealed, const AgeKeys& keys) {
  HF_TRY(const AgeHeader header, read_age_header(sealed));
  HF_TRY(const Secret file_key, unwrap_file_key(header, keys));
  HF_CHECK(check_age_header(header, file_key));
  std::array<std::uint8_t, kAgeNonceBytes> nonce{};
  HF_TRY(const std::size_t got, read_full(sealed, nonce));
  if (got != nonce.size()) {
    return fail(ErrorCode::kDataCorrupt, "the sealed file ends right after its header");
  }
  return AgePayload{.key = age_payload_key(file_key, nonce), .offset = header.size + nonce.size()};
}

void seal_age_chunk(const AeadKey& key, std::uint64_t index, AgeChunkPlace place, ByteView plaintext,
                    MutableByteView sealed) {
  aead_seal_into(key, nonce_of(index, place), {}, plaintext, sealed);
}

Result<> open_age_chunk(const AeadKey& key, std::uint64_t index, AgeChunkPlace place, ByteView sealed,
                        MutableByteView plaintext) {
  if (aead_open_into(key, nonce_of(index, place), {}, sealed, plaintext)) return {};
  return fail(
      ErrorCode::kDataCorrupt,
      fmt::format("the sealed file is damaged: chunk {} (of 64 KiB each) is not what was sealed", index));
}

}  // namespace holdfast::crypto
