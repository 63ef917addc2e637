#include <cstdlib>

#include "inspect/artefact.h"

namespace formats = holdfast::formats;
namespace inspect = holdfast::inspect;

// Whatever comes, with all that is packed in it. A file that was not looked at to its end must not seem
// clean.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const formats::MemorySource source({data, size});
  inspect::Findings findings;
  const auto coverage = inspect::inspect_artefact(source, "f", findings);
  if (coverage.format.empty()) std::abort();
  for (const auto& finding : findings.items()) {
    // With an offset it is a directory's claim, and the member may have been seen to its end.
    const bool unread = !finding.offset && (finding.rule_id == "archive.bomb" ||
                                            finding.rule_id == "archive.unsupported-member");
    if (unread && coverage.not_looked_at.empty()) std::abort();
    if (!finding.path.starts_with("f")) std::abort();
  }
  return 0;
}
