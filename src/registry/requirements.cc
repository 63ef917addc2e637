#include "registry/requirements.h"

#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "policy/parser.h"
#include "registry/names.h"
#include "registry/row_record.h"
#include "registry/test_looks.h"

namespace holdfast::registry {

using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;
using store::Sql;

namespace {

// All of what the row says.
audit::RowName name_row(const Requirements& requirements) {
  return audit::name_row(fmt::format("requirements/{}/{}/{}", requirements.workspace.value(),
                                     requirements.model, requirements.version),
                         {{"dataset", requirements.dataset},
                          {"dataset_version", requirements.dataset_version},
                          {"task", requirements.task_toml},
                          {"policies", requirements.policies_cedar},
                          {"looks_before", requirements.looks_before},
                          {"written_at", requirements.written_at.microseconds()},
                          {"written_by", requirements.written_by}});
}

Result<std::optional<Requirements>> newest(const store::Snapshot& snapshot,
                                           const base::WorkspaceId& workspace, std::string_view model) {
  auto found = snapshot.row<std::int64_t, std::string, std::int64_t, std::string, std::string, std::int64_t,
                            base::Timestamp, std::string>(
      Sql("SELECT version, dataset, dataset_version, task, policies, looks_before, written_at, written_by"
          " FROM requirements WHERE workspace = $1 AND model = $2 ORDER BY version DESC LIMIT 1"),
      workspace, model);
  if (!found) return fail(std::move(found).error());
  if (!*found) return std::optional<Requirements>();
  auto& [version, dataset, dataset_version, task, policies, looks, written_at, written_by] = **found;
  return std::optional(Requirements{.workspace = workspace,
                                    .model = std::string(model),
                                    .version = version,
                                    .dataset = std::move(dataset),
                                    .dataset_version = dataset_version,
                                    .task_toml = std::move(task),
                                    .policies_cedar = std::move(policies),
                                    .looks_before = static_cast<std::uint64_t>(looks),
                                    .written_at = written_at,
                                    .written_by = std::move(written_by)});
}

Result<> insert(store::Transaction& change, const Requirements& requirements, const audit::Receipt& receipt) {
  HF_CHECK(change.execute(
      Sql("INSERT INTO requirements (workspace, model, version, dataset, dataset_version, task, policies,"
          " looks_before, written_at, written_by, record_index, record)"
          " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"),
      requirements.workspace, requirements.model, requirements.version, requirements.dataset,
      requirements.dataset_version, requirements.task_toml, requirements.policies_cedar,
      static_cast<std::int64_t>(requirements.looks_before), requirements.written_at, requirements.written_by,
      static_cast<std::int64_t>(receipt.index), receipt.leaf));
  return {};
}

}  // namespace

json Requirements::json() const {
  return {{"model", model},
          {"version", version},
          {"dataset", dataset},
          {"dataset_version", dataset_version},
          {"task", task_toml},
          {"policies", policies_cedar},
          {"looks_before", looks_before},
          {"written_at", written_at.text()},
          {"written_by", written_by}};
}

namespace {

bool applies_to_approval(const policy::ActionConstraint& action) {
  if (action.kind == policy::ActionConstraint::Kind::kAny) return true;
  return std::find(action.actions.begin(), action.actions.end(), policy::EntityUid("Action", "approve")) !=
         action.actions.end();
}

// A forbid about another action, misspelt perhaps, would never refuse anything.
Result<> check_applies(const policy::Policy& one) {
  if (applies_to_approval(one.action)) return {};
  return fail(
      ErrorCode::kInvalidArgument,
      fmt::format("the gate's policies: {} is not about Action::\"approve\", all that a gate is asked "
                  "for, so that it would never count; write action == Action::\"approve\"",
                  one.id));
}

}  // namespace

Result<policy::PolicySet> parse_gate(std::string_view cedar) {
  auto policies = policy::parse_policies(cedar, policy::PolicyIds::kAnnotation);
  if (!policies) return fail(std::move(policies).error().within("the gate's policies"));
  bool permits = false;
  for (const auto& one : policies->policies()) {
    HF_CHECK(check_applies(one));
    if (one.effect == policy::Effect::kPermit) {
      permits = true;
    } else if (!one.annotation("id")) {
      return fail(
          ErrorCode::kInvalidArgument,
          fmt::format("the gate's policies: {} is a requirement without @id(\"...\"), so that no refusal "
                      "could name it",
                      one.id));
    }
  }
  if (permits) return *std::move(policies);
  return fail(ErrorCode::kInvalidArgument,
              "the gate's policies hold no permit, so that nothing could ever pass; add permit(principal, "
              "action == Action::\"approve\", resource);");
}

Result<Requirements> RequirementsRoom::write(const access::Authorised& authorised,
                                             const NewRequirements& wanted) {
  HF_CHECK(check_name("a model's name", wanted.model));
  const auto& workspace = authorised.caller().workspace();
  HF_TRY(const auto dataset, Datasets(parts_).find(workspace, wanted.dataset));
  HF_TRY(const auto task, assess::parse_task(wanted.task_toml, "task"));
  HF_CHECK(assess::check_columns(task, dataset.schema));
  HF_CHECK(parse_gate(wanted.policies_cedar));

  HF_TRY(auto change, parts_.database.begin());
  HF_TRY(const auto before, newest(change.view(), workspace, wanted.model));
  HF_TRY(const std::uint64_t looks, count_test_looks(change.view(), workspace, dataset.digest));
  Requirements requirements{.workspace = workspace,
                            .model = wanted.model,
                            .version = before ? before->version + 1 : 1,
                            .dataset = dataset.name,
                            .dataset_version = dataset.version,
                            .task_toml = wanted.task_toml,
                            .policies_cedar = wanted.policies_cedar,
                            .looks_before = looks,
                            .written_at = parts_.clock.now(),
                            .written_by = authorised.caller().text()};
  HF_TRY(auto recorded, record_row(parts_.log, authorised, "requirements.write", name_row(requirements),
                                   {{"model", requirements.model},
                                    {"version", requirements.version},
                                    {"looks_before", requirements.looks_before}}));
  HF_CHECK(insert(change, requirements, recorded.receipt()));
  HF_CHECK(change.next_change(workspace, "requirements", requirements.model));
  HF_CHECK(recorded.commit(change));
  return requirements;
}

Result<Requirements> RequirementsRoom::find(const base::WorkspaceId& workspace,
                                            std::string_view model) const {
  HF_TRY(const auto snapshot, parts_.database.snapshot());
  HF_TRY(auto found, newest(snapshot, workspace, model));
  if (found) return *std::move(found);
  return fail(
      ErrorCode::kNotFound,
      fmt::format(
          "nothing says what the model {} must show; write it with `holdfast require {} --dataset NAME "
          "--task task.toml --policies gate.cedar`",
          model, model));
}

Result<> claim_requirements(const store::Snapshot& view, std::vector<audit::RowClaim>& claims) {
  using Key = std::tuple<base::WorkspaceId, std::string, std::int64_t>;
  const auto query = [&view](const Key& after) {
    const auto& [workspace, model, version] = after;
    return view.rows<base::WorkspaceId, std::string, std::int64_t, std::string, std::int64_t, std::string,
                     std::string, std::int64_t, base::Timestamp, std::string, std::int64_t, base::Digest>(
        Sql("SELECT workspace, model, version, dataset, dataset_version, task, policies, looks_before,"
            " written_at, written_by, record_index, record FROM requirements"
            " WHERE (workspace, model, version) > ($1, $2, $3) ORDER BY workspace, model, version LIMIT $4"),
        workspace, model, version, audit::kClaimsPage);
  };
  return audit::claim_pages(Key(), query, [&claims](auto& row) -> Result<Key> {
    auto& [workspace, model, version, dataset, dataset_version, task, policies, looks, at, by, index, leaf] =
        row;
    const Requirements requirements{.workspace = workspace,
                                    .model = model,
                                    .version = version,
                                    .dataset = dataset,
                                    .dataset_version = dataset_version,
                                    .task_toml = task,
                                    .policies_cedar = policies,
                                    .looks_before = static_cast<std::uint64_t>(looks),
                                    .written_at = at,
                                    .written_by = by};
    claims.push_back(audit::claim_row(name_row(requirements), index, leaf));
    return Key(workspace, model, version);
  });
}

}  // namespace holdfast::registry
