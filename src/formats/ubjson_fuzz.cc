#include <cstdlib>

#include "formats/ubjson.h"

namespace formats = holdfast::formats;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto outline = formats::read_ubjson(formats::MemorySource({data, size}));
  if (outline && outline->size > size) std::abort();
  return 0;
}
