#include "audit/segment.h"
#include "base/assert.h"

// A line that is read is the one way of writing what it says.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace audit = holdfast::audit;
  const auto text = holdfast::base::as_text({data, size});
  if (const auto line = audit::parse_line(text)) {
    HF_ASSERT(audit::format_line(*line) == std::string(text) + "\n");
  }
  return 0;
}
