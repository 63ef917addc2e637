#include "base/assert.h"
#include "crypto/password.h"

// A hash that parses is the only text for its value. Nothing is hashed here: that is bounded by the cost
// parsed.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = holdfast::base::as_text({data, size});
  if (const auto hash = holdfast::crypto::PasswordHash::parse(text)) HF_ASSERT(hash->text() == text);
  return 0;
}
