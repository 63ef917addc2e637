#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include "access/jwt.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/sign.h"

// A service's proof of who it is: a JWT that it signed for us alone, used once (RFC 7523, section 3, as
// draft-ietf-oauth-rfc7523bis narrows it). Pure; that it is used once is for the caller to see to.

namespace holdfast::access {

inline constexpr std::chrono::seconds kMaxAssertionLife{300};
inline constexpr std::chrono::seconds kClockSkew{30};
inline constexpr std::size_t kMaxServiceKeys = 4;

// A key as it is registered.
struct ServiceKey {
  std::string id;  // of the public key: hexadecimal of its digest
  crypto::PublicKey key;
};

// The name of the only algorithm (RFC 7518, RFC 8037) that a key may be used with. kUnsupported for keys that
// are neither ECDSA P-256 nor Ed25519.
base::Result<std::string_view> jws_algorithm(crypto::KeyAlgorithm algorithm);

// kUnauthenticated unless one of the keys signed the token, with that key's algorithm; iss and sub are the
// service; aud is our issuer and nobody else; and now lies within a life of at most kMaxAssertionLife.
base::Result<> check_assertion(const Jwt& token, std::string_view service, std::string_view issuer,
                               std::span<const ServiceKey> keys, base::Timestamp now);

}  // namespace holdfast::access
