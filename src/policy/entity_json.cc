#include "policy/entity_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "policy/expression_parser.h"

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

Result<EntityUid> read_uid(const json& value) {
  const json* escaped = escape(value, "__entity");
  HF_TRY(std::optional<EntityUid> uid, read_type_and_id(escaped == nullptr ? value : *escaped));
  if (!uid) return wrong("an entity is written {\"type\": \"User\", \"id\": \"alice\"}");
  return *std::move(uid);
}

Result<Value> read_value(const json& value, const Type* expected);

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

// Recursion is bounded by the depth that parse_json() allows.
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

Result<Entity> read_entity(const json& value, const Schema* schema) {
  HF_CHECK(
      check_members(value, "an entity", {"uid", "attrs", "parents", "tags"}, {"uid", "attrs", "parents"}));
  auto uid = read_uid(*value.find("uid"));
  if (!uid) return fail(std::move(uid).error().within("uid"));
  Entity entity{.uid = *std::move(uid)};
  const std::string where = entity.uid.text();
  const EntityType* type = schema == nullptr ? nullptr : schema->find_entity_type(entity.uid.type());

  const json& attributes = *value.find("attrs");
  if (!attributes.is_object()) return wrong(where + ": attrs must be an object");
  auto read = read_record(attributes, type == nullptr ? nullptr : &type->attributes);
  if (!read) return fail(std::move(read).error().within(where));
  entity.attributes = *std::move(read);

  if (const auto tags = value.find("tags"); tags != value.end()) {
    if (!tags->is_object()) return wrong(where + ": tags must be an object");
    std::vector<Field> fields;
    for (const auto& [name, tag] : tags->items()) {
      auto tag_value = read_value(tag, type == nullptr ? nullptr : type->tags.get());
      if (!tag_value) return fail(std::move(tag_value).error().within(where + ", tag " + quote(name)));
      fields.push_back({name, *std::move(tag_value)});
    }
    entity.tags = Record(std::move(fields));
  }

  const json& parents = *value.find("parents");
  if (!parents.is_array()) return wrong(where + ": parents must be a list");
  for (const json& parent : parents) {
    auto parent_uid = read_uid(parent);
    if (!parent_uid) return fail(std::move(parent_uid).error().within(where + ", parents"));
    entity.parents.push_back(*std::move(parent_uid));
  }
  return entity;
}

Result<EntityUid> read_request_uid(const json& request, const char* member) {
  const json& value = *request.find(member);
  const auto* text = value.get_ptr<const std::string*>();
  auto uid = text == nullptr ? read_uid(value) : parse_entity_uid(*text);
  if (!uid) return fail(std::move(uid).error().within(member));
  return uid;
}

Result<Record> read_context(const json& value, const Schema* schema, const EntityUid* action) {
  if (!value.is_object()) return wrong("the context must be an object");
  const ActionType* type = schema == nullptr || action == nullptr ? nullptr : schema->find_action(*action);
  return read_record(value, type == nullptr ? nullptr : &type->context);
}

}  // namespace

Result<Entities> parse_entities(std::string_view text, const Schema* schema) {
  HF_TRY(const json root, base::parse_json(text));
  if (!root.is_array()) return wrong("entities must be a list");
  std::vector<Entity> entities;
  entities.reserve(root.size());
  std::set<EntityUid> seen;
  for (const json& value : root) {
    HF_TRY(Entity entity, read_entity(value, schema));
    seen.insert(entity.uid);
    entities.push_back(std::move(entity));
  }
  if (schema != nullptr) {
    for (const auto& [uid, action] : schema->actions()) {
      if (seen.contains(uid)) continue;
      entities.push_back({.uid = uid, .parents = {action.parents.begin(), action.parents.end()}});
    }
  }
  return Entities::make(std::move(entities));
}

Result<Record> parse_context(std::string_view text, const Schema* schema, const EntityUid* action) {
  HF_TRY(const json root, base::parse_json(text));
  return read_context(root, schema, action);
}

Result<Request> parse_request(std::string_view text, const Schema* schema) {
  HF_TRY(const json root, base::parse_json(text));
  HF_CHECK(check_members(root, "a request", {"principal", "action", "resource", "context"},
                         {"principal", "action", "resource"}));
  HF_TRY(EntityUid principal, read_request_uid(root, "principal"));
  HF_TRY(EntityUid action, read_request_uid(root, "action"));
  HF_TRY(EntityUid resource, read_request_uid(root, "resource"));
  Record context;
  if (const auto at = root.find("context"); at != root.end()) {
    auto read = read_context(*at, schema, &action);
    if (!read) return fail(std::move(read).error().within("context"));
    context = *std::move(read);
  }
  return Request(std::move(principal), std::move(action), std::move(resource), std::move(context));
}

Result<EntityUid> parse_entity_uid(std::string_view text) {
  HF_TRY(Lexer lexer, Lexer::open(text));
  HF_TRY(EntityUid uid, parse_entity_uid(lexer, "an entity such as User::\"alice\""));
  if (lexer.token().kind != Token::Kind::kEnd) return lexer.unexpected("the end of the text");
  return uid;
}

}  // namespace holdfast::policy
