#include "supply/record_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static_cast<void>(holdfast::supply::read_record(holdfast::base::as_text({data, size})));
  return 0;
}
