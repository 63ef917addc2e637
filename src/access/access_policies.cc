#include <fmt/format.h>

#include <algorithm>

#include "access/access.h"
#include "access/change.h"
#include "access/vocabulary.h"

namespace holdfast::access {
namespace {

using base::ErrorCode;
using base::Result;

constexpr std::string_view kGrantPrefix = "grant-";
constexpr std::size_t kMaxPoliciesOfWorkspace = 5'000;  // beside those that come with Holdfast

Resource policy_resource(const base::WorkspaceId& workspace, std::string_view id) {
  return {.type = ResourceType::kPolicy, .workspace = workspace, .id = std::string(id)};
}

Result<> require_unused(const base::WorkspaceId& workspace, std::string_view id) {
  HF_TRY(const auto builtin, builtin_policies(workspace));
  if (builtin.find(id) == nullptr) return {};
  return base::fail(ErrorCode::kAlreadyExists,
                    fmt::format("\"{}\" is a policy that comes with Holdfast; choose another id", id));
}

// No id of ours has another character, and one that can't be seen, or turns the text around it, would make a
// grant look like a grant of something else.
Result<> require_visible(std::string_view id) {
  if (std::all_of(id.begin(), id.end(), [](char c) { return c >= ' ' && c < '\x7F'; })) return {};
  return base::fail(ErrorCode::kInvalidArgument,
                    "the id of what a grant is for has printable ASCII characters and no others");
}

}  // namespace

Result<> Access::add_policy(const Decided& decided, const Caller& caller, std::string_view id, bool grant,
                            std::string_view text) {
  HF_CHECK(checked_policy(id, text));
  HF_CHECK(require_unused(caller.workspace(), id));
  HF_TRY(Change change, Change::begin(*this, decided));
  HF_TRY(const auto there, find_policy(change.view(), caller.workspace(), id));
  if (there && there->grant != grant) {
    return base::fail(ErrorCode::kAlreadyExists, fmt::format("there is another policy \"{}\" already", id));
  }
  HF_TRY(const std::int64_t count, count_policies(change.view(), caller.workspace()));
  if (!there && count >= static_cast<std::int64_t>(kMaxPoliciesOfWorkspace)) {
    return base::fail(
        ErrorCode::kLimitExceeded,
        fmt::format("the workspace has {} policies already; permit groups, not each principal", count));
  }
  PolicyRow row{
      .workspace = caller.workspace(), .id = std::string(id), .grant = grant, .text = std::string(text)};
  change.makes(row.row_name());
  HF_TRY(row.receipt, change.record(decided, {{"policy", row.id}}));
  if (there) HF_CHECK(erase(change.rows(), *there));
  HF_CHECK(insert(change.rows(), row));
  return change.commit(row.workspace, "policy", row.id);
}

Result<> Access::drop_policy(const Decided& decided, const Caller& caller, std::string_view id, bool grant) {
  HF_TRY(Change change, Change::begin(*this, decided));
  HF_TRY(const auto row, find_policy(change.view(), caller.workspace(), id));
  if (!row || row->grant != grant) {
    return base::fail(ErrorCode::kNotFound,
                      fmt::format("there is no {} \"{}\"", grant ? "grant" : "written policy",
                                  id.substr(0, kMaxPrincipalNameBytes)));
  }
  change.removes(row->row_name());
  HF_CHECK(change.record(decided, {{"removed", row->id}}));
  HF_CHECK(erase(change.rows(), *row));
  return change.commit(row->workspace, "policy", row->id);
}

Result<> Access::write_policy(const Caller& caller, std::string_view id, std::string_view text) {
  HF_CHECK(check_principal_name(id));
  if (id.starts_with(kGrantPrefix)) {
    return base::fail(ErrorCode::kInvalidArgument,
                      "ids that begin with grant- are for grants; choose another");
  }
  HF_TRY(const Decided decided,
         permit(caller, Action::kWritePolicy, policy_resource(caller.workspace(), id)));
  return add_policy(decided, caller, id, false, text);
}

Result<> Access::remove_policy(const Caller& caller, std::string_view id) {
  HF_TRY(const Decided decided,
         permit(caller, Action::kWritePolicy, policy_resource(caller.workspace(), id)));
  return drop_policy(decided, caller, id, false);
}

Result<std::vector<WrittenPolicy>> Access::list_policies(const Caller& caller) {
  HF_CHECK(authorise(caller, Action::kReadPolicy, {.workspace = caller.workspace()}));
  HF_TRY(const store::Snapshot view, parts_.database.snapshot());
  HF_TRY(auto rows, all_policies(view));
  std::vector<WrittenPolicy> policies;
  for (PolicyRow& row : rows) {
    if (row.workspace != caller.workspace()) continue;
    policies.push_back({std::move(row.workspace), std::move(row.id), std::move(row.text)});
  }
  return policies;
}

Result<std::string> Access::grant(const Caller& caller, const PrincipalId& principal, Action action,
                                  const Resource& resource) {
  HF_TRY(const Decided decided, permit(caller, Action::kGrant, resource));
  HF_CHECK(require_visible(resource.id));
  HF_TRY(const auto current, snapshot());
  const Principal* to = current->find(caller.workspace(), principal);
  if (to == nullptr) {
    return base::fail(ErrorCode::kNotFound, fmt::format("there is no principal with the id \"{}\"",
                                                        principal.value().substr(0, kMaxPrincipalNameBytes)));
  }
  const std::string text =
      grant_text(principal_entity(to->workspace, to->kind, to->id), to->kind, action, resource);
  HF_TRY(const store::Snapshot view, parts_.database.snapshot());
  HF_TRY(const auto policies, all_policies(view));
  const auto same = std::ranges::find_if(policies, [&](const PolicyRow& row) {
    return row.grant && row.workspace == caller.workspace() && row.text == text;
  });
  if (same != policies.end()) return same->id;
  const std::string id = std::string(kGrantPrefix) + make_id();
  HF_CHECK(add_policy(decided, caller, id, true, text));
  return id;
}

Result<> Access::revoke_grant(const Caller& caller, std::string_view policy_id) {
  HF_TRY(const Decided decided,
         permit(caller, Action::kGrant, policy_resource(caller.workspace(), policy_id)));
  return drop_policy(decided, caller, policy_id, true);
}

}  // namespace holdfast::access
