#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "policy/schema_source.h"

namespace holdfast::policy {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;

Result<> check_object(const json& value, const std::string& where,
                      std::initializer_list<std::string_view> known) {
  if (!value.is_object())
    return fail(ErrorCode::kInvalidArgument, fmt::format("{} must be an object", where));
  for (const auto& [name, member] : value.items()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("{} has an unknown member {}", where, quote(name)));
    }
  }
  return {};
}

Result<std::string> text_at(const json& value, const std::string& where) {
  const auto* text = value.get_ptr<const std::string*>();
  if (text == nullptr) return fail(ErrorCode::kInvalidArgument, fmt::format("{} must be a text", where));
  return *text;
}

Result<std::string> type_name_at(const json& value, const std::string& where) {
  HF_TRY(std::string name, text_at(value, where));
  std::string_view path = name;
  if (path.starts_with("__cedar::")) path.remove_prefix(9);
  if (!is_type_name(path)) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{}: {} is not the name of a type", where, quote(name)));
  }
  return name;
}

Result<std::vector<std::string>> list_at(const json& object, const std::string& member,
                                         const std::string& where,
                                         Result<std::string> (*read)(const json&, const std::string&)) {
  std::vector<std::string> list;
  const auto at = object.find(member);
  if (at == object.end()) return list;
  if (!at->is_array())
    return fail(ErrorCode::kInvalidArgument, fmt::format("{}.{} must be a list", where, member));
  for (const json& element : *at) {
    HF_TRY(list.emplace_back(), read(element, where + "." + member));
  }
  return list;
}

