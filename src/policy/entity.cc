#include "policy/entity.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace holdfast::policy {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;

bool by_hash(const EntityUid& a, const EntityUid& b) {
  return a.hash() != b.hash() ? a.hash() < b.hash() : a < b;
}

}  // namespace

bool Lineage::is_in(const EntityUid& ancestor) const {
  return uid_ == ancestor || std::binary_search(ancestors_.begin(), ancestors_.end(), ancestor, by_hash);
}

Result<Entities> Entities::make(std::vector<Entity> entities, const EntityLimits& limits) {
  if (entities.size() > limits.max_entities) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("{} entities are over the limit of {}", entities.size(), limits.max_entities));
  }
  Entities store;
  store.nodes_.reserve(entities.size());
  for (Entity& entity : entities) {
    const EntityUid uid = entity.uid;
    if (!store.nodes_.try_emplace(uid, Node{std::move(entity), {}}).second) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("the entity {} is there twice", uid.text()));
    }
  }
  HF_CHECK(store.find_ancestors(limits.max_ancestor_links));
  return store;
}

// Parents before children: an entity is done once all its known parents are (Kahn's algorithm), so that its
// ancestors are its parents and theirs. Whatever is never done lies on a cycle or below one.
Result<> Entities::find_ancestors(std::size_t max_links) {
  std::unordered_map<EntityUid, std::size_t> waiting;  // known parents that are not done
  std::unordered_map<EntityUid, std::vector<Node*>> children;
  std::vector<Node*> ready;
  for (auto& [uid, node] : nodes_) {
    auto& parents = node.entity.parents;
    std::sort(parents.begin(), parents.end());
    parents.erase(std::unique(parents.begin(), parents.end()), parents.end());
    std::size_t known = 0;
    for (const EntityUid& parent : parents) {
      if (!nodes_.contains(parent)) continue;
      children[parent].push_back(&node);
      ++known;
    }
    if (known == 0) ready.push_back(&node);
    waiting.emplace(uid, known);
  }

  std::size_t done = 0;
  for (; done < ready.size(); ++done) {
    Node& node = *ready[done];
    HF_CHECK(gather_ancestors(node, max_links));
    const auto at = children.find(node.entity.uid);
    if (at == children.end()) continue;
    for (Node* child : at->second) {
      if (--waiting[child->entity.uid] == 0) ready.push_back(child);
    }
  }
  if (done == nodes_.size()) return {};
  const EntityUid* first = nullptr;
  for (const auto& [uid, count] : waiting) {
    if (count > 0 && (first == nullptr || uid < *first)) first = &uid;
  }
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("the entity {} is its own ancestor, or below one that is", first->text()));
}

Result<> Entities::gather_ancestors(Node& node, std::size_t& links_left) {
  const std::vector<EntityUid>& parents = node.entity.parents;
  std::vector<EntityUid>& found = node.ancestors;
  std::size_t links = parents.size();
  for (const EntityUid& parent : parents) links += ancestors(parent).size();
  if (links > links_left) {
    return fail(
        ErrorCode::kLimitExceeded,
        fmt::format("the entities have too many ancestors together, as of {}", node.entity.uid.text()));
  }
  links_left -= links;
  found.reserve(links);
  for (const EntityUid& parent : parents) {
    const auto& theirs = ancestors(parent);
    found.insert(found.end(), theirs.begin(), theirs.end());
  }
  if (parents.size() == 1) {  // theirs are sorted already, and hold no entity that is above itself
    found.insert(std::lower_bound(found.begin(), found.end(), parents[0], by_hash), parents[0]);
    return {};
  }
  found.insert(found.end(), parents.begin(), parents.end());
  std::sort(found.begin(), found.end(), by_hash);
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return {};
}

const Entity* Entities::find(const EntityUid& uid) const {
  const auto at = nodes_.find(uid);
  return at == nodes_.end() ? nullptr : &at->second.entity;
}

const std::vector<EntityUid>& Entities::ancestors(const EntityUid& uid) const {
  static const std::vector<EntityUid> kNone;
  const auto at = nodes_.find(uid);
  return at == nodes_.end() ? kNone : at->second.ancestors;
}

std::vector<const Entity*> Entities::all() const {
  std::vector<const Entity*> entities;
  entities.reserve(nodes_.size());
  for (const auto& [uid, node] : nodes_) entities.push_back(&node.entity);
  std::sort(entities.begin(), entities.end(),
            [](const Entity* a, const Entity* b) { return a->uid < b->uid; });
  return entities;
}

}  // namespace holdfast::policy
