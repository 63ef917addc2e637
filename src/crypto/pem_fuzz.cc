#include "base/assert.h"
#include "crypto/pem.h"
#include "crypto/sign.h"

// A block that parses comes back from its own text; so does a key.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast::crypto;
  const auto input = holdfast::base::as_text({data, size});
  if (const auto blocks = parse_pem(input)) {
    for (const PemBlock& block : *blocks) {
      const auto again = parse_pem(write_pem(block.label, block.der.reveal()).reveal_text());
      HF_ASSERT(again && again->size() == 1 && again->front().der.reveal_text() == block.der.reveal_text());
    }
  }
  if (const auto key = PublicKey::from_pem(input)) HF_ASSERT(PublicKey::from_der(key->to_der()) == *key);
  if (const auto key = PrivateKey::from_pem(input)) {
    HF_ASSERT(PrivateKey::from_pem(key->to_pem().reveal_text())->public_key() == key->public_key());
  }
  return 0;
}
