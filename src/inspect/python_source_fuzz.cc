#include <cstdlib>

#include "base/bytes.h"
#include "inspect/python_source.h"

// Any text: no crash, and every finding lies within it. Those in a text that it would execute have no offset.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast;
  inspect::Findings findings;
  const auto gaps =
      inspect::inspect_python(base::as_text({data, size}), {.path = "fuzz", .part = {}}, findings);
  if (!gaps.empty() && size < 1000) std::abort();
  for (const auto& finding : findings.items()) {
    if (finding.offset && *finding.offset > size) std::abort();
  }
  return 0;
}
