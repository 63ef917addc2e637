#include <array>
#include <cstddef>
#include <cstdint>

#include "access/assertion.h"
#include "access/jwt.h"
#include "base/assert.h"

namespace holdfast::access {
namespace {

void check(std::string_view text) {
  const auto token = parse_jwt(text);
  if (!token) return;
  HF_ASSERT(text.size() <= kMaxJwtBytes && text.starts_with(token->signed_text));
  HF_ASSERT(!token->algorithm.empty() && !token->subject.empty() && !token->audience.empty());
  // A key that nobody holds: whatever the bytes say, it did not sign them.
  static const std::array kKeys{
      ServiceKey{"ed25519", crypto::PrivateKey::generate(crypto::KeyAlgorithm::kEd25519).public_key()},
      ServiceKey{"p256", crypto::PrivateKey::generate(crypto::KeyAlgorithm::kEcdsaP256).public_key()}};
  const auto now = base::Timestamp::from_microseconds(token->issued_at * 1'000'000);
  HF_ASSERT(!check_assertion(*token, token->subject, token->audience.front(), kKeys, now));
}

}  // namespace
}  // namespace holdfast::access

// A JSON Web Token, parsed and held against keys.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  holdfast::access::check(holdfast::base::as_text({data, size}));
  return 0;
}
