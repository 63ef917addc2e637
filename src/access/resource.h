#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "access/principal.h"
#include "base/strong.h"

namespace holdfast::access {

enum class ResourceType : std::uint8_t {
  kWorkspace,  // for what concerns all of it: lists, metrics, new things
  kPrincipal,  // a person, service or group as something that is administered
  kDataset,
  kModel,
  kVersion,
  kEndpoint,
  kRun,
  kPolicy,
};

std::string_view to_string(ResourceType type);  // in Cedar: "Workspace", "Principal", ...

// What an action is taken on. Its entity in Cedar is Model::"<workspace>/<id>", in Workspace::"<workspace>";
// the workspace itself is Workspace::"<workspace>".
struct Resource {
  ResourceType type = ResourceType::kWorkspace;
  base::WorkspaceId workspace;
  std::string id = {};     // up to store::kMaxNameBytes
  std::string model = {};  // of a version: the id of its model, which it is in
  // Of a dataset or version: who made it and who made what it was made from. They can't approve or waive it.
  std::vector<PrincipalId> makers = {};

  [[nodiscard]] std::string text() const;  // Endpoint::"default/credit"
};

}  // namespace holdfast::access
