#include "base/assert.h"
#include "crypto/dsse.h"

// An envelope that parses comes back from its own text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using holdfast::crypto::DsseEnvelope;
  const auto envelope = DsseEnvelope::parse(holdfast::base::as_text({data, size}));
  if (!envelope) return 0;
  const auto again = DsseEnvelope::parse(envelope->write());
  HF_ASSERT(again && again->write() == envelope->write());
  HF_ASSERT(!envelope->verify(envelope->payload_type(), {}));
  return 0;
}
