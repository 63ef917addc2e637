#include "access/vocabulary.h"

#include <fmt/format.h>

#include "base/assert.h"
#include "policy/parser.h"
#include "policy/validator.h"

namespace holdfast::access {
namespace {

using base::ErrorCode;
using base::Result;
using base::WorkspaceId;
using policy::EntityUid;
using policy::Policy;
using policy::PolicySet;

constexpr std::string_view kSchemaText =
#include "access_cedarschema.inc"
    ;
constexpr std::string_view kDefaultPolicies =
#include "default_cedar.inc"
    ;

std::string within(const WorkspaceId& workspace, std::string_view id) {
  return fmt::format("{}/{}", workspace.value(), id);
}

// What the validator says of a policy is bounded, so that a hostile text can't fill an answer.
constexpr std::size_t kMaxIssues = 5;

Result<> require_valid(const PolicySet& policies) {
  const policy::ValidationReport report = policy::validate_policies(policies, schema());
  if (report.errors.empty()) return {};
  std::string all;
  for (std::size_t i = 0; i < std::min(report.errors.size(), kMaxIssues); ++i) {
    all += (i == 0 ? "" : "; ") + report.errors[i].message;
  }
  return base::fail(ErrorCode::kInvalidArgument, "the policy does not fit the schema: " + all);
}

}  // namespace

const policy::Schema& schema() {
  static const policy::Schema kSchema = [] {
    auto parsed = policy::Schema::parse(kSchemaText);
    HF_ASSERT(parsed.has_value());
    return *std::move(parsed);
  }();
  return kSchema;
}

EntityUid workspace_entity(const WorkspaceId& workspace) { return {"Workspace", workspace.value()}; }

EntityUid principal_entity(const WorkspaceId& workspace, Kind kind, const PrincipalId& id) {
  return {std::string(entity_type(kind)), within(workspace, id.value())};
}

EntityUid action_entity(Action action) { return {"Action", std::string(info(action).name)}; }

EntityUid resource_entity(const Resource& resource) {
  if (resource.type == ResourceType::kWorkspace) return workspace_entity(resource.workspace);
  return {std::string(to_string(resource.type)), within(resource.workspace, resource.id)};
}

Result<PolicySet> builtin_policies(const WorkspaceId& workspace) {
  HF_TRY(PolicySet set, policy::parse_policies(kDefaultPolicies, policy::PolicyIds::kAnnotation));
  HF_CHECK(require_valid(set));
  const std::vector<Policy> templates = set.templates();
  for (const Policy& role : templates) {
    const auto group = role.annotation("group");
    if (!group) {
      return base::fail(ErrorCode::kInternal, "the built-in template " + role.id + " names no group");
    }
    HF_CHECK(set.link(role.id, fmt::format("role:{}", role.id),
                      principal_entity(workspace, Kind::kGroup, PrincipalId(std::string(*group))),
                      workspace_entity(workspace)));
  }
  return set;
}

Result<Policy> checked_policy(std::string_view id, std::string_view text) {
  if (text.size() > kMaxPolicyBytes) {
    return base::fail(ErrorCode::kLimitExceeded,
                      fmt::format("the policy \"{}\" has {} bytes, over the limit of {}", id, text.size(),
                                  kMaxPolicyBytes));
  }
  const auto named = [id](base::Error error) {
    return base::fail(std::move(error).within(fmt::format("the policy \"{}\"", id)));
  };
  auto parsed = policy::parse_policies(text);
  if (!parsed) return named(parsed.error());
  if (parsed->policies().size() != 1 || !parsed->templates().empty()) {
    return named(
        {ErrorCode::kInvalidArgument,
         fmt::format("the text must hold exactly one policy without slots, and holds {} policies and "
                     "{} templates",
                     parsed->policies().size(), parsed->templates().size())});
  }
  if (const auto valid = require_valid(*parsed); !valid) return named(valid.error());
  Policy policy = parsed->policies().front();
  if (const auto own = policy.annotation("id"); own && *own != id) {
    return named({ErrorCode::kInvalidArgument,
                  fmt::format("its @id is \"{}\"; give both the same name, or leave @id out",
                              own->substr(0, kMaxPrincipalNameBytes))});
  }
  policy.id = std::string(id);
  return policy;
}

std::string grant_text(const EntityUid& principal, Kind kind, Action action, const Resource& resource) {
  return fmt::format(
      "permit (principal {} {}, action == {}, resource {} {});\n",
      kind == Kind::kGroup ? "in" : "==", principal.text(), action_entity(action).text(),
      resource.type == ResourceType::kWorkspace ? "in" : "==", resource_entity(resource).text());
}

}  // namespace holdfast::access
