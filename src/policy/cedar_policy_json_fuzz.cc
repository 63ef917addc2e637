#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/bytes.h"
#include "policy/parser.h"

// Policies as JSON; what they print is Cedar text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto policies = holdfast::policy::parse_policies_json(holdfast::base::as_text({data, size}));
  if (!policies) return 0;
  for (const auto& policy : policies->policies()) {
    const auto again = holdfast::policy::parse_policies(policy.text());
    // JSON may nest deeper than text, and name an annotation as text can't.
    if (again) HF_ASSERT(again->policies().size() == 1 && again->policies()[0].text() == policy.text());
  }
  return 0;
}
