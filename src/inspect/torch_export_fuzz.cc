#include <cstdlib>

#include "base/bytes.h"
#include "inspect/torch_export.h"

namespace inspect = holdfast::inspect;

// What could not be read must not seem clean.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  inspect::Findings findings;
  const auto gaps =
      inspect::inspect_exported_program(holdfast::base::as_text({data, size}), "f.json", findings);
  if (!gaps.empty() && findings.items().empty()) std::abort();
  return 0;
}
