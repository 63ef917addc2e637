#include <cstdlib>

#include "formats/tflite.h"

namespace formats = holdfast::formats;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto model = formats::read_tflite(formats::MemorySource({data, size}));
  if (model && model->tensors > formats::TfliteModel::kMaxParts) std::abort();
  return 0;
}
