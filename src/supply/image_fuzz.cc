#include "supply/image.h"
#include "supply/rpm_database.h"

namespace supply = holdfast::supply;

// Saved images, and RPM's database on its own.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const holdfast::base::ByteView bytes(data, size);
  const holdfast::formats::MemorySource source(bytes);
  static_cast<void>(supply::read_image(source, "f"));
  static_cast<void>(supply::read_rpm_database(bytes, {.id = "rocky", .version = "9"}, "f"));
  return 0;
}
