#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"

// Authenticated encryption with associated data, of texts below 64 GiB. What is sealed is the ciphertext and
// the 16-byte tag behind it. Functions are thread-safe and keep nothing.

namespace holdfast::crypto {

enum class AeadAlgorithm : std::uint8_t {
  kAes256Gcm,         // NIST SP 800-38D
  kChaCha20Poly1305,  // RFC 8439
};

// A key for one algorithm alone.
class AeadKey {
 public:
  static constexpr std::size_t kSize = 32;

  // kInvalidArgument unless `bytes` are 32.
  static base::Result<AeadKey> create(AeadAlgorithm algorithm, base::Secret bytes);
  static AeadKey generate(AeadAlgorithm algorithm, base::RandomSource& random);

  [[nodiscard]] AeadAlgorithm algorithm() const { return algorithm_; }
  [[nodiscard]] const base::Secret& secret() const { return bytes_; }

 private:
  AeadKey(AeadAlgorithm algorithm, base::Secret bytes) : algorithm_(algorithm), bytes_(std::move(bytes)) {}
  AeadAlgorithm algorithm_;
  base::Secret bytes_;
};

// Never used twice with one key: that gives away both texts and the power to forge. Where no counter is at
// hand, use an envelope (crypto/envelope.h), which chooses its own.
using AeadNonce = std::array<std::uint8_t, 12>;

inline constexpr std::size_t kAeadTagBytes = 16;

base::Bytes aead_seal(const AeadKey& key, const AeadNonce& nonce, base::ByteView associated_data,
                      base::ByteView plaintext);

// kDataCorrupt unless `sealed` was made with this key, nonce and associated data.
base::Result<base::Secret> aead_open(const AeadKey& key, const AeadNonce& nonce,
                                     base::ByteView associated_data, base::ByteView sealed);

// The same into memory of the caller's. `sealed` is kAeadTagBytes longer than `plaintext`. What does not open
// leaves zeros in `plaintext`.
void aead_seal_into(const AeadKey& key, const AeadNonce& nonce, base::ByteView associated_data,
                    base::ByteView plaintext, base::MutableByteView sealed);
base::Result<> aead_open_into(const AeadKey& key, const AeadNonce& nonce, base::ByteView associated_data,
                              base::ByteView sealed, base::MutableByteView plaintext);

}  // namespace holdfast::crypto
