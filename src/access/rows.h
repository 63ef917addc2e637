#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/principal.h"
#include "access/recorder.h"
#include "access/snapshot.h"
#include "access/tokens.h"
#include "audit/row_history.h"
#include "store/database.h"

// The tables of this module. Each row that gives somebody a right carries the receipt of the record that made
// it; that record names the row's key and digest (audit/row_history.h).

namespace holdfast::access {

using audit::RowName;

struct PrincipalRow {
  base::WorkspaceId workspace;
  PrincipalId id;
  Kind kind = Kind::kPerson;
  std::string name;
  bool enabled = true;
  std::optional<PrincipalId> owner = std::nullopt;
  std::int64_t version = 1;
  base::Timestamp created_at = {};
  Receipt receipt = {};
  [[nodiscard]] RowName row_name() const;
};

struct MembershipRow {
  base::WorkspaceId workspace;
  PrincipalId group;
  PrincipalId member;
  Receipt receipt = {};
  [[nodiscard]] RowName row_name() const;
};

struct PasswordRow {
  base::WorkspaceId workspace;
  PrincipalId principal;
  std::string hash;  // in the form of the PHC
  bool one_time = false;
  std::optional<base::Timestamp> expires = std::nullopt;  // of one that works once
  Receipt receipt = {};
  [[nodiscard]] RowName row_name() const;
};

struct ServiceKeyRow {
  base::WorkspaceId workspace;
  PrincipalId principal;
  std::string key_id;
  base::Bytes public_key;  // SubjectPublicKeyInfo
  Receipt receipt = {};
  [[nodiscard]] RowName row_name() const;
};

struct PolicyRow {
  base::WorkspaceId workspace;
  std::string id;
  bool grant = false;
  std::string text;
  Receipt receipt = {};
  [[nodiscard]] RowName row_name() const;
};

struct TokenRow {
  TokenFacts facts;
  base::Digest digest;
  Receipt receipt = {};
  [[nodiscard]] RowName row_name() const;
};

// What the keys of all token rows of a principal begin with.
std::string all_tokens_key(const base::WorkspaceId& workspace, const PrincipalId& principal);

base::Result<> insert(store::Transaction& change, const PrincipalRow& row);
base::Result<> insert(store::Transaction& change, const MembershipRow& row);
base::Result<> insert(store::Transaction& change, const ServiceKeyRow& row);
base::Result<> insert(store::Transaction& change, const PolicyRow& row);
base::Result<> insert(store::Transaction& change, const TokenRow& row);
base::Result<> replace(store::Transaction& change, const PasswordRow& row);
// kConflict where the row is no longer at the version before this one.
base::Result<> update(store::Transaction& change, const PrincipalRow& row);
// kNotFound where the row is not there.
base::Result<> erase(store::Transaction& change, const MembershipRow& row);
base::Result<> erase(store::Transaction& change, const ServiceKeyRow& row);
base::Result<> erase(store::Transaction& change, const PolicyRow& row);
base::Result<> erase(store::Transaction& change, const TokenRow& row);
base::Result<> erase_tokens(store::Transaction& change, const base::WorkspaceId& workspace,
                            const PrincipalId& principal);

base::Result<std::optional<PrincipalRow>> find_principal(const store::Snapshot& view,
                                                         const base::WorkspaceId& workspace,
                                                         const PrincipalId& id);
base::Result<std::optional<PrincipalRow>> find_principal(const store::Snapshot& view,
                                                         const base::WorkspaceId& workspace, Kind kind,
                                                         std::string_view name);
base::Result<std::optional<MembershipRow>> find_membership(const store::Snapshot& view,
                                                           const base::WorkspaceId& workspace,
                                                           const PrincipalId& group,
                                                           const PrincipalId& member);
base::Result<std::optional<PasswordRow>> find_password(const store::Snapshot& view,
                                                       const base::WorkspaceId& workspace,
                                                       const PrincipalId& principal);
base::Result<std::vector<ServiceKeyRow>> service_keys(const store::Snapshot& view,
                                                      const base::WorkspaceId& workspace,
                                                      const PrincipalId& principal);
base::Result<std::optional<PolicyRow>> find_policy(const store::Snapshot& view,
                                                   const base::WorkspaceId& workspace, std::string_view id);
base::Result<std::vector<TokenRow>> tokens_of(const store::Snapshot& view, const base::WorkspaceId& workspace,
                                              const PrincipalId& principal);
base::Result<std::optional<TokenRow>> find_token(const store::Snapshot& view,
                                                 const base::WorkspaceId& workspace, const TokenId& id);
base::Result<std::int64_t> count_tokens(const store::Snapshot& view, const base::WorkspaceId& workspace,
                                        const PrincipalId& principal, base::Timestamp live_at);
base::Result<std::int64_t> count_policies(const store::Snapshot& view, const base::WorkspaceId& workspace);
base::Result<std::int64_t> count_memberships(const store::Snapshot& view, const base::WorkspaceId& workspace,
                                             const PrincipalId& member);

// All rows of a table, page by page.
base::Result<std::vector<PrincipalRow>> all_principals(const store::Snapshot& view);
base::Result<std::vector<MembershipRow>> all_memberships(const store::Snapshot& view);
base::Result<std::vector<PasswordRow>> all_passwords(const store::Snapshot& view);
base::Result<std::vector<ServiceKeyRow>> all_service_keys(const store::Snapshot& view);
base::Result<std::vector<PolicyRow>> all_policies(const store::Snapshot& view);
base::Result<std::vector<TokenRow>> all_tokens(const store::Snapshot& view, base::Timestamp live_at);

// Drops up to a bound of tokens and used assertions that ended before the moment: the log keeps what they
// were.
base::Result<> forget_ended(store::Transaction& change, base::Timestamp before);
// kAlreadyExists where this service has used this assertion before, in a use that has not ended by now.
base::Result<> use_assertion(store::Transaction& change, const base::WorkspaceId& workspace,
                             const PrincipalId& service, const base::Digest& jti, base::Timestamp until,
                             base::Timestamp now);

// Rises by one with each change of the tables above.
base::Result<std::int64_t> next_generation(store::Transaction& change);
base::Result<std::int64_t> generation(const store::Snapshot& view);

}  // namespace holdfast::access
