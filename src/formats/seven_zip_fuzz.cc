#include <array>
#include <cstdlib>

#include "formats/seven_zip.h"
#include "formats/seven_zip_header.h"

namespace formats = holdfast::formats;

// The first byte chooses between a header alone, which no checksum guards here, and a whole archive, of which
// it reads up to kMaxRead bytes of the first files.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMaxRead = 1UL << 16;
  constexpr int kMaxEntriesRead = 32;
  if (size == 0) return 0;
  if (data[0] % 2 == 0) {
    const auto header = formats::parse_seven_zip_header({data + 1, size - 1});
    if (!header) return 0;
    for (const formats::SevenZipFolder& folder : header->folders) {
      if (folder.sizes.size() != folder.checksums.size() || folder.coders.empty()) std::abort();
    }
    return 0;
  }
  const formats::MemorySource source({data + 1, size - 1});
  formats::MemoryBudget budget(16UL << 20);
  auto reader = formats::SevenZipReader::open(source, {.max_output = 1UL << 20, .memory = &budget});
  if (!reader) return 0;
  for (int i = 0; i < kMaxEntriesRead; ++i) {
    const auto entry = reader->next();
    if (!entry) return 0;
    std::array<std::uint8_t, 1000> buffer{};
    std::size_t total = 0;
    while (total < kMaxRead) {
      const auto got = reader->read(buffer);
      if (!got || *got == 0) break;
      total += *got;
    }
    if (total > entry->size) std::abort();
  }
  return 0;
}
