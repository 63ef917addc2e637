#include "base/assert.h"
#include "keys/derivation.h"

// What is read is written so that it reads the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace keys = holdfast::keys;
  const auto file = keys::parse_master_file(holdfast::base::as_text({data, size}));
  if (file) {
    const auto again = keys::parse_master_file(keys::format_master_file(*file));
    HF_ASSERT(again && again->check == file->check && again->derivation == file->derivation);
  }
  return 0;
}
