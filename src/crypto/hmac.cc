#include "crypto/hmac.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <memory>

#include "base/assert.h"

namespace holdfast::crypto {

using base::ByteView;
using base::Digest;
using base::MutableByteView;
using base::Secret;

namespace {

struct FreeMac {
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};

EVP_MAC* algorithm() {
  static EVP_MAC* const kFetched = EVP_MAC_fetch(nullptr, "HMAC", nullptr);  // OpenSSL frees it at exit
  HF_ASSERT(kFetched != nullptr);
  return kFetched;
}

// HMAC of the pieces in a row, into 32 bytes.
void compute(ByteView key, std::initializer_list<ByteView> pieces, MutableByteView code) {
  const std::unique_ptr<EVP_MAC_CTX, FreeMac> context(EVP_MAC_CTX_new(algorithm()));
  HF_ASSERT(context != nullptr);
  std::array digest_name = std::to_array("SHA256");
  const std::array parameters = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name.data(), 0),
      OSSL_PARAM_construct_end()};
  // OpenSSL takes a null pointer for "no key yet", where we mean the empty one.
  const std::uint8_t nothing = 0;
  const std::uint8_t* const key_data = key.empty() ? &nothing : key.data();
  HF_ASSERT(EVP_MAC_init(context.get(), key_data, key.size(), parameters.data()) == 1);
  for (const ByteView piece : pieces) {
    HF_ASSERT(EVP_MAC_update(context.get(), piece.data(), piece.size()) == 1);
  }
  std::size_t written = 0;
  HF_ASSERT(EVP_MAC_final(context.get(), code.data(), &written, code.size()) == 1 &&
            written == Digest::kSize);
}

}  // namespace

Digest hmac_sha256(ByteView key, ByteView message) {
  std::array<std::uint8_t, Digest::kSize> code{};
  compute(key, {message}, code);
  return Digest(code);
}

Secret hkdf_sha256(ByteView key_material, ByteView salt, ByteView info, std::size_t size) {
  HF_ASSERT(size <= 255 * Digest::kSize);
  Secret pseudorandom_key(Digest::kSize);
  compute(salt, {key_material}, pseudorandom_key.writable());  // section 2.2

  Secret output(size);  // section 2.3
  Secret block(Digest::kSize);
  std::uint8_t counter = 0;
  for (std::size_t done = 0; done < size; done += Digest::kSize) {
    const ByteView previous = done == 0 ? ByteView() : block.reveal();
    ++counter;
    compute(pseudorandom_key.reveal(), {previous, info, ByteView(&counter, 1)}, block.writable());
    std::copy_n(block.reveal().begin(), std::min(Digest::kSize, size - done),
                output.writable().begin() + static_cast<std::ptrdiff_t>(done));
  }
  return output;
}

}  // namespace holdfast::crypto
