#pragma once

#include <string_view>

#include "base/result.h"
#include "policy/entity.h"
#include "policy/evaluator.h"
#include "policy/schema.h"

// Entities, contexts and requests from JSON (docs.cedarpolicy.com, "Entities and context syntax"). Sizes and
// nesting are bounded by base::JsonLimits. With a schema, the implicit forms are read too: {"type", "id"}
// where an entity is expected, and a plain text for an extension type. None of this validates: see Validator.

namespace holdfast::policy {

// A list of {"uid", "attrs", "parents", "tags"}. With a schema, its actions are added where they are not in
// the list.
base::Result<Entities> parse_entities(std::string_view json, const Schema* schema = nullptr);

// An object of attributes; with a schema, of the action's context.
base::Result<Record> parse_context(std::string_view json, const Schema* schema = nullptr,
                                   const EntityUid* action = nullptr);

// {"principal", "action", "resource", "context"}, each entity as {"type", "id"} or as text:
// "User::\"alice\"".
base::Result<Request> parse_request(std::string_view json, const Schema* schema = nullptr);

// Cedar text: User::"alice".
base::Result<EntityUid> parse_entity_uid(std::string_view text);

}  // namespace holdfast::policy
