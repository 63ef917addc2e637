#include "registry/names.h"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::registry {

using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

constexpr std::size_t kMaxNameBytes = 64;

}  // namespace

Result<> check_name(std::string_view what, std::string_view name) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const bool right =
      !name.empty() && name.size() <= kMaxNameBytes && plain(name.front()) &&
      std::all_of(name.begin(), name.end(), [&](char c) { return plain(c) || c == '-' || c == '_'; });
  if (right) return {};
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("{} has 1 to {} of a-z, 0-9, \"-\" and \"_\", and begins with a letter or digit",
                          what, kMaxNameBytes));
}

}  // namespace holdfast::registry
