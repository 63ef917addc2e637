#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "base/bytes.h"
#include "monitor/drift.h"
#include "monitor/estimate.h"
#include "monitor/test_traffic.h"

// A window that is accepted is written in one form, which reads back as the same, and can be judged.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  using namespace holdfast::monitor;
  static const std::shared_ptr<const Reference> reference = reference_of(/*seed=*/5, /*rows=*/60);
  const auto window = parse_window(reference, holdfast::base::as_text({input, size}));
  if (!window) return 0;
  const auto again = parse_window(reference, to_json(*window));
  if (!again || !again->same_as(*window)) std::abort();
  if (!measure_drift(*window, {.minimum_rows = 1})) std::abort();
  if (!estimate_performance(*window, {.minimum_rows = 1})) std::abort();
  return 0;
}
