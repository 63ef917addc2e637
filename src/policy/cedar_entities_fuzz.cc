#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "base/bytes.h"
#include "policy/entity_json.h"
#include "policy/validator.h"

namespace holdfast::policy {
namespace {

void check(std::string_view text) {
  static const Schema kSchema = *Schema::parse(
      "entity G; entity U in [G] { a?: Long, b?: { c?: Set<ipaddr> }, d?: decimal, e?: U } tags duration;"
      "action x appliesTo { principal: U, resource: U, context: { t?: datetime } };");
  for (const Schema* schema : {static_cast<const Schema*>(nullptr), &kSchema}) {
    if (const auto entities = parse_entities(text, schema)) {
      for (const Entity* entity : entities->all()) {
        // No entity is above itself.
        for (const EntityUid& parent : entity->parents) HF_ASSERT(!entities->is_in(parent, entity->uid));
      }
      if (!validate_entities(*entities, kSchema)) continue;
      HF_ASSERT(entities->find(EntityUid("Action", "x")) != nullptr);
    }
    if (const auto request = parse_request(text, schema)) HF_ASSERT(!request->principal().type().empty());
  }
}

}  // namespace
}  // namespace holdfast::policy

// Entities and requests as JSON, with and without a schema.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  holdfast::policy::check(holdfast::base::as_text({data, size}));
  return 0;
}
