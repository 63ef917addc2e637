#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "policy/schema_source.h"

namespace holdfast::policy {

using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

constexpr std::string_view kBuiltIn = "__cedar::";

std::string qualified(const std::string& space, std::string_view name) {
  return space.empty() ? std::string(name) : fmt::format("{}::{}", space, name);
}

std::optional<Type::Kind> built_in(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, Type::Kind>, 7> kTypes{
      {{"Bool", Type::Kind::kBool},
       {"Long", Type::Kind::kLong},
       {"String", Type::Kind::kString},
       {"decimal", Type::Kind::kDecimal},
       {"ipaddr", Type::Kind::kIpAddress},
       {"datetime", Type::Kind::kDatetime},
       {"duration", Type::Kind::kDuration}}};
  if (name.starts_with(kBuiltIn)) name.remove_prefix(kBuiltIn.size());
  const auto at =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& type) { return type.first == name; });
  if (at == kTypes.end()) return std::nullopt;
  return at->second;
}

// The transitive closure of `parents` from one start; the start itself is in it only by way of a cycle.
template <typename Key, typename Set, typename ParentsOf>
Result<> close(const Key& start, Set& found, std::size_t& total, ParentsOf parents_of) {
  std::vector<Key> waiting{start};
  while (!waiting.empty()) {
    const Key next = std::move(waiting.back());
    waiting.pop_back();
    for (const Key& parent : parents_of(next)) {
      if (!found.insert(parent).second) continue;
      if (++total > Schema::kMaxAncestors) {
        return fail(ErrorCode::kLimitExceeded, "the schema's types have too many ancestors together");
      }
      waiting.push_back(parent);
    }
  }
  return {};
}

// A resolved type with what its bounds are counted in.
struct Measured {
  TypeRef type;
  int depth = 1;
  std::size_t size = 1;
};

}  // namespace

bool is_reserved_type_name(std::string_view name) {
  static constexpr std::array<std::string_view, 8> kReserved{"Bool", "Boolean", "Entity", "Extension",
                                                             "Long", "Record",  "Set",    "String"};
  return std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end();
}

class SchemaResolver {
 public:
  explicit SchemaResolver(const SchemaSource& source) : source_(source) {}

  Result<Schema> resolve() {
    HF_CHECK(declare());
    HF_CHECK(check_shadowing());
    for (const auto& [name, common] : common_) HF_CHECK(resolve_common(name));
    for (const auto& [space, contents] : source_.namespaces) {
      for (const SourceEntity& entity : contents.entities) {
        const std::string name = qualified(space, entity.name);
        if (auto done = resolve_entity(space, name, entity); !done) {
          return fail(std::move(done).error().within("entity type " + name));
        }
      }
      for (const SourceAction& action : contents.actions) {
        const EntityUid uid = uid_of(space, action);
        if (auto done = resolve_action(space, uid, action); !done) {
          return fail(std::move(done).error().within(uid.text()));
        }
      }
    }
    HF_CHECK(find_ancestors());
    return std::move(schema_);
  }

 private:
  struct Common {
    const std::string* space;
    const SourceType* source;
    bool open = false;  // being resolved: to meet it again is a cycle
    Measured resolved;
  };

  static EntityUid uid_of(const std::string& space, const SourceAction& action) {
    return {qualified(space, "Action"), action.id};
  }

  Result<> declare() {
    for (const auto& [space, contents] : source_.namespaces) {
      for (const SourceEntity& entity : contents.entities) {
        if (entity.name == "Action") {
          return fail(ErrorCode::kInvalidArgument,
                      "`Action` is the type of actions; call this entity type otherwise");
        }
        const std::string name = qualified(space, entity.name);
        if (!schema_.entity_types_.try_emplace(name).second) {
          return fail(ErrorCode::kInvalidArgument, fmt::format("the entity type {} is declared twice", name));
        }
      }
      for (const auto& [name, type] : contents.common) {
        if (!common_.try_emplace(qualified(space, name), Common{&space, &type, false, {}}).second) {
          return fail(ErrorCode::kInvalidArgument,
                      fmt::format("the common type {} is declared twice", qualified(space, name)));
        }
      }
      for (const SourceAction& action : contents.actions) {
        const EntityUid uid = uid_of(space, action);
        schema_.action_types_.insert(uid.type());
        if (!schema_.actions_.try_emplace(uid).second) {
          return fail(ErrorCode::kInvalidArgument, fmt::format("{} is declared twice", uid.text()));
        }
      }
    }
    return {};
  }

