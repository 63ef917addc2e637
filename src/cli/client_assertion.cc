#include "cli/client_assertion.h"

#include <nlohmann/json.hpp>

#include "access/assertion.h"
#include "base/encoding.h"

namespace holdfast::cli {
namespace {

constexpr std::int64_t kLifeSeconds = 60;
constexpr std::size_t kIdBytes = 16;          // of jti
constexpr std::size_t kCoordinateBytes = 32;  // of P-256

std::string part(const nlohmann::json& value) {
  return base::base64_encode(base::as_bytes(value.dump()), base::Base64::kUrl);
}

// r and s side by side (RFC 7518, section 3.4), from the SEQUENCE of two INTEGERs of RFC 3279, section 2.2.3.
// `der` is what our own key made, so its lengths hold; for P-256 each is one byte.
base::Bytes joined(base::ByteView der) {
  base::Bytes result;
  std::size_t at = 2;
  for (int i = 0; i < 2; ++i) {
    base::ByteView number = der.subspan(at + 2, der[at + 1]);
    at += 2U + der[at + 1];
    if (number.size() > kCoordinateBytes)
      number = number.last(kCoordinateBytes);  // the zero that keeps it positive
    result.insert(result.end(), kCoordinateBytes - number.size(), 0);
    base::append(result, number);
  }
  return result;
}

}  // namespace

base::Result<std::string> make_client_assertion(const crypto::PrivateKey& key, std::string_view service_id,
                                                std::string_view issuer, base::Timestamp now,
                                                base::RandomSource& random) {
  HF_TRY(const auto algorithm, access::jws_algorithm(key.algorithm()));
  const std::int64_t issued = now.microseconds() / 1'000'000;
  const auto text = part({{"alg", algorithm}, {"kid", key.public_key().id().hex()}}) + "." +
                    part({{"iss", service_id},
                          {"sub", service_id},
                          {"aud", issuer},
                          {"jti", base::hex_encode(random.take(kIdBytes))},
                          {"iat", issued},
                          {"exp", issued + kLifeSeconds}});
  auto signature = key.sign(base::as_bytes(text));
  if (key.algorithm() == crypto::KeyAlgorithm::kEcdsaP256) signature = joined(signature);
  return text + "." + base::base64_encode(signature, base::Base64::kUrl);
}

}  // namespace holdfast::cli
