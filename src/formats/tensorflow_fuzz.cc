#include <cstdlib>

#include "formats/tensorflow.h"

namespace formats = holdfast::formats;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const formats::MemorySource source({data, size});
  for (auto* read : {formats::read_saved_model, formats::read_graph_def, formats::read_keras_metadata}) {
    const auto graph = read(source);
    if (!graph) continue;
    for (const auto& [where, use] : graph->uses) {
      if (use.count == 0 || use.offset > size) std::abort();
    }
  }
  return 0;
}
