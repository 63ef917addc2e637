#include <array>
#include <cstdlib>

#include "formats/decompressor.h"

namespace formats = holdfast::formats;
using formats::Format;

// The first byte chooses the format. No decompressor may hold more than it was given to hold.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::array kFormats = {Format::kBzip2, Format::kXz, Format::kLzma, Format::kZstd, Format::kLz4};
  constexpr std::uint64_t kMemory = 16ULL << 20;
  if (size == 0) return 0;
  const formats::MemorySource source({data + 1, size - 1});
  formats::SourceStream input(source);
  formats::MemoryBudget budget(kMemory);
  {
    auto stream = formats::open_decompressor(kFormats[data[0] % kFormats.size()], input,
                                             {.max_output = 1UL << 20, .memory = &budget});
    if (!stream) return 0;
    std::array<std::uint8_t, 777> buffer{};
    for (;;) {
      const auto got = (*stream)->read(buffer);
      if (!got || *got == 0) break;
    }
    if ((*stream)->consumed() > size - 1) std::abort();
  }
  if (budget.left() != kMemory) std::abort();
  return 0;
}
