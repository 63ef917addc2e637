#include "access/assertion.h"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::access {
namespace {

using base::Bytes;
using base::ByteView;
using base::ErrorCode;
using base::Result;

constexpr std::size_t kCoordinateBytes = 32;  // of P-256

tl::unexpected<base::Error> refuse(std::string_view why) {
  return base::fail(ErrorCode::kUnauthenticated, fmt::format("the assertion is refused: {}", why));
}

// An unsigned number as DER's INTEGER: without leading zeros but the one that keeps it positive.
void append_integer(Bytes& to, ByteView number) {
  while (number.size() > 1 && number.front() == 0) number = number.subspan(1);
  const bool pad = (number.front() & 0x80U) != 0;
  to.push_back(0x02);
  to.push_back(static_cast<std::uint8_t>(number.size() + (pad ? 1 : 0)));
  if (pad) to.push_back(0);
  base::append(to, number);
}

// JOSE joins r and s (RFC 7518, section 3.4); crypto/ takes the SEQUENCE of RFC 3279, section 2.2.3.
Bytes ecdsa_der(ByteView joined) {
  Bytes numbers;
  append_integer(numbers, joined.first(kCoordinateBytes));
  append_integer(numbers, joined.subspan(kCoordinateBytes));
  Bytes sequence{0x30, static_cast<std::uint8_t>(numbers.size())};
  base::append(sequence, ByteView(numbers));
  return sequence;
}

bool is_signed_by(const Jwt& token, const crypto::PublicKey& key) {
  const auto algorithm = jws_algorithm(key.algorithm());
  if (!algorithm || token.algorithm != *algorithm) return false;
  const ByteView text = base::as_bytes(token.signed_text);
  if (key.algorithm() == crypto::KeyAlgorithm::kEd25519) return key.verify(text, token.signature).has_value();
  if (token.signature.size() != 2 * kCoordinateBytes) return false;
  return key.verify(text, ecdsa_der(token.signature)).has_value();
}

Result<> check_times(const Jwt& token, base::Timestamp now) {
  using std::chrono::seconds;
  const auto moment = [](std::int64_t second) {
    return base::Timestamp::from_microseconds(second * 1'000'000);
  };
  if (token.expires <= token.issued_at || seconds(token.expires - token.issued_at) > kMaxAssertionLife) {
    return refuse(fmt::format("exp must be at most {} s after iat", kMaxAssertionLife.count()));
  }
  if (moment(token.expires) <= now) return refuse("it has expired; sign a new one for each sign-in");
  if (moment(token.issued_at) > now + kClockSkew) {
    return refuse("iat is in the future; set the service's clock");
  }
  if (token.not_before && moment(*token.not_before) > now + kClockSkew) return refuse("nbf is in the future");
  return {};
}

}  // namespace

Result<std::string_view> jws_algorithm(crypto::KeyAlgorithm algorithm) {
  if (algorithm == crypto::KeyAlgorithm::kEd25519) return "EdDSA";
  if (algorithm == crypto::KeyAlgorithm::kEcdsaP256) return "ES256";
  return base::fail(
      ErrorCode::kUnsupported,
      fmt::format("a service signs with Ed25519 or ECDSA on P-256, not {}", crypto::to_string(algorithm)));
}

Result<> check_assertion(const Jwt& token, std::string_view service, std::string_view issuer,
                         std::span<const ServiceKey> keys, base::Timestamp now) {
  if (token.issuer != token.subject) return refuse("iss and sub must both be the service's id");
  if (token.subject != service) return refuse("sub names another service");
  if (token.audience.size() != 1 || token.audience.front() != issuer) {
    return refuse(fmt::format("aud must be \"{}\" alone", issuer));
  }
  HF_CHECK(check_times(token, now));
  const bool is_signed = std::any_of(keys.begin(), keys.end(), [&token](const ServiceKey& known) {
    return (!token.key_id || *token.key_id == known.id) && is_signed_by(token, known.key);
  });
  if (!is_signed) return refuse("no key that is registered for this service signed it, by its own algorithm");
  return {};
}

}  // namespace holdfast::access
