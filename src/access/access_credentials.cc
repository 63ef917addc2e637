#include <fmt/format.h>

#include "access/access.h"
#include "access/assertion.h"
#include "access/change.h"

namespace holdfast::access {
namespace {

using base::ErrorCode;
using base::Result;
using base::WorkspaceId;

Resource principal_resource(const WorkspaceId& workspace, const PrincipalId& id) {
  return {.type = ResourceType::kPrincipal, .workspace = workspace, .id = id.value()};
}

Result<PrincipalRow> require_kind(const store::Snapshot& view, const WorkspaceId& workspace,
                                  const PrincipalId& id, Kind kind) {
  HF_TRY(auto found, find_principal(view, workspace, id));
  if (found && found->kind == kind) return *std::move(found);
  return base::fail(ErrorCode::kNotFound, fmt::format("there is no {} with the id \"{}\"", to_string(kind),
                                                      id.value().substr(0, kMaxPrincipalNameBytes)));
}

}  // namespace

Result<OneTimePassword> Access::reset_password(const Caller& caller, const PrincipalId& person) {
  HF_TRY(const Decided decided,
         permit(caller, Action::kIssueCredential, principal_resource(caller.workspace(), person)));
  if (person.value() == kLocalOperator) {
    return base::fail(ErrorCode::kInvalidArgument,
                      "the local operator has no password: it is known by the server's Unix socket");
  }
  base::Secret password = make_password();
  HF_TRY(const auto hashed, hash(password));
  HF_TRY(Change change, Change::begin(*this, decided));
  HF_TRY(const PrincipalRow who, require_kind(change.view(), caller.workspace(), person, Kind::kPerson));
  const base::Timestamp expires = parts_.clock.now() + options_.one_time_life;
  PasswordRow row{.workspace = who.workspace,
                  .principal = person,
                  .hash = hashed.text(),
                  .one_time = true,
                  .expires = expires};
  change.makes(row.row_name());
  change.ends_tokens(who.workspace, person);
  HF_TRY(row.receipt, change.record(decided, {{"credential", "one-time password"}, {"name", who.name}}));
  HF_CHECK(replace(change.rows(), row));
  HF_CHECK(erase_tokens(change.rows(), who.workspace, person));
  HF_CHECK(change.commit(who.workspace, "credential", person.value()));
  return OneTimePassword{person, who.name, std::move(password), expires};
}

Result<std::string> Access::add_service_key(const Caller& caller, const PrincipalId& service,
                                            const crypto::PublicKey& key) {
  HF_TRY(const Decided decided,
         permit(caller, Action::kIssueCredential, principal_resource(caller.workspace(), service)));
  HF_CHECK(jws_algorithm(key.algorithm()));
  HF_TRY(Change change, Change::begin(*this, decided));
  HF_TRY(const PrincipalRow who, require_kind(change.view(), caller.workspace(), service, Kind::kService));
  HF_TRY(const auto known, service_keys(change.view(), who.workspace, service));
  ServiceKeyRow row{
      .workspace = who.workspace, .principal = service, .key_id = key.id().hex(), .public_key = key.to_der()};
  for (const ServiceKeyRow& other : known) {
    if (other.key_id == row.key_id) return row.key_id;
  }
  if (known.size() >= kMaxServiceKeys) {
    return base::fail(
        ErrorCode::kLimitExceeded,
        fmt::format("{} has {} keys already; remove the one that is no longer used", who.name, known.size()));
  }
  change.makes(row.row_name());
  HF_TRY(row.receipt,
         change.record(decided, {{"credential", "key"}, {"key", row.key_id}, {"name", who.name}}));
  HF_CHECK(insert(change.rows(), row));
  HF_CHECK(change.commit(who.workspace, "credential", service.value()));
  return row.key_id;
}

Result<> Access::remove_service_key(const Caller& caller, const PrincipalId& service,
                                    std::string_view key_id) {
  HF_TRY(const Decided decided,
         permit(caller, Action::kIssueCredential, principal_resource(caller.workspace(), service)));
  HF_TRY(Change change, Change::begin(*this, decided));
  HF_TRY(const auto known, service_keys(change.view(), caller.workspace(), service));
  for (const ServiceKeyRow& row : known) {
    if (row.key_id != key_id) continue;
    change.removes(row.row_name());
    // Whatever was had by a key that is taken away goes with it.
    change.ends_tokens(row.workspace, service);
    HF_CHECK(change.record(decided, {{"removed", row.key_id}}));
    HF_CHECK(erase(change.rows(), row));
    HF_CHECK(erase_tokens(change.rows(), row.workspace, service));
    return change.commit(row.workspace, "credential", service.value());
  }
  return base::fail(ErrorCode::kNotFound, "the service has no such key");
}

Result<std::vector<TokenFacts>> Access::list_tokens(const Caller& caller, const PrincipalId& principal) {
  HF_CHECK(authorise(caller, Action::kListPrincipals, {.workspace = caller.workspace()}));
  HF_TRY(const store::Snapshot view, parts_.database.snapshot());
  HF_TRY(const auto rows, tokens_of(view, caller.workspace(), principal));
  std::vector<TokenFacts> live;
  for (const TokenRow& row : rows) {
    if (row.facts.expires > parts_.clock.now()) live.push_back(row.facts);
  }
  return live;
}

Result<std::vector<std::string>> Access::list_service_keys(const Caller& caller, const PrincipalId& service) {
  HF_CHECK(authorise(caller, Action::kListPrincipals, {.workspace = caller.workspace()}));
  HF_TRY(const store::Snapshot view, parts_.database.snapshot());
  HF_TRY(const auto rows, service_keys(view, caller.workspace(), service));
  std::vector<std::string> ids;
  for (const ServiceKeyRow& row : rows) ids.push_back(row.key_id);
  return ids;
}

Result<> Access::revoke_token(const Caller& caller, const TokenId& token) {
  // Whose token it is, is told only to those who may ask.
  HF_CHECK(permit(caller, Action::kListPrincipals, {.workspace = caller.workspace()}));
  HF_TRY(Change change, Change::begin(*this));
  HF_TRY(const auto row, find_token(change.view(), caller.workspace(), token));
  if (!row) return base::fail(ErrorCode::kNotFound, "there is no such token, or it has ended");
  HF_TRY(const Decided decided, permit(caller, Action::kDisablePrincipal,
                                       principal_resource(caller.workspace(), row->facts.principal)));
  change.removes(row->row_name());
  HF_CHECK(change.record(decided, {{"revoked", token.value()}}));
  HF_CHECK(erase(change.rows(), *row));
  return change.commit(caller.workspace(), "token", token.value());
}

Result<> Access::revoke_tokens(const Caller& caller, const PrincipalId& principal) {
  HF_TRY(const Decided decided,
         permit(caller, Action::kDisablePrincipal, principal_resource(caller.workspace(), principal)));
  HF_TRY(Change change, Change::begin(*this, decided));
  change.ends_tokens(caller.workspace(), principal);
  HF_CHECK(change.record(decided, {{"revoked", "all tokens"}}));
  HF_CHECK(erase_tokens(change.rows(), caller.workspace(), principal));
  return change.commit(caller.workspace(), "token", principal.value());
}

}  // namespace holdfast::access
