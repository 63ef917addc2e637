#include <array>

#include "formats/inflate.h"

namespace formats = holdfast::formats;

// The first byte chooses the format.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const formats::MemorySource source({data + 1, size - 1});
  formats::SourceStream input(source);
  auto stream = formats::InflateStream::open(input, static_cast<formats::DeflateFormat>(data[0] % 3),
                                             {.max_output = 1UL << 20});
  if (!stream) return 0;
  std::array<std::uint8_t, 777> buffer{};
  for (;;) {
    const auto got = stream->read(buffer);
    if (!got || *got == 0) return 0;
  }
}
