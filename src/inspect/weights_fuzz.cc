#include <cstdlib>

#include "inspect/weights.h"

namespace formats = holdfast::formats;
namespace inspect = holdfast::inspect;

// A tensor of any bytes: the first one says its type. Nothing may lie outside of it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const formats::MemorySource source({data + 1, size - 1});
  for (const auto depth : {inspect::WeightDepth::kStart, inspect::WeightDepth::kAll}) {
    inspect::Findings findings;
    inspect::WeightInspector inspector(depth, findings);
    inspect::WeightTensor tensor{.name = "w", .path = "f"};
    if (data[0] < 5) tensor.type = static_cast<inspect::WeightType>(data[0]);
    if (!inspector.look_at(source, source.size(), tensor)) std::abort();
    for (const auto& finding : findings.items()) {
      if (finding.offset.value_or(0) >= size) std::abort();
    }
  }
  return 0;
}
