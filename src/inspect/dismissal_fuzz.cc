#include <cstdlib>

#include "base/bytes.h"
#include "inspect/dismissal.h"

// What is set aside has a reason and a reviewer, and is written as it was read.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto dismissals = holdfast::inspect::parse_dismissals(holdfast::base::as_text({data, size}));
  if (!dismissals) return 0;
  for (const auto& dismissal : *dismissals) {
    if (dismissal.reason.empty() || dismissal.reviewer.empty()) std::abort();
  }
  const auto again = holdfast::inspect::parse_dismissals(holdfast::inspect::to_json(*dismissals));
  if (!again || again->size() != dismissals->size()) std::abort();
  return 0;
}
