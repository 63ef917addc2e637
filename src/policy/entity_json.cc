#include "policy/entity_json.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "policy/expression_parser.h"
#include "policy/value_json.h"

namespace holdfast::policy {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;

tl::unexpected<base::Error> wrong(std::string message) {
  return fail(ErrorCode::kInvalidArgument, std::move(message));
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
