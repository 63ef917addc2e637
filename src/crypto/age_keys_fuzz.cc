#include "base/assert.h"
#include "crypto/age_keys.h"

// A key that parses comes back from its own text; an identity file gives as many as it says, or an error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace crypto = holdfast::crypto;
  const auto text = holdfast::base::as_text({data, size});
  if (const auto recipient = crypto::AgeRecipient::parse(text)) HF_ASSERT(recipient->text() == text);
  if (const auto identity = crypto::AgeIdentity::parse(text)) {
    HF_ASSERT(identity->text().reveal_text() == text);
  }
  const auto identities = crypto::parse_age_identities(text);
  if (identities) HF_ASSERT(!identities->empty() && identities->size() <= crypto::kMaxAgeIdentities);
  return 0;
}
