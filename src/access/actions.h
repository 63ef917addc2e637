#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

// Every action there is. From this table come the routes' names, what is recorded, and what a policy may
// speak of: a test holds data/access.cedarschema against it.

namespace holdfast::access {

enum class Action : std::uint8_t {
  kListPrincipals,
  kCreatePrincipal,
  kDisablePrincipal,  // and enable; and revoke its tokens
  kIssueCredential,
  kGrant,  // and take back; and membership of groups
  kReadAudit,
  kReadPolicy,
  kWritePolicy,
  kReadKeys,  // their names and ages
  kRotateKey,
  kRegisterDataset,
  kReadDataset,
  kRegisterModel,
  kReadModel,
  kAddEvidence,
  kTrainModel,
  kApprove,
  kWaive,
  kCreateEndpoint,
  kRelease,
  kRollback,
  kReadEndpoint,
  kInfer,
  kReadMetrics,
  kReadPosture,
  kReadAlerts,
  kAcknowledgeAlert,
};

struct ActionInfo {
  Action action;
  std::string_view name;   // Action::"registerModel"
  std::string_view group;  // Action::"write", which it is in; empty for infer, which stands alone
  bool writes;             // decided so that any error denies, and always recorded durably
};

inline constexpr std::array kActions{
    ActionInfo{Action::kListPrincipals, "listPrincipals", "administer", false},
    ActionInfo{Action::kCreatePrincipal, "createPrincipal", "administer", true},
    ActionInfo{Action::kDisablePrincipal, "disablePrincipal", "administer", true},
    ActionInfo{Action::kIssueCredential, "issueCredential", "administer", true},
    ActionInfo{Action::kGrant, "grant", "administer", true},
    ActionInfo{Action::kReadAudit, "readAudit", "administer", false},
    ActionInfo{Action::kReadPolicy, "readPolicy", "administer", false},
    ActionInfo{Action::kWritePolicy, "writePolicy", "administer", true},
    ActionInfo{Action::kReadKeys, "readKeys", "administer", false},
    ActionInfo{Action::kRotateKey, "rotateKey", "administer", true},
    ActionInfo{Action::kRegisterDataset, "registerDataset", "write", true},
    ActionInfo{Action::kReadDataset, "readDataset", "read", false},
    ActionInfo{Action::kRegisterModel, "registerModel", "write", true},
    ActionInfo{Action::kReadModel, "readModel", "read", false},
    ActionInfo{Action::kAddEvidence, "addEvidence", "write", true},
    ActionInfo{Action::kTrainModel, "trainModel", "write", true},
    ActionInfo{Action::kApprove, "approve", "write", true},
    ActionInfo{Action::kWaive, "waive", "write", true},
    ActionInfo{Action::kCreateEndpoint, "createEndpoint", "write", true},
    ActionInfo{Action::kRelease, "release", "write", true},
    ActionInfo{Action::kRollback, "rollback", "write", true},
    ActionInfo{Action::kReadEndpoint, "readEndpoint", "read", false},
    ActionInfo{Action::kInfer, "infer", "", false},
    ActionInfo{Action::kReadMetrics, "readMetrics", "read", false},
    ActionInfo{Action::kReadPosture, "readPosture", "read", false},
    ActionInfo{Action::kReadAlerts, "readAlerts", "read", false},
    ActionInfo{Action::kAcknowledgeAlert, "acknowledgeAlert", "write", true},
};

constexpr const ActionInfo& info(Action action) { return kActions[static_cast<std::size_t>(action)]; }

constexpr std::optional<Action> action_named(std::string_view name) {
  for (const ActionInfo& known : kActions) {
    if (known.name == name) return known.action;
  }
  return std::nullopt;
}

}  // namespace holdfast::access
