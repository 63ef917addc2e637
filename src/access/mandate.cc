#include "access/mandate.h"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "access/tokens.h"

namespace holdfast::access {

using base::ErrorCode;
using base::Result;
using nlohmann::json;

namespace {

constexpr std::array kTypes{ResourceType::kWorkspace, ResourceType::kPrincipal, ResourceType::kDataset,
                            ResourceType::kModel,     ResourceType::kVersion,   ResourceType::kEndpoint,
                            ResourceType::kRun,       ResourceType::kPolicy};

auto damaged() { return base::fail(ErrorCode::kDataCorrupt, "a kept mandate is damaged"); }

Result<std::string> text_of(const json& value, const char* name) {
  const auto found = value.find(name);
  if (found == value.end() || !found->is_string()) return damaged();
  return found->get<std::string>();
}

Result<Resource> resource_of(const json& value, const base::WorkspaceId& workspace) {
  if (!value.is_object()) return damaged();
  HF_TRY(const std::string type, text_of(value, "type"));
  const auto* known = std::ranges::find(kTypes, type, [](ResourceType one) { return to_string(one); });
  const auto makers = value.find("makers");
  if (known == kTypes.end() || makers == value.end() || !makers->is_array()) return damaged();
  Resource resource{.type = *known, .workspace = workspace};
  HF_TRY(resource.id, text_of(value, "id"));
  HF_TRY(resource.model, text_of(value, "model"));
  for (const auto& maker : *makers) {
    if (!maker.is_string()) return damaged();
    resource.makers.emplace_back(maker.get<std::string>());
  }
  return resource;
}

}  // namespace

Mandate Mandate::of(const Authorised& authorised, base::Timestamp expires) {
  const Caller& caller = authorised.caller();
  return {.workspace = caller.workspace(),
          .principal = caller.id(),
          .audience = caller.audience(),
          .action = authorised.action(),
          .resource = authorised.resource(),
          .expires = expires};
}

json Mandate::json() const {
  auto ids = nlohmann::json::array();
  for (const auto& maker : resource.makers) ids.push_back(maker.value());
  return {{"workspace", workspace.value()},
          {"principal", principal.value()},
          {"audience", audience},
          {"action", info(action).name},
          {"resource",
           {{"type", to_string(resource.type)},
            {"id", resource.id},
            {"model", resource.model},
            {"makers", std::move(ids)}}},
          {"expires_us", expires.microseconds()}};
}

Result<Mandate> Mandate::parse(const nlohmann::json& value) {
  if (!value.is_object()) return damaged();
  Mandate mandate;
  HF_TRY(auto workspace, text_of(value, "workspace"));
  HF_TRY(auto principal, text_of(value, "principal"));
  HF_TRY(mandate.audience, text_of(value, "audience"));
  HF_TRY(const auto action, text_of(value, "action"));
  mandate.workspace = base::WorkspaceId(std::move(workspace));
  mandate.principal = PrincipalId(std::move(principal));
  const auto known = action_named(action);
  const auto expires = value.find("expires_us");
  const auto resource = value.find("resource");
  if (!known || expires == value.end() || !expires->is_number_integer() || resource == value.end()) {
    return damaged();
  }
  mandate.action = *known;
  mandate.expires = base::Timestamp::from_microseconds(expires->get<std::int64_t>());
  HF_TRY(mandate.resource, resource_of(*resource, mandate.workspace));
  // Only the server's own user is anybody without a token.
  if (mandate.audience.empty() != (mandate.principal.value() == kLocalOperator)) return damaged();
  return mandate;
}

}  // namespace holdfast::access
