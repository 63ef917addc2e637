#include <cstdlib>

#include "formats/npy.h"

namespace formats = holdfast::formats;

// What is accepted lies within the file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const formats::MemorySource source({data, size});
  formats::SourceStream stream(source);
  formats::BufferedReader reader(stream);
  const auto header = formats::read_npy_header(reader, size);
  if (header && header->data_offset + header->data_size + header->trailing_size != size) std::abort();
  return 0;
}
