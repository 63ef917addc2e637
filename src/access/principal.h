#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/strong.h"
#include "base/time.h"

// Who can act: people, services (workloads) and the groups that either is in. An id is random and never used
// again, so that what was granted to one never falls to a namesake. The groups that come with Holdfast have
// fixed ids, which no random one equals.

namespace holdfast::access {

using PrincipalId = base::Strong<struct PrincipalIdTag, std::string>;

enum class Kind : std::uint8_t { kPerson, kService, kGroup };

std::string_view to_string(Kind kind);               // "person", "service", "group"
std::optional<Kind> kind_of(std::string_view text);  // nothing for any other text
std::string_view entity_type(Kind kind);             // in Cedar: "Person", "Service", "Group"

// Ids of the groups that come with Holdfast; data/default.cedar says what each may do.
inline constexpr std::string_view kAdministrators = "administrators";
inline constexpr std::string_view kScientists = "scientists";
inline constexpr std::string_view kOperators = "operators";
inline constexpr std::string_view kApprovers = "approvers";
inline constexpr std::string_view kAuditors = "auditors";
// Id and name of the person who stands for the operating system's user that runs the server.
inline constexpr std::string_view kLocalOperator = "local";

inline constexpr std::size_t kMaxPrincipalNameBytes = 128;
inline constexpr std::size_t kMaxMemberships = 100;  // of one principal

struct Principal {
  base::WorkspaceId workspace;
  PrincipalId id;
  Kind kind = Kind::kPerson;
  std::string name;  // unique among its kind in the workspace
  bool enabled = true;
  std::optional<PrincipalId> owner;  // of a service: the person who answers for it
  base::Timestamp created_at;
  std::vector<PrincipalId> groups = {};
};

// 1 to kMaxPrincipalNameBytes of ASCII letters, digits and ._@+-, the first a letter or digit: nothing that
// looks like another name, and nothing that a log or a policy has to escape. kInvalidArgument otherwise.
base::Result<> check_principal_name(std::string_view name);
// 1 to 63 lower-case letters, digits and hyphens, the first a letter or digit.
base::Result<> check_workspace_name(const base::WorkspaceId& workspace);

}  // namespace holdfast::access
