#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "policy/schema.h"

// A schema as it is written, in either syntax, before its names are resolved.

namespace holdfast::policy {

struct SourceAttribute;

struct SourceType {
  enum class Kind : std::uint8_t {
    kName,    // a common type, an entity type or a built-in one, in this order
    kCommon,  // a common or built-in type
    kEntity,  // an entity type
    kSet,     // of inner[0]
    kRecord,
  };
  Kind kind = Kind::kRecord;
  std::string name;
  std::vector<SourceType> inner;
  std::vector<SourceAttribute> attributes;
};

struct SourceAttribute {
  std::string name;
  bool required = true;
  SourceType type;
};

struct SourceEntity {
  std::string name;
  std::vector<std::string> parents;
  SourceType shape;
  std::optional<SourceType> tags;
  std::vector<std::string> ids;  // of an enumerated type
};

struct SourceAction {
  struct Reference {
    std::string type;  // empty: an action of the same namespace
    std::string id;
  };
  std::string id;
  std::vector<Reference> parents;
  std::vector<std::string> principals;
  std::vector<std::string> resources;
  SourceType context;
};

struct SourceNamespace {
  std::vector<SourceEntity> entities;
  std::vector<SourceAction> actions;
  std::vector<std::pair<std::string, SourceType>> common;
};

struct SchemaSource {
  std::map<std::string, SourceNamespace> namespaces;  // "" for what stands outside of all
};

// "Bool", "Entity" and the like, which no common type may be called.
bool is_reserved_type_name(std::string_view name);

base::Result<SchemaSource> read_schema(std::string_view text);
base::Result<SchemaSource> read_schema_json(std::string_view text);
base::Result<Schema> resolve_schema(const SchemaSource& source);

}  // namespace holdfast::policy
