#include "base/assert.h"
#include "base/encoding.h"
#include "keys/master_key.h"

// A text that is a master key holds that key in the one way of writing it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace base = holdfast::base;
  const auto text = base::as_text({data, size});
  const auto key = holdfast::keys::MasterKey::parse(text);
  if (key) {
    const auto written = base::base64_encode(key->key().secret().reveal(), base::Base64::kUrl);
    HF_ASSERT(text.find("holdfast-master-key-1:" + written) != std::string_view::npos);
  }
  return 0;
}