// docs.cedarpolicy.com, "JSON schema grammar". Recursion is bounded by the depth that parse_json() allows.
class SchemaReader {
 public:
  Result<SchemaSource> read(const json& root) {
    if (!root.is_object())
      return fail(ErrorCode::kInvalidArgument, "a schema must be an object of namespaces");
    for (const auto& [name, contents] : root.items()) {
      if (!name.empty() && !is_type_name(name)) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("{} is not the name of a namespace", quote(name)));
      }
      HF_CHECK(read_namespace(contents, "namespace " + quote(name), source_.namespaces[name]));
    }
    return std::move(source_);
  }

 private:
  Result<> read_namespace(const json& value, const std::string& where, SourceNamespace& space) {
    HF_CHECK(check_object(value, where, {"entityTypes", "actions", "commonTypes", "annotations"}));
    for (const char* needed : {"entityTypes", "actions"}) {
      if (!value.contains(needed)) {
        return fail(ErrorCode::kInvalidArgument, fmt::format("{} needs the member \"{}\"", where, needed));
      }
    }
    HF_CHECK(for_each(value, "entityTypes", where, [&](const std::string& name, const json& type) {
      return read_entity(name, type, "entity type " + quote(name), space);
    }));
    HF_CHECK(for_each(value, "actions", where, [&](const std::string& name, const json& action) {
      return read_action(name, action, "action " + quote(name), space);
    }));
    if (!value.contains("commonTypes")) return {};
    return for_each(value, "commonTypes", where, [&](const std::string& name, const json& type) -> Result<> {
      if (!is_identifier(name) || is_reserved_type_name(name)) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("{} can't be the name of a common type", quote(name)));
      }
      HF_TRY(SourceType read, read_type(type, "common type " + quote(name), {}));
      space.common.emplace_back(name, std::move(read));
      return {};
    });
  }

  template <typename Visit>
  static Result<> for_each(const json& object, const char* member, const std::string& where, Visit visit) {
    const json& list = *object.find(member);
    if (!list.is_object())
      return fail(ErrorCode::kInvalidArgument, fmt::format("{}.{} must be an object", where, member));
    for (const auto& [name, value] : list.items()) HF_CHECK(visit(name, value));
    return {};
  }

  static Result<> read_entity(const std::string& name, const json& value, const std::string& where,
                              SourceNamespace& space) {
    if (!is_identifier(name)) return fail(ErrorCode::kInvalidArgument, where + " must be an identifier");
    SourceEntity entity;
    entity.name = name;
    if (value.is_object() && value.contains("enum")) {
      HF_CHECK(check_object(value, where, {"enum", "annotations"}));
      HF_TRY(entity.ids, list_at(value, "enum", where, text_at));
      if (entity.ids.empty())
        return fail(ErrorCode::kInvalidArgument, where + ".enum must list an id at least");
    } else {
      HF_CHECK(check_object(value, where, {"memberOfTypes", "shape", "tags", "annotations"}));
      HF_TRY(entity.parents, list_at(value, "memberOfTypes", where, type_name_at));
      if (value.contains("shape")) {
        HF_TRY(entity.shape, read_type(*value.find("shape"), where + ".shape", {}));
      }
      if (value.contains("tags")) {
        HF_TRY(entity.tags, read_type(*value.find("tags"), where + ".tags", {}));
      }
    }
    space.entities.push_back(std::move(entity));
    return {};
  }

  static Result<> read_action(const std::string& id, const json& value, const std::string& where,
                              SourceNamespace& space) {
    HF_CHECK(check_object(value, where, {"memberOf", "appliesTo", "annotations"}));
    SourceAction action;
    action.id = id;
    if (const auto at = value.find("memberOf"); at != value.end() && !at->is_null()) {
      if (!at->is_array()) return fail(ErrorCode::kInvalidArgument, where + ".memberOf must be a list");
      for (const json& parent : *at) {
        HF_CHECK(check_object(parent, where + ".memberOf", {"id", "type"}));
        if (!parent.contains("id")) return fail(ErrorCode::kInvalidArgument, where + ".memberOf needs ids");
        auto& reference = action.parents.emplace_back();
        HF_TRY(reference.id, text_at(*parent.find("id"), where + ".memberOf"));
        if (parent.contains("type")) {
          HF_TRY(reference.type, type_name_at(*parent.find("type"), where + ".memberOf"));
        }
      }
    }
    if (const auto at = value.find("appliesTo"); at != value.end() && !at->is_null()) {
      const std::string within = where + ".appliesTo";
      HF_CHECK(check_object(*at, within, {"principalTypes", "resourceTypes", "context"}));
      HF_TRY(action.principals, list_at(*at, "principalTypes", within, type_name_at));
      HF_TRY(action.resources, list_at(*at, "resourceTypes", within, type_name_at));
      if (at->contains("context")) {
        HF_TRY(action.context, read_type(*at->find("context"), within + ".context", {}));
      }
    }
    space.actions.push_back(std::move(action));
    return {};
  }

  // `extra`: a member that is allowed beside those of the type.
  static Result<SourceType> read_type(const json& value, const std::string& where, std::string_view extra) {
    if (!value.is_object() || !value.contains("type")) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("{} must be an object with the member \"type\"", where));
    }
    HF_TRY(const std::string kind, text_at(*value.find("type"), where + ".type"));
    SourceType type;
    if (kind == "Record") {
      HF_CHECK(
          check_object(value, where, {"type", "attributes", "additionalAttributes", "annotations", extra}));
      HF_CHECK(read_record(value, where, type));
    } else if (kind == "Set") {
      HF_CHECK(check_object(value, where, {"type", "element", "annotations", extra}));
      if (!value.contains("element"))
        return fail(ErrorCode::kInvalidArgument, where + " needs the member \"element\"");
      type.kind = SourceType::Kind::kSet;
      HF_TRY(type.inner.emplace_back(), read_type(*value.find("element"), where + ".element", {}));
    } else if (kind == "Entity" || kind == "Extension" || kind == "EntityOrCommon") {
      HF_CHECK(check_object(value, where, {"type", "name", "annotations", extra}));
      if (!value.contains("name"))
        return fail(ErrorCode::kInvalidArgument, where + " needs the member \"name\"");
      HF_TRY(type.name, type_name_at(*value.find("name"), where + ".name"));
      type.kind = kind == "Entity"      ? SourceType::Kind::kEntity
                  : kind == "Extension" ? SourceType::Kind::kCommon
                                        : SourceType::Kind::kName;
      if (kind == "Extension") type.name = "__cedar::" + type.name;
    } else {
      HF_CHECK(check_object(value, where, {"type", "annotations", extra}));
      type.kind = SourceType::Kind::kCommon;
      HF_TRY(type.name, type_name_at(*value.find("type"), where + ".type"));
      if (kind == "Boolean") type.name = "__cedar::Bool";
      if (kind == "Long" || kind == "String") type.name = "__cedar::" + kind;
    }
    return type;
  }

  static Result<> read_record(const json& value, const std::string& where, SourceType& type) {
    const auto open = value.find("additionalAttributes");
    if (open != value.end() && *open != json(false)) {
      return fail(ErrorCode::kUnsupported, where +
                                               ": attributes beyond those declared are not supported; leave "
                                               "\"additionalAttributes\" out");
    }
    if (!value.contains("attributes"))
      return fail(ErrorCode::kInvalidArgument, where + " needs the member \"attributes\"");
    return for_each(
        value, "attributes", where, [&](const std::string& name, const json& attribute) -> Result<> {
          SourceAttribute read;
          read.name = name;
          HF_TRY(read.type, read_type(attribute, where + "." + name, "required"));
          if (const auto at = attribute.find("required"); at != attribute.end()) {
            if (!at->is_boolean())
              return fail(ErrorCode::kInvalidArgument, where + "." + name + ".required must be a boolean");
            read.required = at->template get<bool>();
          }
          type.attributes.push_back(std::move(read));
          return {};
        });
  }

  SchemaSource source_;
};

}  // namespace

Result<SchemaSource> read_schema_json(std::string_view text) {
  HF_TRY(const json root, base::parse_json(text));
  return SchemaReader().read(root);
}

}  // namespace holdfast::policy
