#include "crypto/x25519.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/assert.h"

namespace holdfast::crypto {

using base::ErrorCode;
using base::fail;
using base::Result;
using base::Secret;

namespace {

constexpr std::size_t kSize = std::tuple_size_v<X25519Public>;

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeDerivation {
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};

}  // namespace

void X25519Private::Free::operator()(void* key) const { EVP_PKEY_free(static_cast<EVP_PKEY*>(key)); }

X25519Private::X25519Private(const Secret& scalar)
    : key_(EVP_PKEY_new_raw_private_key_ex(nullptr, "X25519", nullptr, scalar.reveal().data(),
                                           scalar.size())) {
  HF_ASSERT(key_ != nullptr);
  std::size_t size = public_.size();
  HF_ASSERT(EVP_PKEY_get_raw_public_key(static_cast<EVP_PKEY*>(key_.get()), public_.data(), &size) == 1);
}

Result<X25519Private> X25519Private::create(const Secret& scalar) {
  if (scalar.size() != kSize) return fail(ErrorCode::kInvalidArgument, "an X25519 key must be of 32 bytes");
  return X25519Private(scalar);
}

X25519Private X25519Private::generate(base::RandomSource& random) {
  Secret scalar(kSize);
  random.fill(scalar.writable());
  return X25519Private(scalar);
}

Secret X25519Private::scalar() const {
  Secret scalar(kSize);
  std::size_t size = kSize;
  HF_ASSERT(
      EVP_PKEY_get_raw_private_key(static_cast<EVP_PKEY*>(key_.get()), scalar.writable().data(), &size) == 1);
  return scalar;
}

Result<Secret> X25519Private::agree(const X25519Public& theirs) const {
  const std::unique_ptr<EVP_PKEY, FreeKey> peer(
      EVP_PKEY_new_raw_public_key_ex(nullptr, "X25519", nullptr, theirs.data(), theirs.size()));
  const std::unique_ptr<EVP_PKEY_CTX, FreeDerivation> context(
      EVP_PKEY_CTX_new_from_pkey(nullptr, static_cast<EVP_PKEY*>(key_.get()), nullptr));
  HF_ASSERT(peer != nullptr && context != nullptr && EVP_PKEY_derive_init(context.get()) == 1);
  Secret shared(kSize);
  std::size_t size = kSize;
  // An error left in OpenSSL's queue would be taken for one of the next TLS call of this thread.
  ERR_set_mark();
  const bool derived = EVP_PKEY_derive_set_peer_ex(context.get(), peer.get(), /*validate_peer=*/0) == 1 &&
                       EVP_PKEY_derive(context.get(), shared.writable().data(), &size) == 1;
  ERR_pop_to_mark();
  // OpenSSL refuses a zero secret itself; RFC 7748 leaves that to the implementation, so it is checked here
  // too.
  if (!derived || base::constant_time_equal(shared.reveal(), Secret(kSize).reveal())) {
    return fail(ErrorCode::kDataCorrupt,
                "an X25519 public key is a point of low order, which no honest key is");
  }
  return shared;
}

}  // namespace holdfast::crypto
