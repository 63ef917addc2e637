#pragma once

#include <string>
#include <string_view>

#include "access/actions.h"
#include "access/principal.h"
#include "access/resource.h"
#include "policy/policy.h"
#include "policy/schema.h"
#include "policy/value.h"

// Holdfast's words in Cedar: the schema, the policies that come with the program, and how ids are written.

namespace holdfast::access {

inline constexpr std::size_t kMaxPolicyBytes = 64UL << 10;

const policy::Schema& schema();

policy::EntityUid workspace_entity(const base::WorkspaceId& workspace);
policy::EntityUid principal_entity(const base::WorkspaceId& workspace, Kind kind, const PrincipalId& id);
policy::EntityUid action_entity(Action action);
policy::EntityUid resource_entity(const Resource& resource);

// Those of data/default.cedar, linked to the groups of this workspace.
base::Result<policy::PolicySet> builtin_policies(const base::WorkspaceId& workspace);

// Exactly one policy, under this id, that speaks of nothing the schema lacks. kInvalidArgument names the
// line, where the text does not parse, or what does not fit; the @id of the text, if it has one, is `id`.
base::Result<policy::Policy> checked_policy(std::string_view id, std::string_view text);

// The text of a policy that permits one principal, or the members of a group, one action on one resource.
std::string grant_text(const policy::EntityUid& principal, Kind kind, Action action,
                       const Resource& resource);

}  // namespace holdfast::access
