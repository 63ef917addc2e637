#include "assess/task.h"
#include "base/bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static_cast<void>(holdfast::assess::parse_task(holdfast::base::as_text({data, size}), "task.toml"));
  return 0;
}
