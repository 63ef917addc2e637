#include <cstdlib>

#include "formats/tensor_bundle.h"

namespace formats = holdfast::formats;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const formats::MemorySource source({data, size});
  const auto bundle = formats::read_tensor_bundle(source);
  if (!bundle) return 0;
  for (const auto& tensor : bundle->tensors) {
    if (tensor.shard >= bundle->shards || tensor.name.empty()) std::abort();
  }
  return 0;
}