  // What stands outside of all namespaces can be named from within each, so none may declare the same (RFC 70
  // of cedar-policy/rfcs).
  Result<> check_shadowing() const {
    for (const auto& [space, contents] : source_.namespaces) {
      if (space.empty()) continue;
      const auto shadows = [&](const std::string& name) {
        return schema_.entity_types_.contains(name) || common_.contains(name);
      };
      const auto refuse = [](const std::string& inner, const std::string& outer) {
        return fail(
            ErrorCode::kInvalidArgument,
            fmt::format("{} hides {}, which stands outside of all namespaces; rename one", inner, outer));
      };
      for (const SourceEntity& entity : contents.entities) {
        if (shadows(entity.name)) return refuse(qualified(space, entity.name), entity.name);
      }
      for (const auto& [name, type] : contents.common) {
        if (shadows(name)) return refuse(qualified(space, name), name);
      }
      for (const SourceAction& action : contents.actions) {
        const EntityUid outer("Action", action.id);
        if (schema_.actions_.contains(outer)) return refuse(uid_of(space, action).text(), outer.text());
      }
    }
    return {};
  }

  [[nodiscard]] bool is_entity(const std::string& name) const {
    return schema_.entity_types_.contains(name) || schema_.action_types_.contains(name);
  }

  // What a name may mean from within a namespace, the nearest first.
  static std::vector<std::string> meanings(const std::string& space, const std::string& name) {
    if (space.empty() || name.find(':') != std::string::npos) return {name};
    return {qualified(space, name), name};
  }

  Result<std::string> resolve_entity_name(const std::string& space, const std::string& name) const {
    for (const std::string& meaning : meanings(space, name)) {
      if (is_entity(meaning)) return meaning;
    }
    return fail(ErrorCode::kInvalidArgument, fmt::format("there is no entity type {}", name));
  }

  Result<Measured> resolve_name(const std::string& space, const SourceType& source) {
    const bool may_be_common = source.kind != SourceType::Kind::kEntity;
    const bool may_be_entity = source.kind != SourceType::Kind::kCommon;
    for (const std::string& meaning : meanings(space, source.name)) {
      if (may_be_common && common_.contains(meaning)) return resolve_common(meaning);
      if (may_be_entity && is_entity(meaning)) return Measured{.type = entity_type(meaning)};
    }
    const auto kind = may_be_common ? built_in(source.name) : std::nullopt;
    if (!kind) return fail(ErrorCode::kInvalidArgument, fmt::format("there is no type {}", source.name));
    return Measured{.type = type_of(*kind)};
  }

