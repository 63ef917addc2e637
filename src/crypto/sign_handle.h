#pragma once

#include <memory>

#include "crypto/sign.h"

// For the .cc files of crypto/ alone: OpenSSL's side of a key, and ownership of OpenSSL's objects.

struct evp_pkey_st;  // EVP_PKEY

namespace holdfast::crypto {

struct KeyHandle {
  KeyHandle(evp_pkey_st* owned, KeyAlgorithm its_algorithm) : pkey(owned), algorithm(its_algorithm) {}
  KeyHandle(const KeyHandle&) = delete;
  KeyHandle& operator=(const KeyHandle&) = delete;
  ~KeyHandle();

  evp_pkey_st* pkey;  // owned
  KeyAlgorithm algorithm;
};

// OpenSSL's name of the digest that goes with the algorithm; null for Ed25519, which has its own inside.
const char* digest_name(KeyAlgorithm algorithm);

template <auto kFree>
struct FreeBy {
  void operator()(auto* object) const { kFree(object); }
};
// Owned<X509, X509_free>: an object that OpenSSL allocated.
template <typename T, auto kFree>
using Owned = std::unique_ptr<T, FreeBy<kFree>>;

}  // namespace holdfast::crypto
