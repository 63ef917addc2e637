#include <cstdlib>

#include "formats/safetensors.h"

namespace formats = holdfast::formats;

// The tensors of an accepted file fill it from the header to its end.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto header = formats::read_safetensors_header(formats::MemorySource({data, size}));
  if (!header || header->tensors.empty()) return 0;
  std::uint64_t end = header->tensors.front().offset;
  for (const formats::SafetensorsTensor& tensor : header->tensors) {
    if (tensor.offset != end) std::abort();
    end += tensor.size;
  }
  if (end != size) std::abort();
  return 0;
}
