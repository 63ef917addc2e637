#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policy/entity.h"
#include "policy/extensions.h"
#include "policy/value.h"

// What entities, actions and contexts look like (docs.cedarpolicy.com, "Schema"). Immutable; safe to read
// from any thread.

namespace holdfast::policy {

struct Type;
using TypeRef = std::shared_ptr<const Type>;

struct AttributeType {
  TypeRef type;
  bool required = true;
};
using Attributes = std::map<std::string, AttributeType, std::less<>>;

struct Type {
  enum class Kind : std::uint8_t {
    kTrue,   // the Bool that is always true; only expressions have it, never a schema
    kFalse,  // likewise
    kBool,
    kLong,
    kString,
    kDecimal,
    kIpAddress,
    kDatetime,
    kDuration,
    kEntity,
    kSet,
    kRecord,
  };
  Kind kind;
  std::string entity = {};     // kEntity: its type
  TypeRef element = nullptr;   // kSet
  Attributes attributes = {};  // kRecord
};

TypeRef type_of(Type::Kind kind);  // of those without parts
TypeRef type_of(ExtensionOperand operand);
TypeRef entity_type(std::string name);
TypeRef set_type(TypeRef element);
TypeRef record_type(Attributes attributes);
[[nodiscard]] bool is_bool(const Type& type);
// As a schema writes it: Set<{name: String, age?: Long}>. Cut after 200 bytes.
std::string to_string(const Type& type);
// Equal in every part.
bool same_type(const Type& a, const Type& b);

struct EntityType {
  std::set<std::string, std::less<>>
      ancestors;  // all types that an entity of this one may be in, at any distance
  Attributes attributes;
  TypeRef tags;               // null where it has none
  std::set<std::string> ids;  // of an enumerated type: the only ids it has
};

struct ActionType {
  std::set<std::string, std::less<>> principals;  // entity types
  std::set<std::string, std::less<>> resources;
  Attributes context;
  std::set<EntityUid> parents;
  std::set<EntityUid> ancestors;
};

struct SchemaSource;

class Schema {
 public:
  static constexpr int kMaxTypeDepth = 100;                // sets and records within each other
  static constexpr std::size_t kMaxTypeSize = 100'000;     // parts of one type, written out in full
  static constexpr std::size_t kMaxAncestors = 1'000'000;  // over all types together

  // Cedar's schema syntax; kInvalidArgument says where ("3:14: ...") or in which declaration.
  static base::Result<Schema> parse(std::string_view text);
  // Its JSON form.
  static base::Result<Schema> parse_json(std::string_view text);

  [[nodiscard]] const EntityType* find_entity_type(std::string_view name) const;  // null when there is none
  [[nodiscard]] const ActionType* find_action(const EntityUid& uid) const;        // null when there is none
  [[nodiscard]] bool is_action_type(std::string_view name) const;
  [[nodiscard]] const std::map<std::string, EntityType, std::less<>>& entity_types() const {
    return entity_types_;
  }
  [[nodiscard]] const std::map<EntityUid, ActionType>& actions() const { return actions_; }

  // Whether an entity of this name may be: its type is known, and its id too where the type or the action
  // lists them.
  [[nodiscard]] bool may_exist(const EntityUid& uid) const;
  // Whether entities of the first type may be `in` ones of the second.
  [[nodiscard]] bool may_be_in(std::string_view type, std::string_view ancestor) const;
  // Whether the value is of the type, with every entity in it one that may be.
  [[nodiscard]] bool is_instance(const Value& value, const Type& type) const;

 private:
  friend class SchemaResolver;
  std::map<std::string, EntityType, std::less<>> entity_types_;
  std::map<EntityUid, ActionType> actions_;
  std::set<std::string, std::less<>> action_types_;
};

}  // namespace holdfast::policy
