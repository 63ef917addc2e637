#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "policy/value.h"

namespace holdfast::policy {

// What is known of one entity. `parents` need not be in the store themselves.
struct Entity {
  EntityUid uid;
  Record attributes = {};
  Record tags = {};
  std::vector<EntityUid> parents = {};
};

struct EntityLimits {
  std::size_t max_entities = 1'000'000;
  std::size_t max_ancestor_links = 4'000'000;  // looked at over all entities together
};

// An entity with all its ancestors, borrowed from the store; the entity itself need not be in it.
class Lineage {
 public:
  Lineage(const EntityUid& uid, const std::vector<EntityUid>& ancestors) : uid_(uid), ancestors_(ancestors) {}

  // `in`: the same entity, or one of its ancestors.
  [[nodiscard]] bool is_in(const EntityUid& ancestor) const;
  [[nodiscard]] const EntityUid& uid() const { return uid_; }
  [[nodiscard]] const std::vector<EntityUid>& ancestors() const { return ancestors_; }  // sorted by hash

 private:
  const EntityUid& uid_;
  const std::vector<EntityUid>& ancestors_;
};

// Entities with all their ancestors, which are found once, when the store is made. Immutable; safe to read
// from any thread.
class Entities {
 public:
  Entities() = default;
  // kInvalidArgument when an entity is there twice or is its own ancestor; kLimitExceeded over the bounds
  // above.
  static base::Result<Entities> make(std::vector<Entity> entities, const EntityLimits& limits = {});

  [[nodiscard]] const Entity* find(const EntityUid& uid) const;  // null when it is not known
  // `in`: the same entity, known or not, or one of its descendants.
  [[nodiscard]] bool is_in(const EntityUid& uid, const EntityUid& ancestor) const {
    return lineage(uid).is_in(ancestor);
  }
  // `uid` and this store outlive what it gives.
  [[nodiscard]] Lineage lineage(const EntityUid& uid) const { return {uid, ancestors(uid)}; }
  // In no particular order; none for an unknown entity.
  [[nodiscard]] const std::vector<EntityUid>& ancestors(const EntityUid& uid) const;
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  // Every entity, in order of their uids.
  [[nodiscard]] std::vector<const Entity*> all() const;

 private:
  struct Node {
    Entity entity;
    std::vector<EntityUid> ancestors;  // sorted by hash
  };
  base::Result<> find_ancestors(std::size_t max_links);
  base::Result<> gather_ancestors(Node& node, std::size_t& links_left);
  std::unordered_map<EntityUid, Node> nodes_;
};

}  // namespace holdfast::policy
