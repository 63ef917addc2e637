#include <cstdlib>

#include "formats/onnx.h"

namespace formats = holdfast::formats;

// No tensor holds more than the file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto model = formats::read_onnx(formats::MemorySource({data, size}));
  if (!model) return 0;
  for (const formats::OnnxTensor& tensor : model->initializers) {
    if (tensor.stored_bytes > size) std::abort();
  }
  if (model->custom_domains().size() > model->operators.size()) std::abort();
  return 0;
}
