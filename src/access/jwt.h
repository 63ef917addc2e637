#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

// A signed JSON Web Token (RFC 7519) in the compact form of RFC 7515, read strictly (RFC 8725): what is not
// needed is refused, so that nothing in a token can choose how it is checked. Pure.

namespace holdfast::access {

inline constexpr std::size_t kMaxJwtBytes = 8UL << 10;
inline constexpr std::size_t kMaxJwtTextBytes = 256;  // of one text in it

struct Jwt {
  std::string algorithm;              // as the header has it: compare it with the key's, never obey it
  std::optional<std::string> key_id;  // a key in a map, nothing else
  std::string issuer;
  std::string subject;
  std::vector<std::string> audience;  // one or more
  std::string id;                     // jti
  std::int64_t issued_at = 0;         // seconds since 1970, as the next two
  std::int64_t expires = 0;
  std::optional<std::int64_t> not_before;
  std::string signed_text;  // what the signature is over
  base::Bytes signature;
};

// The header holds alg, and may hold kid and typ (JWT or client-authentication+jwt), and nothing else: no
// crit, jku, jwk, x5u or zip. iss, sub, aud, jti, iat and exp are there and well formed; other claims are
// overlooked. Times are whole seconds. kLimitExceeded over kMaxJwtBytes, kInvalidArgument otherwise; nothing
// is verified yet.
base::Result<Jwt> parse_jwt(std::string_view text);

}  // namespace holdfast::access
