#include "base/assert.h"
#include "inspect/signing_bundle.h"
#include "inspect/signing_manifest.h"

// A bundle that parses comes back from its own text; so does a manifest of whole files, whose names stay
// inside.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast::inspect;
  const holdfast::base::ByteView input(data, size);
  if (const auto bundle = parse_bundle(holdfast::base::as_text(input))) {
    const auto again = parse_bundle(write_bundle(*bundle));
    HF_ASSERT(again && write_bundle(*again) == write_bundle(*bundle));
  }
  const auto manifest = parse_manifest(input);
  if (!manifest) return 0;
  for (const ManifestResource& resource : manifest->resources) {
    HF_ASSERT(!resource.file.empty() && resource.file.front() != '/' && resource.file.find("../") != 0);
    HF_ASSERT(!is_ignored(resource.file, manifest->ignored));
  }
  if (manifest->shard_size == 0) {
    const auto text = write_manifest(*manifest);
    HF_ASSERT(text && parse_manifest(holdfast::base::as_bytes(*text))->root() == manifest->root());
  }
  return 0;
}
