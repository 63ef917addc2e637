#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "access/access.h"
#include "access/change.h"
#include "access/vocabulary.h"

namespace holdfast::access {
namespace {

using base::ErrorCode;
using base::Result;
using base::WorkspaceId;
using nlohmann::json;

constexpr std::array kBuiltinGroups{kAdministrators, kScientists, kOperators, kApprovers, kAuditors};

Resource principal_resource(const WorkspaceId& workspace, const PrincipalId& id) {
  return {.type = ResourceType::kPrincipal, .workspace = workspace, .id = id.value()};
}

Result<PrincipalRow> require_principal(const store::Snapshot& view, const WorkspaceId& workspace,
                                       const PrincipalId& id) {
  HF_TRY(auto found, find_principal(view, workspace, id));
  if (found) return *std::move(found);
  return base::fail(ErrorCode::kNotFound, fmt::format("there is no principal with the id \"{}\"",
                                                      id.value().substr(0, kMaxPrincipalNameBytes)));
}

Result<> require_free_name(const store::Snapshot& view, const WorkspaceId& workspace, Kind kind,
                           std::string_view name) {
  HF_TRY(const auto taken, find_principal(view, workspace, kind, name));
  if (!taken) return {};
  return base::fail(ErrorCode::kAlreadyExists,
                    fmt::format("there is a {} named \"{}\" already", to_string(kind), name));
}

Result<> require_owner(const store::Snapshot& view, const WorkspaceId& workspace, const PrincipalId& owner) {
  HF_TRY(const PrincipalRow row, require_principal(view, workspace, owner));
  if (row.kind == Kind::kPerson && row.enabled) return {};
  return base::fail(ErrorCode::kInvalidArgument, "the owner of a service is a person who is enabled");
}

// The rows of a new workspace, before their receipt.
struct FirstRows {
  std::vector<PrincipalRow> principals;
  std::vector<MembershipRow> memberships;
  PasswordRow password;
};

FirstRows first_rows(const WorkspaceId& workspace, const PrincipalId& administrator, std::string_view name,
                     const crypto::PasswordHash& hash, base::Timestamp now, base::Timestamp expires) {
  FirstRows first;
  const auto add = [&](PrincipalId id, Kind kind, std::string_view its_name) {
    first.principals.push_back({.workspace = workspace,
                                .id = std::move(id),
                                .kind = kind,
                                .name = std::string(its_name),
                                .created_at = now});
  };
  for (const std::string_view group : kBuiltinGroups) {
    add(PrincipalId(std::string(group)), Kind::kGroup, group);
  }
  const PrincipalId local{std::string(kLocalOperator)};
  add(local, Kind::kPerson, kLocalOperator);
  add(administrator, Kind::kPerson, name);
  for (const PrincipalId& member : {local, administrator}) {
    first.memberships.push_back(
        {.workspace = workspace, .group = PrincipalId(std::string(kAdministrators)), .member = member});
  }
  first.password = {.workspace = workspace,
                    .principal = administrator,
                    .hash = hash.text(),
                    .one_time = true,
                    .expires = expires};
  return first;
}

}  // namespace

Result<OneTimePassword> Access::bootstrap(const WorkspaceId& workspace, std::string_view administrator_name) {
  HF_CHECK(check_workspace_name(workspace));
  HF_CHECK(check_principal_name(administrator_name));
  if (administrator_name == kLocalOperator) {
    return base::fail(ErrorCode::kInvalidArgument,
                      "\"local\" is the name of the server's own user; choose another for the administrator");
  }
  const auto exists = [&workspace] {
    return base::fail(
        ErrorCode::kAlreadyExists,
        fmt::format("the workspace \"{}\" has its first administrator already", workspace.value()));
  };
  HF_TRY(const auto current, snapshot());
  if (current->local_operator(workspace)) return exists();
  base::Secret password = make_password();
  HF_TRY(const auto hashed, hash(password));
  HF_TRY(Change change, Change::begin(*this));
  const PrincipalId local{std::string(kLocalOperator)};
  HF_TRY(const auto there, find_principal(change.view(), workspace, local));
  if (there) return exists();

  const PrincipalId administrator(make_id());
  const base::Timestamp now = parts_.clock.now();
  const base::Timestamp expires = now + options_.one_time_life;
  FirstRows first = first_rows(workspace, administrator, administrator_name, hashed, now, expires);
  for (const auto& row : first.principals) change.makes(row.row_name());
  for (const auto& row : first.memberships) change.makes(row.row_name());
  change.makes(first.password.row_name());
  HF_TRY(const Receipt receipt,
         change.record({.workspace = workspace,
                        .actor = principal_entity(workspace, Kind::kPerson, local).text(),
                        .action = "bootstrap",
                        .name = std::string(administrator_name),
                        .source = {},
                        .principal = administrator}));
  for (auto& row : first.principals) {
    row.receipt = receipt;
    HF_CHECK(insert(change.rows(), row));
  }
  for (auto& row : first.memberships) {
    row.receipt = receipt;
    HF_CHECK(insert(change.rows(), row));
  }
  first.password.receipt = receipt;
  HF_CHECK(replace(change.rows(), first.password));
  HF_CHECK(change.commit(workspace, "principal", administrator.value()));
  return OneTimePassword{administrator, std::string(administrator_name), std::move(password), expires};
}

Result<> Access::make_principal(const Caller& caller, const PrincipalId& id, Kind kind, std::string_view name,
                                const std::optional<PrincipalId>& owner,
                                const std::optional<FirstPassword>& password) {
  HF_TRY(const Decided decided, permit(caller, Action::kCreatePrincipal, {.workspace = caller.workspace()}));
  HF_TRY(Change change, Change::begin(*this, decided));
  HF_CHECK(require_free_name(change.view(), caller.workspace(), kind, name));
  if (owner) HF_CHECK(require_owner(change.view(), caller.workspace(), *owner));
  PrincipalRow row{.workspace = caller.workspace(),
                   .id = id,
                   .kind = kind,
                   .name = std::string(name),
                   .owner = owner,
                   .created_at = parts_.clock.now()};
  PasswordRow secret{.workspace = row.workspace, .principal = id, .hash = {}, .one_time = true};
  change.makes(row.row_name());
  if (password) {
    secret.hash = password->hash.text();
    secret.expires = password->expires;
    change.makes(secret.row_name());
  }
  HF_TRY(row.receipt,
         change.record(decided, {{"id", id.value()}, {"kind", to_string(kind)}, {"name", name}}));
  HF_CHECK(insert(change.rows(), row));
  if (password) {
    secret.receipt = row.receipt;
    HF_CHECK(replace(change.rows(), secret));
  }
  return change.commit(row.workspace, "principal", id.value());
}

Result<OneTimePassword> Access::create_person(const Caller& caller, std::string_view name) {
  HF_CHECK(check_principal_name(name));
  // Before the work of a hash, and again with the change.
  HF_CHECK(permit(caller, Action::kCreatePrincipal, {.workspace = caller.workspace()}));
  base::Secret password = make_password();
  HF_TRY(const auto hashed, hash(password));
  const PrincipalId id(make_id());
  const base::Timestamp expires = parts_.clock.now() + options_.one_time_life;
  HF_CHECK(make_principal(caller, id, Kind::kPerson, name, std::nullopt, FirstPassword{hashed, expires}));
  return OneTimePassword{id, std::string(name), std::move(password), expires};
}

Result<PrincipalId> Access::create_service(const Caller& caller, const NewService& service) {
  HF_CHECK(check_principal_name(service.name));
  PrincipalId id(make_id());
  HF_CHECK(make_principal(caller, id, Kind::kService, service.name, service.owner, std::nullopt));
  return id;
}

Result<PrincipalId> Access::create_group(const Caller& caller, std::string_view name) {
  HF_CHECK(check_principal_name(name));
  PrincipalId id(make_id());
  HF_CHECK(make_principal(caller, id, Kind::kGroup, name, std::nullopt, std::nullopt));
  return id;
}

Result<> Access::keep_an_administrator(const Caller& caller, const PrincipalId& without) {
  if (caller.is_local_operator()) return {};
  HF_TRY(const auto current, snapshot());
  const PrincipalId administrators{std::string(kAdministrators)};
  bool concerned = false;
  for (const Principal* principal : current->principals(caller.workspace())) {
    const bool counts = principal->kind == Kind::kPerson && principal->enabled &&
                        principal->id.value() != kLocalOperator &&
                        std::ranges::find(principal->groups, administrators) != principal->groups.end();
    if (counts && principal->id != without) return {};
    if (counts) concerned = true;
  }
  if (!concerned) return {};
  return base::fail(ErrorCode::kConflict,
                    "this is the last administrator: put somebody else into the group administrators first. "
                    "Only the local operator, who stays, may shut out the last one");
}

Result<> Access::set_enabled(const Caller& caller, const PrincipalId& id, bool enabled) {
  HF_TRY(const Decided decided,
         permit(caller, Action::kDisablePrincipal, principal_resource(caller.workspace(), id)));
  HF_TRY(Change change, Change::begin(*this, decided));
  HF_TRY(PrincipalRow row, require_principal(change.view(), caller.workspace(), id));
  if (row.kind == Kind::kGroup) {
    return base::fail(ErrorCode::kInvalidArgument,
                      "a group can't be disabled; take its members or its grants away");
  }
  if (id.value() == kLocalOperator) {
    return base::fail(ErrorCode::kConflict,
                      "the local operator can't be disabled: it is the way back in when nobody else is left");
  }
  if (row.enabled == enabled) return {};
  if (!enabled) HF_CHECK(keep_an_administrator(caller, id));
  row.enabled = enabled;
  ++row.version;
  change.makes(row.row_name());
  change.ends_tokens(row.workspace, id);
  HF_TRY(row.receipt, change.record(decided, {{"enabled", enabled}, {"name", row.name}}));
  HF_CHECK(update(change.rows(), row));
  HF_CHECK(erase_tokens(change.rows(), row.workspace, id));
  return change.commit(row.workspace, "principal", id.value());
}

Result<> Access::add_member(const Caller& caller, const PrincipalId& group, const PrincipalId& member) {
  HF_TRY(const Decided decided,
         permit(caller, Action::kGrant, principal_resource(caller.workspace(), group)));
  HF_TRY(Change change, Change::begin(*this, decided));
  HF_TRY(const PrincipalRow to, require_principal(change.view(), caller.workspace(), group));
  HF_TRY(const PrincipalRow who, require_principal(change.view(), caller.workspace(), member));
  if (to.kind != Kind::kGroup || who.kind == Kind::kGroup) {
    return base::fail(ErrorCode::kInvalidArgument,
                      "people and services are members of groups, nothing else is");
  }
  MembershipRow row{.workspace = caller.workspace(), .group = group, .member = member};
  HF_TRY(const auto there, find_membership(change.view(), row.workspace, group, member));
  if (there) return {};
  HF_TRY(const std::int64_t count, count_memberships(change.view(), row.workspace, member));
  if (count >= static_cast<std::int64_t>(kMaxMemberships)) {
    return base::fail(ErrorCode::kLimitExceeded,
                      fmt::format("{} is in {} groups already, the most there may be", who.name, count));
  }
  change.makes(row.row_name());
  HF_TRY(row.receipt, change.record(decided, {{"member", member.value()}, {"name", who.name}}));
  HF_CHECK(insert(change.rows(), row));
  return change.commit(row.workspace, "membership", member.value());
}

Result<> Access::remove_member(const Caller& caller, const PrincipalId& group, const PrincipalId& member) {
  HF_TRY(const Decided decided,
         permit(caller, Action::kGrant, principal_resource(caller.workspace(), group)));
  if (group.value() == kAdministrators && member.value() == kLocalOperator) {
    return base::fail(ErrorCode::kConflict,
                      "the local operator stays an administrator: it is the way back in");
  }
  HF_TRY(Change change, Change::begin(*this, decided));
  HF_TRY(const auto row, find_membership(change.view(), caller.workspace(), group, member));
  if (!row) return base::fail(ErrorCode::kNotFound, "it is no member of this group");
  if (group.value() == kAdministrators) HF_CHECK(keep_an_administrator(caller, member));
  change.removes(row->row_name());
  HF_CHECK(change.record(decided, {{"removed", member.value()}}));
  HF_CHECK(erase(change.rows(), *row));
  return change.commit(row->workspace, "membership", member.value());
}

Result<std::vector<Principal>> Access::list_principals(const Caller& caller) {
  HF_CHECK(authorise(caller, Action::kListPrincipals, {.workspace = caller.workspace()}));
  HF_TRY(const auto current, snapshot());
  std::vector<Principal> all;
  for (const Principal* principal : current->principals(caller.workspace())) all.push_back(*principal);
  return all;
}

}  // namespace holdfast::access
