#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"

namespace holdfast::crypto {

using X25519Public = std::array<std::uint8_t, 32>;

// A private key for X25519 (RFC 7748, section 5). Immutable; thread-safe.
class X25519Private {
 public:
  // kInvalidArgument unless `scalar` is of 32 bytes; any 32 make a key.
  static base::Result<X25519Private> create(const base::Secret& scalar);
  static X25519Private generate(base::RandomSource& random);

  [[nodiscard]] const X25519Public& public_key() const { return public_; }
  [[nodiscard]] base::Secret scalar() const;
  // The shared secret. kDataCorrupt for a point of low order, with which it would be zero for every key
  // (section 6.1).
  [[nodiscard]] base::Result<base::Secret> agree(const X25519Public& theirs) const;

 private:
  struct Free {
    void operator()(void* key) const;
  };
  explicit X25519Private(const base::Secret& scalar);
  std::unique_ptr<void, Free> key_;  // EVP_PKEY
  X25519Public public_{};
};

}  // namespace holdfast::crypto
