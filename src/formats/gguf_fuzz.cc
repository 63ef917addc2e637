#include <cstdlib>

#include "formats/gguf.h"

namespace formats = holdfast::formats;

// The tensors of an accepted file lie in it, one after the other.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = formats::read_gguf(formats::MemorySource({data, size}));
  if (!file) return 0;
  std::uint64_t end = file->data_offset;
  for (const formats::GgufTensor& tensor : file->tensors) {
    if (tensor.offset < end) std::abort();
    end = tensor.offset + tensor.size;
  }
  if (end > size) std::abort();
  return 0;
}
