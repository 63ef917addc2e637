#pragma once

#include <compare>
#include <string>

#include "base/result.h"
#include "base/strong.h"

namespace holdfast::keys {

// Which key: of which tenant, for what, and for whom or which thing. A thing whose own name holds other
// characters is named by a digest of it.
struct KeyName {
  base::WorkspaceId workspace;  // 1 to 64 of a-z, 0-9, "_" and "-", the first no hyphen
  std::string purpose;          // as a workspace
  std::string subject;          // 1 to 128 of a-z, 0-9, "_", "-" and ".", the first no hyphen or dot

  friend auto operator<=>(const KeyName&, const KeyName&) = default;
};

// "<workspace>/<purpose>/<subject>"; kInvalidArgument for other characters or lengths.
base::Result<std::string> full_name(const KeyName& name);

// For what belongs to the installation and to no tenant: workspace "_installation".
KeyName installation_key(std::string purpose, std::string subject);

}  // namespace holdfast::keys
