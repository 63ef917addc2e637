#include <cstdlib>

#include "formats/sniff.h"

namespace formats = holdfast::formats;

namespace {

// Formats with no signature, told by their fields: a head that ends within one may seem to be of them.
bool is_protobuf(formats::Format format) {
  using enum formats::Format;
  return format == kOnnx || format == kSavedModel || format == kGraphDef || format == kKerasMetadata ||
         format == kCoreMl;
}

}  // namespace

// Gives at least one format, and for a file shorter than the head what the head alone gives, first.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto found = formats::sniff(formats::MemorySource({data, size}));
  if (!found || found->empty()) std::abort();
  const auto by_head = formats::sniff_head({data, size});
  if (by_head.empty()) std::abort();
  const auto first = by_head.front();
  if (first != formats::Format::kUnknown && first != found->front() && !is_protobuf(first)) std::abort();
  return 0;
}
