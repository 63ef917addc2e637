#include "access/snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "access/vocabulary.h"
#include "store/bounds.h"

namespace holdfast::access {
namespace {

using base::ErrorCode;
using base::Result;
using base::Timestamp;
using base::WorkspaceId;
using policy::Authorizer;
using policy::Entity;
using policy::EntityUid;
using policy::PolicySet;
using policy::Record;
using policy::Value;

Value texts(const std::set<std::string>& all) {
  std::vector<Value> values;
  values.reserve(all.size());
  for (const std::string& text : all) values.push_back(Value::text(text));
  return Value::set(std::move(values));
}

// Principal with everything that a decision needs of it.
Entity entity_of(const Principal& principal, const std::set<std::string>& accounts) {
  Entity entity{.uid = principal_entity(principal.workspace, principal.kind, principal.id),
                .attributes = Record({{"accounts", texts(accounts)},
                                      {"id", Value::text(principal.id.value())},
                                      {"name", Value::text(principal.name)}})};
  entity.parents.push_back(workspace_entity(principal.workspace));
  for (const PrincipalId& group : principal.groups) {
    entity.parents.push_back(principal_entity(principal.workspace, Kind::kGroup, group));
  }
  return entity;
}

// Every action once, with the group that it is in.
const Entity& entity_of(Action action) {
  static const std::vector<Entity> kAll = [] {
    std::vector<Entity> all;
    for (const ActionInfo& known : kActions) {
      Entity& entity = all.emplace_back(Entity{.uid = action_entity(known.action)});
      if (!known.group.empty()) entity.parents.emplace_back("Action", std::string(known.group));
    }
    return all;
  }();
  return kAll[static_cast<std::size_t>(action)];
}

Entity entity_of(const Resource& resource) {
  Entity entity{.uid = resource_entity(resource)};
  if (resource.type == ResourceType::kWorkspace) return entity;
  entity.parents.push_back(workspace_entity(resource.workspace));
  if (resource.type == ResourceType::kVersion) {
    entity.parents.push_back(resource_entity(
        {.type = ResourceType::kModel, .workspace = resource.workspace, .id = resource.model}));
  }
  if (resource.type == ResourceType::kVersion || resource.type == ResourceType::kDataset) {
    std::set<std::string> makers;
    for (const PrincipalId& maker : resource.makers) makers.insert(maker.value());
    entity.attributes = Record({{"makers", texts(makers)}});
  }
  return entity;
}

Record context_of(const Caller& caller, const Circumstances& circumstances) {
  std::vector<policy::Field> fields{
      {"local", Value::boolean(caller.is_local_operator())},
      {"now", Value(policy::Datetime{circumstances.now.microseconds() / 1000})}};
  if (const auto source = policy::IpAddress::parse(circumstances.source)) {
    fields.push_back({"source", Value(*source)});
  }
  return Record(std::move(fields));
}

// A token for an endpoint is good for nothing else, whatever its holder may do.
bool is_within_audience(const Caller& caller, Action action, const Resource& resource) {
  if (caller.is_local_operator() || caller.audience() == kApiAudience) return true;
  return (action == Action::kInfer || action == Action::kReadEndpoint) &&
         resource.type == ResourceType::kEndpoint && caller.audience() == endpoint_audience(resource.id);
}

}  // namespace

struct Snapshot::Known {
  Principal principal;
  Entity entity;
};

struct Snapshot::Space {
  std::map<PrincipalId, Known> principals;
  std::map<std::pair<Kind, std::string>, PrincipalId, std::less<>> names;
  Authorizer all;
  Authorizer builtin;  // without what was written here
};

struct Snapshot::Directory {
  std::map<WorkspaceId, Space> spaces;
};

namespace {

using BySpace = std::map<WorkspaceId, std::pair<std::vector<Principal>, std::vector<WrittenPolicy>>>;

// Every id's accounts: its own, those it owns, and its owner's with all that one's. So whoever made
// something by a service of theirs made it themselves, and the other way round.
std::map<PrincipalId, std::set<std::string>> accounts_of(const std::vector<Principal>& principals) {
  std::map<PrincipalId, std::set<std::string>> by_owner;
  for (const Principal& principal : principals) {
    by_owner[principal.owner.value_or(principal.id)].insert(principal.id.value());
  }
  std::map<PrincipalId, std::set<std::string>> all;
  for (const Principal& principal : principals) {
    auto& own = all[principal.id];
    own = by_owner[principal.owner.value_or(principal.id)];
    own.insert(principal.owner.value_or(principal.id).value());
  }
  return all;
}

Result<PolicySet> with_written(PolicySet set, const std::vector<WrittenPolicy>& written) {
  for (const WrittenPolicy& one : written) {
    auto policy = checked_policy(one.id, one.text);
    if (!policy) {
      return base::fail(ErrorCode::kDataCorrupt, "a stored policy can't be used: " + policy.error().message);
    }
    HF_CHECK(set.add(*std::move(policy)));
  }
  return set;
}

}  // namespace

Result<std::shared_ptr<const Snapshot>> Snapshot::make(std::int64_t generation,
                                                       std::vector<Principal> principals,
                                                       std::vector<WrittenPolicy> policies,
                                                       TokenTable tokens) {
  BySpace spaces;
  for (Principal& principal : principals) {
    auto& of_space = spaces[principal.workspace].first;
    of_space.push_back(std::move(principal));
  }
  for (WrittenPolicy& policy : policies) {
    auto& of_space = spaces[policy.workspace].second;
    of_space.push_back(std::move(policy));
  }
  auto directory = std::make_shared<Directory>();
  for (auto& [workspace, contents] : spaces) {
    auto& [members, written] = contents;
    HF_TRY(PolicySet builtin, builtin_policies(workspace));
    HF_TRY(PolicySet all, with_written(builtin, written));
    Space space{.principals = {},
                .names = {},
                .all = Authorizer(std::move(all)),
                .builtin = Authorizer(std::move(builtin))};
    const auto accounts = accounts_of(members);
    for (Principal& member : members) {
      space.names.emplace(std::pair(member.kind, member.name), member.id);
      Known known{.principal = member, .entity = entity_of(member, accounts.at(member.id))};
      space.principals.emplace(member.id, std::move(known));
    }
    directory->spaces.emplace(workspace, std::move(space));
  }
  return std::shared_ptr<const Snapshot>(new Snapshot(generation, std::move(directory), std::move(tokens)));
}

std::shared_ptr<const Snapshot> Snapshot::with_token(std::int64_t generation, const base::Digest& digest,
                                                     TokenFacts facts, Timestamp now) const {
  return std::shared_ptr<const Snapshot>(
      new Snapshot(generation, directory_, tokens_.with(digest, std::move(facts), now)));
}

const Snapshot::Known* Snapshot::known(const WorkspaceId& workspace, const PrincipalId& id) const {
  const auto space = directory_->spaces.find(workspace);
  if (space == directory_->spaces.end()) return nullptr;
  const auto found = space->second.principals.find(id);
  return found == space->second.principals.end() ? nullptr : &found->second;
}

Caller Snapshot::caller_of(const Principal& principal) {
  Caller caller;
  caller.workspace_ = principal.workspace;
  caller.id_ = principal.id;
  caller.kind_ = principal.kind;
  caller.name_ = principal.name;
  return caller;
}

Result<Caller> Snapshot::authenticate(std::string_view bearer, std::string_view audience,
                                      Timestamp now) const {
  HF_TRY(const base::Digest digest, token_digest(bearer));
  const TokenFacts* facts = tokens_.find(digest);
  const auto refuse = [](const char* why) { return base::fail(ErrorCode::kUnauthenticated, why); };
  if (facts == nullptr) return refuse("the access token is not known, or was revoked; sign in again");
  if (facts->expires <= now) return refuse("the access token has expired; sign in again");
  if (facts->audience != audience) {
    return refuse("the access token is for another audience; sign in for this one");
  }
  const Known* holder = known(facts->workspace, facts->principal);
  if (holder == nullptr || !holder->principal.enabled) {
    return refuse("the access token is not known, or was revoked; sign in again");
  }
  Caller caller = caller_of(holder->principal);
  caller.audience_ = facts->audience;
  caller.token_ = digest;
  return caller;
}

Result<Caller> Snapshot::local_operator(const WorkspaceId& workspace) const {
  const Known* local = known(workspace, PrincipalId(std::string(kLocalOperator)));
  if (local == nullptr) {
    return base::fail(ErrorCode::kNotFound,
                      fmt::format("the workspace \"{}\" has no principals yet", workspace.value()));
  }
  return caller_of(local->principal);
}

Result<Caller> Snapshot::caller_by(const Mandate& mandate, Timestamp now) const {
  const auto refuse = [](std::string why) {
    return base::fail(ErrorCode::kPermissionDenied, std::move(why));
  };
  if (mandate.expires <= now) {
    return refuse(fmt::format("what was asked for could be done until {} alone; ask for it again",
                              mandate.expires.text()));
  }
  const Known* holder = known(mandate.workspace, mandate.principal);
  if (holder == nullptr) return refuse("who asked for it is no principal any more");
  Caller caller = caller_of(holder->principal);
  caller.audience_ = mandate.audience;
  caller.by_mandate_ = !mandate.audience.empty();
  return caller;
}

std::string Snapshot::refusal(const Caller& caller, Action action, const Resource& resource,
                              Timestamp now) const {
  const Known* holder = known(caller.workspace(), caller.id());
  if (holder == nullptr || !holder->principal.enabled) return "this principal is disabled";
  if (caller.token_) {
    const TokenFacts* facts = tokens_.find(*caller.token_);
    if (facts == nullptr || facts->expires <= now) return "the access token has ended; sign in again";
  }
  if (resource.workspace != caller.workspace()) return "it belongs to another workspace";
  if (resource.id.size() > store::kMaxNameBytes || resource.model.size() > store::kMaxNameBytes) {
    return "no resource has an id as long as that";
  }
  if (resource.id.empty() != (resource.type == ResourceType::kWorkspace)) return "it names no resource";
  if (!is_within_audience(caller, action, resource)) {
    return fmt::format("the access token is for {} alone", caller.audience());
  }
  return {};
}

namespace {

constexpr std::size_t kMaxRemedies = 3;

// Once each, of the first few.
std::vector<std::string> remedies_of(const policy::PolicySet& policies, const std::vector<std::string>& ids) {
  std::vector<std::string> remedies;
  for (const auto& id : ids) {
    const policy::Policy* policy = policies.find(id);
    const auto remedy = policy == nullptr ? std::nullopt : policy->annotation("remedy");
    if (!remedy || std::ranges::find(remedies, *remedy) != remedies.end()) continue;
    remedies.emplace_back(*remedy);
    if (remedies.size() == kMaxRemedies) break;
  }
  return remedies;
}

}  // namespace

Decided Snapshot::decide(const Caller& caller, Action action, const Resource& resource,
                         const Circumstances& circumstances) const {
  Decided decided(caller, action, resource, generation_);
  decided.reason_ = refusal(caller, action, resource, circumstances.now);
  if (!decided.reason_.empty()) return decided;
  const Known& holder = *known(caller.workspace(), caller.id());
  auto entities = policy::Entities::make({holder.entity, entity_of(action), entity_of(resource)});
  if (!entities) {
    decided.reason_ = entities.error().message;
    return decided;
  }
  const policy::Request request(holder.entity.uid, entity_of(action).uid, resource_entity(resource),
                                context_of(caller, circumstances));
  const Space& space = directory_->spaces.at(caller.workspace());
  const bool by_builtin_alone = caller.is_local_operator() && action == Action::kWritePolicy;
  const policy::Authorizer& authorizer = by_builtin_alone ? space.builtin : space.all;
  decided.decision_ = authorizer.decide(request, *entities, {.deny_on_error = info(action).writes});
  if (!decided.allowed()) {
    decided.remedies_ = remedies_of(authorizer.policies(), decided.decision_.determining);
  }
  return decided;
}

const Principal* Snapshot::find(const WorkspaceId& workspace, const PrincipalId& id) const {
  const Known* found = known(workspace, id);
  return found == nullptr ? nullptr : &found->principal;
}

const Principal* Snapshot::find(const WorkspaceId& workspace, Kind kind, std::string_view name) const {
  const auto space = directory_->spaces.find(workspace);
  if (space == directory_->spaces.end()) return nullptr;
  const auto found = space->second.names.find(std::pair(kind, std::string(name)));
  return found == space->second.names.end() ? nullptr : find(workspace, found->second);
}

std::vector<const Principal*> Snapshot::principals(const WorkspaceId& workspace) const {
  std::vector<const Principal*> all;
  const auto space = directory_->spaces.find(workspace);
  if (space == directory_->spaces.end()) return all;
  for (const auto& [name, id] : space->second.names) all.push_back(find(workspace, id));
  return all;
}

}  // namespace holdfast::access
