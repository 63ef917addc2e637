#include <cstdlib>

#include "formats/hdf5.h"

namespace formats = holdfast::formats;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = formats::read_hdf5(formats::MemorySource({data, size}));
  if (!file) return 0;
  if (file->outside.size() > formats::Hdf5File::kMaxListed) std::abort();
  for (const formats::Hdf5Outside& outside : file->outside) {
    if (outside.offset >= size) std::abort();
  }
  return 0;
}
