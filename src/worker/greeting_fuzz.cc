#include "base/assert.h"
#include "worker/handshake.h"

// A worker's first frame, as one might send that has been taken over while it started.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto report = holdfast::worker::decode_greeting({data, size});
  if (!report) return 0;
  HF_ASSERT(report->text().find('\x1b') == std::string::npos);
  const auto again = holdfast::worker::decode_greeting(holdfast::worker::encode_greeting(*report));
  HF_ASSERT(again.has_value() && *again == *report);
  return 0;
}
