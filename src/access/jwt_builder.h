#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/encoding.h"
#include "crypto/sign.h"

// For the tests of access/ alone: JSON Web Tokens, right and wrong.

namespace holdfast::access {

inline std::string encode(std::string_view text) {
  return base::base64_encode(base::as_bytes(text), base::Base64::kUrl);
}

// r and s side by side, from DER's SEQUENCE of two INTEGERs.
inline base::Bytes joined_ecdsa(base::ByteView der) {
  base::Bytes joined;
  std::size_t at = 2;
  for (int i = 0; i < 2; ++i) {
    base::ByteView number = der.subspan(at + 2, der[at + 1]);
    at += 2U + der[at + 1];
    while (number.size() > 32) number = number.subspan(1);
    joined.insert(joined.end(), 32 - number.size(), 0);
    base::append(joined, number);
  }
  return joined;
}

inline std::string sign_jwt(const crypto::PrivateKey& key, std::string_view header, std::string_view claims) {
  const std::string text = encode(header) + "." + encode(claims);
  base::Bytes signature = key.sign(base::as_bytes(text));
  if (key.algorithm() == crypto::KeyAlgorithm::kEcdsaP256) signature = joined_ecdsa(signature);
  return text + "." + base::base64_encode(signature, base::Base64::kUrl);
}

inline nlohmann::json good_claims(std::string_view service, std::string_view issuer, std::int64_t now,
                                  std::string_view jti) {
  return {{"iss", service}, {"sub", service}, {"aud", issuer},
          {"jti", jti},     {"iat", now},     {"exp", now + 120}};
}

}  // namespace holdfast::access
