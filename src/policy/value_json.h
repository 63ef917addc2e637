#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "policy/schema.h"
#include "policy/value.h"

// Cedar values from JSON that base::parse_json() read, whose bound on depth bounds the recursion here.
// `expected` is the type in a schema, or null; it decides whether the implicit forms are read (see
// entity_json.h).

namespace holdfast::policy {

base::Result<Value> read_value(const nlohmann::json& value, const Type* expected);
base::Result<Record> read_record(const nlohmann::json& object, const Attributes* expected);
// {"type", "id"}, or that within {"__entity": ...}.
base::Result<EntityUid> read_uid(const nlohmann::json& value);

// That `value` is an object with no members but the known ones, and with all that are needed.
base::Result<> check_members(const nlohmann::json& value, std::string_view what,
                             std::initializer_list<std::string_view> known,
                             std::initializer_list<std::string_view> needed);

}  // namespace holdfast::policy
