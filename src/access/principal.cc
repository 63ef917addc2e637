#include "access/principal.h"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::access {
namespace {

using base::ErrorCode;
using base::Result;

constexpr std::size_t kMaxWorkspaceBytes = 63;

// ASCII's own, since isalnum() asks the locale.
bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_letter_or_digit(char c) { return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z'); }

}  // namespace

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::kPerson:
      return "person";
    case Kind::kService:
      return "service";
    case Kind::kGroup:
      return "group";
  }
  return "group";
}

std::optional<Kind> kind_of(std::string_view text) {
  for (const Kind kind : {Kind::kPerson, Kind::kService, Kind::kGroup}) {
    if (to_string(kind) == text) return kind;
  }
  return std::nullopt;
}

std::string_view entity_type(Kind kind) {
  switch (kind) {
    case Kind::kPerson:
      return "Person";
    case Kind::kService:
      return "Service";
    case Kind::kGroup:
      return "Group";
  }
  return "Group";
}

Result<> check_principal_name(std::string_view name) {
  const auto allowed = [](char c) {
    return is_letter_or_digit(c) || std::string_view("._@+-").find(c) != std::string_view::npos;
  };
  if (name.empty() || name.size() > kMaxPrincipalNameBytes || !is_letter_or_digit(name.front()) ||
      !std::all_of(name.begin(), name.end(), allowed)) {
    return base::fail(ErrorCode::kInvalidArgument,
                      fmt::format("a name has 1 to {} ASCII letters, digits and ._@+-, and begins with a "
                                  "letter or digit",
                                  kMaxPrincipalNameBytes));
  }
  return {};
}

Result<> check_workspace_name(const base::WorkspaceId& workspace) {
  const std::string& name = workspace.value();
  const auto allowed = [](char c) { return is_lower_or_digit(c) || c == '-'; };
  if (name.empty() || name.size() > kMaxWorkspaceBytes || name.front() == '-' ||
      !std::all_of(name.begin(), name.end(), allowed)) {
    return base::fail(
        ErrorCode::kInvalidArgument,
        fmt::format("a workspace's name has 1 to {} lower-case letters, digits and hyphens, and "
                    "begins with no hyphen",
                    kMaxWorkspaceBytes));
  }
  return {};
}

}  // namespace holdfast::access
