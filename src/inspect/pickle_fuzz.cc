#include "inspect/pickle.h"

// Any bytes, with every kind of container and a decompilation: no crash, and the program keeps to its bound.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast;
  constexpr std::size_t kMaxProgramBytes = 2000;
  for (const auto container : {inspect::PickleContainer::kPlain, inspect::PickleContainer::kJoblib}) {
    const formats::MemorySource source({data, size});
    formats::SourceStream stream(source);
    inspect::Findings findings;
    const inspect::PickleOptions options{.container = container, .max_program_bytes = kMaxProgramBytes};
    const auto summary = inspect::inspect_pickle(stream, "fuzz", options, findings);
    if (!summary || summary->program.size() > kMaxProgramBytes) __builtin_trap();
  }
  return 0;
}
