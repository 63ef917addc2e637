#include <array>
#include <cstdlib>

#include "formats/zip.h"

namespace formats = holdfast::formats;

// Opens whatever comes, and reads up to kMaxRead bytes of each of the first entries.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMaxRead = 1UL << 16;
  constexpr std::size_t kMaxEntriesRead = 32;
  const formats::MemorySource source({data, size});
  const auto zip = formats::ZipReader::open(source);
  if (!zip) return 0;
  std::size_t opened = 0;
  for (const formats::ZipEntry& entry : zip->entries()) {
    if (++opened > kMaxEntriesRead) break;
    if (const auto range = zip->stored_range(entry); range && range->size() != entry.size) std::abort();
    auto member = zip->open_member(entry);
    if (!member) continue;
    std::array<std::uint8_t, 1000> buffer{};
    std::size_t total = 0;
    while (total < kMaxRead) {
      const auto got = member->read(buffer);
      if (!got || *got == 0) break;
      total += *got;
    }
    if (total > entry.size) std::abort();
  }
  return 0;
}
