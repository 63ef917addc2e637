#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "base/bytes.h"
#include "monitor/drift.h"
#include "monitor/estimate.h"

// A reference that is accepted is written in one form, which reads back as the same, and a window can be held
// against it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  using namespace holdfast::monitor;
  auto parsed = parse_reference(holdfast::base::as_text({input, size}));
  if (!parsed) return 0;
  const auto again = parse_reference(to_json(*parsed));
  if (!again || !(*again == *parsed)) std::abort();
  const auto reference = std::make_shared<const Reference>(*std::move(parsed));
  Window window(reference);
  for (const double value : {-1.0, 0.0, 0.5, 7.0}) {
    window.add_row(std::vector<Cell>(reference->columns().size(), Cell(value)));
    window.add_score(value);
  }
  const auto read = parse_window(reference, to_json(window));
  if (!read || !read->same_as(window)) std::abort();
  if (!measure_drift(window, {.minimum_rows = 1})) std::abort();
  const auto estimate = estimate_performance(window, {.minimum_rows = 1});
  if (estimate.has_value() != reference->calibration().has_value()) std::abort();
  return 0;
}
