#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "base/bytes.h"
#include "policy/entity_json.h"
#include "policy/parser.h"
#include "policy/schema.h"
#include "policy/validator.h"

namespace holdfast::policy {
namespace {

void check(const base::Result<Schema>& schema) {
  static const PolicySet kPolicies = *parse_policies(
      "permit(principal, action, resource) when { principal has a && context.b == resource.c };"
      "forbid(principal is U, action in Action::\"x\", resource) unless { principal.hasTag(\"t\") };");
  if (!schema) return;
  const auto report = validate_policies(kPolicies, *schema);
  HF_ASSERT(report.warnings.size() <= kPolicies.policies().size());
  const auto entities = parse_entities("[]", &*schema);
  HF_ASSERT(entities && validate_entities(*entities, *schema));
}

}  // namespace
}  // namespace holdfast::policy

// Schemas in both forms, and what is done with them.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = holdfast::base::as_text({data, size});
  holdfast::policy::check(holdfast::policy::Schema::parse(text));
  holdfast::policy::check(holdfast::policy::Schema::parse_json(text));
  return 0;
}
