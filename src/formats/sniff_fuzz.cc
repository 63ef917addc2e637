#include <algorithm>
#include <cstdlib>

#include "formats/sniff.h"

namespace formats = holdfast::formats;

// Gives at least one format, and for a file shorter than the head what the head alone gives, first.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto found = formats::sniff(formats::MemorySource({data, size}));
  if (!found || found->empty()) std::abort();
  const auto by_head = formats::sniff_head({data, size});
  if (by_head.empty()) std::abort();
  if (by_head.front() != formats::Format::kUnknown && by_head.front() != found->front() &&
      by_head.front() != formats::Format::kOnnx && by_head.front() != formats::Format::kSavedModel) {
    std::abort();
  }
  return 0;
}
