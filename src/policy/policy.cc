#include "policy/policy.h"

#include <fmt/format.h>

#include <utility>

namespace holdfast::policy {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;

std::string constraint_text(std::string_view variable, const EntityConstraint& constraint) {
  using Kind = EntityConstraint::Kind;
  std::string out(variable);
  if (constraint.kind == Kind::kIs || constraint.kind == Kind::kIsIn) out += " is " + constraint.type;
  if (constraint.kind == Kind::kIn || constraint.kind == Kind::kIsIn) out += " in ";
  if (constraint.kind == Kind::kEqual) out += " == ";
  if (constraint.kind == Kind::kAny || constraint.kind == Kind::kIs) return out;
  return out + (constraint.entity ? constraint.entity->text() : fmt::format("?{}", variable));
}

std::string constraint_text(const ActionConstraint& constraint) {
  if (constraint.kind == ActionConstraint::Kind::kAny) return "action";
  if (constraint.kind == ActionConstraint::Kind::kEqual) return "action == " + constraint.actions[0].text();
  std::string out = "action in [";
  for (std::size_t i = 0; i < constraint.actions.size(); ++i) {
    out += fmt::format("{}{}", i == 0 ? "" : ", ", constraint.actions[i].text());
  }
  return out + "]";
}

}  // namespace

Result<> check_action_type(const EntityUid& uid) {
  const std::string& type = uid.type();
  const std::size_t colon = type.rfind(':');
  if (std::string_view(type).substr(colon == std::string::npos ? 0 : colon + 1) == "Action") return {};
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("{} is no action; the type of one is `Action`, in any namespace", uid.text()));
}

std::optional<std::string_view> Policy::annotation(std::string_view name) const {
  const auto at = annotations.find(name);
  if (at == annotations.end()) return std::nullopt;
  return at->second;
}

std::string Policy::text() const {
  std::string out;
  for (const auto& [name, value] : annotations) out += fmt::format("@{}({})\n", name, quote(value));
  out += fmt::format("{}({}, {}, {})", effect == Effect::kPermit ? "permit" : "forbid",
                     constraint_text("principal", principal), constraint_text(action),
                     constraint_text("resource", resource));
  for (const Condition& condition : conditions) {
    out +=
        fmt::format("\n{} {{ {} }}", condition.unless ? "unless" : "when", expression->text(condition.root));
  }
  return out + ";\n";
}

const Policy* PolicySet::find(std::string_view id) const {
  const auto at = index_.find(id);
  if (at == index_.end()) return nullptr;
  return at->second < policies_.size() ? &policies_[at->second] : &templates_[~at->second];
}

Result<> PolicySet::add(Policy policy) {
  if (index_.size() >= kMaxPolicies) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("a policy set holds at most {} policies", kMaxPolicies));
  }
  std::vector<Policy>& list = policy.is_template() ? templates_ : policies_;
  const std::size_t index = policy.is_template() ? ~list.size() : list.size();
  if (!index_.try_emplace(policy.id, index).second) {
    return fail(ErrorCode::kAlreadyExists,
                fmt::format("two policies are called \"{}\"; give each its own @id", policy.id));
  }
  list.push_back(std::move(policy));
  return {};
}

Result<> PolicySet::link(std::string_view template_id, std::string id, std::optional<EntityUid> principal,
                         std::optional<EntityUid> resource) {
  const Policy* from = find(template_id);
  if (from == nullptr || !from->is_template()) {
    return fail(ErrorCode::kNotFound, fmt::format("there is no template \"{}\"", template_id));
  }
  if (from->has_principal_slot() != principal.has_value() ||
      from->has_resource_slot() != resource.has_value()) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("the template \"{}\" takes {} ?principal and {} ?resource", template_id,
                            from->has_principal_slot() ? "a" : "no", from->has_resource_slot() ? "a" : "no"));
  }
  Policy linked = *from;
  linked.id = std::move(id);
  if (principal) linked.principal.entity = std::move(principal);
  if (resource) linked.resource.entity = std::move(resource);
  return add(std::move(linked));
}

}  // namespace holdfast::policy