  Result<Measured> resolve_common(const std::string& name) {
    Common& common = common_.at(name);
    if (common.resolved.type != nullptr) return common.resolved;
    if (common.open) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("the common type {} is made of itself", name));
    }
    common.open = true;
    HF_TRY(common.resolved, resolve_type(*common.space, *common.source));
    return common.resolved;
  }

  // Recursion is bounded: each step goes down one type, and resolve_type() counts them through common types
  // too.
  Result<Measured> resolve_type(const std::string& space, const SourceType& source) {
    if (depth_ == Schema::kMaxTypeDepth) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("types are nested deeper than {}", Schema::kMaxTypeDepth));
    }
    ++depth_;
    auto type = resolve_type_within(space, source);
    --depth_;
    if (type && (type->depth > Schema::kMaxTypeDepth || type->size > Schema::kMaxTypeSize)) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("a type has more than {} parts, or {} within each other", Schema::kMaxTypeSize,
                              Schema::kMaxTypeDepth));
    }
    return type;
  }

  Result<Measured> resolve_type_within(const std::string& space, const SourceType& source) {
    if (source.kind == SourceType::Kind::kSet) {
      HF_TRY(const Measured element, resolve_type(space, source.inner[0]));
      return Measured{set_type(element.type), element.depth + 1, element.size + 1};
    }
    if (source.kind != SourceType::Kind::kRecord) return resolve_name(space, source);
    Measured record;
    Attributes attributes;
    for (const SourceAttribute& attribute : source.attributes) {
      auto inner = resolve_type(space, attribute.type);
      if (!inner) return fail(std::move(inner).error().within("attribute " + quote(attribute.name)));
      record.depth = std::max(record.depth, inner->depth + 1);
      record.size += inner->size;
      attributes[attribute.name] = {inner->type, attribute.required};
    }
    record.type = record_type(std::move(attributes));
    return record;
  }

  Result<Attributes> resolve_record(const std::string& space, const SourceType& source,
                                    std::string_view what) {
    HF_TRY(const Measured measured, resolve_type(space, source));
    if (measured.type->kind != Type::Kind::kRecord) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("{} must be a record, not {}", what, to_string(*measured.type)));
    }
    return measured.type->attributes;
  }

  Result<> resolve_entity(const std::string& space, const std::string& name, const SourceEntity& source) {
    EntityType& entity = schema_.entity_types_[name];
    entity.ids.insert(source.ids.begin(), source.ids.end());
    HF_TRY(entity.attributes, resolve_record(space, source.shape, "its shape"));
    if (source.tags) {
      HF_TRY(const Measured tags, resolve_type(space, *source.tags));
      entity.tags = tags.type;
    }
    for (const std::string& parent : source.parents) {
      HF_TRY(std::string resolved, resolve_entity_name(space, parent));
      parents_[name].push_back(std::move(resolved));
    }
    return {};
  }

  Result<> resolve_action(const std::string& space, const EntityUid& uid, const SourceAction& source) {
    ActionType& action = schema_.actions_[uid];
    HF_TRY(action.context, resolve_record(space, source.context, "its context"));
    for (const std::string& name : source.principals) {
      HF_TRY(std::string resolved, resolve_entity_name(space, name));
      action.principals.insert(std::move(resolved));
    }
    for (const std::string& name : source.resources) {
      HF_TRY(std::string resolved, resolve_entity_name(space, name));
      action.resources.insert(std::move(resolved));
    }
    for (const SourceAction::Reference& parent : source.parents) {
      HF_TRY(EntityUid resolved, resolve_action_name(space, parent));
      action.parents.insert(std::move(resolved));
    }
    return {};
  }

  Result<EntityUid> resolve_action_name(const std::string& space,
                                        const SourceAction::Reference& reference) const {
    for (const std::string& type : meanings(space, reference.type.empty() ? "Action" : reference.type)) {
      EntityUid uid(type, reference.id);
      if (schema_.actions_.contains(uid)) return uid;
    }
    return fail(ErrorCode::kInvalidArgument, fmt::format("there is no action {}", quote(reference.id)));
  }

  Result<> find_ancestors() {
    std::size_t total = 0;
    for (auto& [name, type] : schema_.entity_types_) {
      HF_CHECK(
          close(name, type.ancestors, total,
                [this](const std::string& of) -> const std::vector<std::string>& { return parents_[of]; }));
    }
    for (auto& [uid, action] : schema_.actions_) {
      HF_CHECK(close(uid, action.ancestors, total, [this](const EntityUid& of) -> const std::set<EntityUid>& {
        return schema_.actions_.at(of).parents;
      }));
      if (action.ancestors.contains(uid)) {
        return fail(ErrorCode::kInvalidArgument, fmt::format("{} is its own ancestor", uid.text()));
      }
    }
    return {};
  }

  const SchemaSource& source_;
  Schema schema_;
  std::map<std::string, Common> common_;
  std::map<std::string, std::vector<std::string>> parents_;  // of entity types
  int depth_ = 0;
};

Result<Schema> resolve_schema(const SchemaSource& source) { return SchemaResolver(source).resolve(); }

Result<Schema> Schema::parse(std::string_view text) {
  HF_TRY(const SchemaSource source, read_schema(text));
  return resolve_schema(source);
}

Result<Schema> Schema::parse_json(std::string_view text) {
  HF_TRY(const SchemaSource source, read_schema_json(text));
  return resolve_schema(source);
}

}  // namespace holdfast::policy
