#include <cstdlib>

#include "base/bytes.h"
#include "inspect/rule_set.h"

// What is accepted is about rules that there are.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto changes = holdfast::inspect::parse_rule_changes(holdfast::base::as_text({data, size}));
  if (!changes) return 0;
  for (const auto& [id, change] : *changes) {
    if (holdfast::inspect::find_rule(id) == nullptr) std::abort();
  }
  return 0;
}
