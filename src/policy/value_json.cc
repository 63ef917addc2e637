#include "policy/value_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "policy/extensions.h"

namespace holdfast::policy {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;

tl::unexpected<base::Error> wrong(std::string message) {
  return fail(ErrorCode::kInvalidArgument, std::move(message));
}

const std::string* text_member(const json& object, const char* name) {
  const auto at = object.find(name);
  return at == object.end() ? nullptr : at->get_ptr<const std::string*>();
}

// {"type": ..., "id": ...}, or nothing for any other object.
Result<std::optional<EntityUid>> read_type_and_id(const json& value) {
  if (!value.is_object()) return std::optional<EntityUid>();
  const std::string* type = text_member(value, "type");
  const std::string* id = text_member(value, "id");
  if (type == nullptr || id == nullptr) return std::optional<EntityUid>();
  if (!is_type_name(*type)) return wrong(fmt::format("{} is not the name of an entity type", quote(*type)));
  return std::optional(EntityUid(*type, *id));
}

// The only member of an object, when it has that name.
const json* escape(const json& value, const char* name) {
  if (!value.is_object() || value.size() != 1) return nullptr;
  const auto at = value.find(name);
  return at == value.end() ? nullptr : &*at;
}

// {"fn": ..., "arg": ...} or {"fn": ..., "args": [...]}.
Result<Value> read_call(const json& value) {
  const std::string* name = text_member(value, "fn");
  if (name == nullptr) return wrong("__extn needs the member \"fn\"");
  auto function = find_extension_function(*name, /*method=*/false);
  if (!function) function = find_extension_function(*name, /*method=*/true);
  if (!function) return wrong(fmt::format("there is no function {}", quote(*name)));
  std::vector<Value> arguments;
  if (const auto at = value.find("arg"); at != value.end()) {
    HF_TRY(arguments.emplace_back(Value::boolean(false)), read_value(*at, nullptr));
  } else if (const auto list = value.find("args"); list != value.end() && list->is_array()) {
    for (const json& argument : *list) {
      HF_TRY(arguments.emplace_back(Value::boolean(false)), read_value(argument, nullptr));
    }
  } else {
    return wrong("__extn needs the member \"arg\" or the list \"args\"");
  }
  std::vector<const Value*> pointers;
  for (const Value& argument : arguments) pointers.push_back(&argument);
  return call_extension(*function, pointers);
}

std::optional<ExtensionFunction> constructor_of(Type::Kind kind) {
  switch (kind) {
    case Type::Kind::kDecimal:
      return ExtensionFunction::kDecimal;
    case Type::Kind::kIpAddress:
      return ExtensionFunction::kIp;
    case Type::Kind::kDatetime:
      return ExtensionFunction::kDatetime;
    case Type::Kind::kDuration:
      return ExtensionFunction::kDuration;
    default:
      return std::nullopt;
  }
}

Result<Value> read_integer(const json& value) {
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > kMost) {
    return wrong("a number does not fit into 64 bits");
  }
  return Value::integer(value.get<std::int64_t>());
}

Result<Value> read_object(const json& value, const Type* expected) {
  if (const json* escaped = escape(value, "__entity")) {
    HF_TRY(std::optional<EntityUid> uid, read_type_and_id(*escaped));
    if (uid) return Value(*std::move(uid));
  }
  if (const json* escaped = escape(value, "__extn"); escaped != nullptr && escaped->is_object()) {
    return read_call(*escaped);
  }
  if (escape(value, "__expr") != nullptr)
    return wrong("__expr is no longer part of Cedar; write __entity or __extn");
  if (expected != nullptr && expected->kind == Type::Kind::kEntity) {
    HF_TRY(std::optional<EntityUid> uid, read_type_and_id(value));
    if (uid) return Value(*std::move(uid));
  }
  if (expected != nullptr && constructor_of(expected->kind) && value.contains("fn")) return read_call(value);
  const bool record = expected != nullptr && expected->kind == Type::Kind::kRecord;
  HF_TRY(Record fields, read_record(value, record ? &expected->attributes : nullptr));
  return Value(std::move(fields));
}

}  // namespace

Result<EntityUid> read_uid(const json& value) {
  const json* escaped = escape(value, "__entity");
  HF_TRY(std::optional<EntityUid> uid, read_type_and_id(escaped == nullptr ? value : *escaped));
  if (!uid) return wrong("an entity is written {\"type\": \"User\", \"id\": \"alice\"}");
  return *std::move(uid);
}

Result<Record> read_record(const json& value, const Attributes* expected) {
  std::vector<Field> fields;
  fields.reserve(value.size());
  for (const auto& [name, member] : value.items()) {
    const Type* type = nullptr;
    if (expected != nullptr) {
      const auto at = expected->find(name);
      if (at != expected->end()) type = at->second.type.get();
    }
    auto read = read_value(member, type);
    if (!read) return fail(std::move(read).error().within("attribute " + quote(name)));
    fields.push_back({name, *std::move(read)});
  }
  return Record(std::move(fields));
}

Result<Value> read_value(const json& value, const Type* expected) {
  switch (value.type()) {
    case json::value_t::boolean:
      return Value::boolean(value.get<bool>());
    case json::value_t::number_integer:
    case json::value_t::number_unsigned:
      return read_integer(value);
    case json::value_t::number_float:
      return wrong(
          "Cedar has whole numbers alone; use a decimal: {\"__extn\": {\"fn\": "
          "\"decimal\", \"arg\": \"0.5\"}}");
    case json::value_t::string: {
      Value text = Value::text(*value.get_ptr<const std::string*>());
      const auto constructor = expected == nullptr ? std::nullopt : constructor_of(expected->kind);
      if (!constructor) return text;
      const Value* argument = &text;
      return call_extension(*constructor, std::span(&argument, 1));
    }
    case json::value_t::array: {
      const bool set = expected != nullptr && expected->kind == Type::Kind::kSet;
      std::vector<Value> elements;
      elements.reserve(value.size());
      for (const json& element : value) {
        HF_TRY(elements.emplace_back(Value::boolean(false)),
               read_value(element, set ? expected->element.get() : nullptr));
      }
      return Value::set(std::move(elements));
    }
    case json::value_t::object:
      return read_object(value, expected);
    default:
      return wrong("Cedar has no null; leave the attribute out");
  }
}

Result<> check_members(const json& value, std::string_view what,
                       std::initializer_list<std::string_view> known,
                       std::initializer_list<std::string_view> needed) {
  if (!value.is_object()) return wrong(fmt::format("{} must be an object", what));
  for (const auto& [name, member] : value.items()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return wrong(fmt::format("{} has an unknown member {}", what, quote(name)));
    }
  }
  for (const auto name : needed) {
    if (!value.contains(std::string(name)))
      return wrong(fmt::format("{} needs the member \"{}\"", what, name));
  }
  return {};
}

}  // namespace holdfast::policy
