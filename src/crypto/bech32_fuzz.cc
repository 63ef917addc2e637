#include <algorithm>
#include <cctype>

#include "base/assert.h"
#include "crypto/bech32.h"

// A text that decodes is the only one for its prefix and data, but for its case.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace crypto = holdfast::crypto;
  const auto lower = [](std::string text) {
    std::ranges::transform(text, text.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
  };
  const std::string text(holdfast::base::as_text({data, size}));
  const auto decoded = crypto::bech32_decode(text);
  if (decoded) {
    HF_ASSERT(crypto::bech32_encode(lower(decoded->prefix), decoded->data.reveal()) == lower(text));
  }
  return 0;
}
