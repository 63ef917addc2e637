#include "crypto/aead.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>
#include <memory>

#include "base/assert.h"

namespace holdfast::crypto {

using base::Bytes;
using base::ByteView;
using base::ErrorCode;
using base::fail;
using base::MutableByteView;
using base::Result;
using base::Secret;

namespace {

// OpenSSL counts in int.
constexpr std::size_t kMaxUpdateBytes = 1UL << 30;

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

// Fetched once each (OpenSSL crypto(7), "Performance"); OpenSSL frees them at exit.
const EVP_CIPHER* cipher_of(AeadAlgorithm algorithm) {
  static const EVP_CIPHER* const kGcm = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  static const EVP_CIPHER* const kChaCha = EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr);
  const EVP_CIPHER* cipher = algorithm == AeadAlgorithm::kAes256Gcm ? kGcm : kChaCha;
  HF_ASSERT(cipher != nullptr);
  return cipher;
}

enum class Direction { kOpen = 0, kSeal = 1 };

// A context that has taken key, nonce and associated data.
CipherContext begin(const AeadKey& key, const AeadNonce& nonce, ByteView associated_data,
                    Direction direction) {
  CipherContext context(EVP_CIPHER_CTX_new());
  HF_ASSERT(context != nullptr);
  HF_ASSERT(EVP_CipherInit_ex2(context.get(), cipher_of(key.algorithm()), key.secret().reveal().data(),
                               nonce.data(), static_cast<int>(direction), nullptr) == 1);
  while (!associated_data.empty()) {
    const ByteView piece = associated_data.first(std::min(kMaxUpdateBytes, associated_data.size()));
    int written = 0;
    HF_ASSERT(EVP_CipherUpdate(context.get(), nullptr, &written, piece.data(),
                               static_cast<int>(piece.size())) == 1);
    associated_data = associated_data.subspan(piece.size());
  }
  return context;
}

void transform(EVP_CIPHER_CTX* context, ByteView from, MutableByteView to) {
  while (!from.empty()) {
    const ByteView piece = from.first(std::min(kMaxUpdateBytes, from.size()));
    int written = 0;
    HF_ASSERT(EVP_CipherUpdate(context, to.data(), &written, piece.data(), static_cast<int>(piece.size())) ==
              1);
    from = from.subspan(piece.size());
    to = to.subspan(piece.size());
  }
}

}  // namespace

Result<AeadKey> AeadKey::create(AeadAlgorithm algorithm, Secret bytes) {
  if (bytes.size() != kSize) {
    return fail(ErrorCode::kInvalidArgument, "an encryption key must be of 32 bytes");
  }
  return AeadKey(algorithm, std::move(bytes));
}

AeadKey AeadKey::generate(AeadAlgorithm algorithm, base::RandomSource& random) {
  Secret bytes(kSize);
  random.fill(bytes.writable());
  return {algorithm, std::move(bytes)};
}

void aead_seal_into(const AeadKey& key, const AeadNonce& nonce, ByteView associated_data, ByteView plaintext,
                    MutableByteView sealed) {
  HF_ASSERT(sealed.size() == plaintext.size() + kAeadTagBytes);
  const CipherContext context = begin(key, nonce, associated_data, Direction::kSeal);
  transform(context.get(), plaintext, sealed);
  const MutableByteView tag = sealed.last(kAeadTagBytes);
  int written = 0;
  HF_ASSERT(EVP_CipherFinal_ex(context.get(), tag.data(), &written) == 1 && written == 0);
  HF_ASSERT(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kAeadTagBytes, tag.data()) == 1);
}

Result<> aead_open_into(const AeadKey& key, const AeadNonce& nonce, ByteView associated_data, ByteView sealed,
                        MutableByteView plaintext) {
  HF_ASSERT(sealed.size() == plaintext.size() + kAeadTagBytes);
  const CipherContext context = begin(key, nonce, associated_data, Direction::kOpen);
  transform(context.get(), sealed.first(plaintext.size()), plaintext);
  std::array<std::uint8_t, kAeadTagBytes> tag{};
  std::copy_n(sealed.last(kAeadTagBytes).begin(), kAeadTagBytes, tag.begin());
  HF_ASSERT(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kAeadTagBytes, tag.data()) == 1);
  std::uint8_t nothing = 0;
  int written = 0;
  // An error left in OpenSSL's queue would be taken for one of the next TLS call of this thread.
  ERR_set_mark();
  const bool authentic = EVP_CipherFinal_ex(context.get(), &nothing, &written) == 1;
  ERR_pop_to_mark();
  if (authentic) return {};
  base::wipe(plaintext);
  return fail(
      ErrorCode::kDataCorrupt,
      "the sealed bytes do not open: they were changed, or sealed with another key or for another place");
}

Bytes aead_seal(const AeadKey& key, const AeadNonce& nonce, ByteView associated_data, ByteView plaintext) {
  Bytes sealed(plaintext.size() + kAeadTagBytes);
  aead_seal_into(key, nonce, associated_data, plaintext, sealed);
  return sealed;
}

Result<Secret> aead_open(const AeadKey& key, const AeadNonce& nonce, ByteView associated_data,
                         ByteView sealed) {
  if (sealed.size() < kAeadTagBytes) {
    return fail(ErrorCode::kDataCorrupt, "the sealed bytes are truncated: they are shorter than their tag");
  }
  Secret plaintext(sealed.size() - kAeadTagBytes);
  HF_CHECK(aead_open_into(key, nonce, associated_data, sealed, plaintext.writable()));
  return plaintext;
}

}  // namespace holdfast::crypto
