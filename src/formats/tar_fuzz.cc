#include <array>

#include "formats/tar.h"

namespace formats = holdfast::formats;

// Reads every entry, and half of their contents.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const formats::MemorySource source({data, size});
  formats::SourceStream stream(source);
  formats::TarReader tar(stream);
  for (bool read = false;; read = !read) {
    const auto entry = tar.next();
    if (!entry || !*entry) return 0;
    std::array<std::uint8_t, 512> buffer{};
    while (read) {
      const auto got = tar.read(buffer);
      read = got && *got > 0;
    }
  }
}
