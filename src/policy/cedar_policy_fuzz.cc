#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/bytes.h"
#include "policy/authorizer.h"
#include "policy/explain.h"
#include "policy/parser.h"
#include "policy/schema.h"
#include "policy/validator.h"

namespace holdfast::policy {
namespace {

void check(std::string_view text) {
  const auto policies = parse_policies(text);
  if (!policies) return;
  static const Schema kSchema = *Schema::parse(
      "entity G; entity U in [G] { a?: Long, b: { c?: Set<String> }, d: decimal } tags Long;"
      "action x appliesTo { principal: U, resource: [U, G], context: { n: Long, t?: datetime } };");
  static const Entities kStore = *Entities::make(
      {{.uid = EntityUid("U", "u"),
        .attributes = Record({{"a", Value::integer(1)}, {"b", Value(Record())}, {"d", Value(Decimal{5})}}),
        .parents = {EntityUid("G", "g")}}});
  std::string printed;
  for (const Policy& policy : policies->policies()) printed += policy.text();
  const auto again = parse_policies(printed);
  // The parentheses that printing adds may be one level too many.
  HF_ASSERT(again || again.error().message.find("nested deeper") != std::string::npos);
  if (!again) return;
  std::string twice;
  for (const Policy& policy : again->policies()) twice += policy.text();
  HF_ASSERT(printed == twice);

  const bool valid = validate_policies(*policies, kSchema).errors.empty();
  const Request request(EntityUid("U", "u"), EntityUid("Action", "x"), EntityUid("U", "u"),
                        Record({{"n", Value::integer(3)}}));
  const Authorizer authorizer(*policies);
  const Decision decision = authorizer.decide(request, kStore);
  const Decision same = Authorizer(*again).decide(request, kStore);
  HF_ASSERT(decision.verdict == same.verdict && decision.errors.size() == same.errors.size());
  for (const PolicyError& error : decision.errors) {
    // All that is left to go wrong in a valid policy.
    HF_ASSERT(!valid || error.message.find("overflow") != std::string::npos ||
              error.message.find("nothing is known") != std::string::npos);
  }
  HF_ASSERT(explain(authorizer, request, kStore, decision).errors.size() <= decision.errors.size());
}

}  // namespace
}  // namespace holdfast::policy

// Policy text: parsed, printed and parsed again, validated, evaluated and explained.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  holdfast::policy::check(holdfast::base::as_text({data, size}));
  return 0;
}
