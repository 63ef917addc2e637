#include "supply/version.h"

#include <fmt/format.h>

#include <algorithm>

#include "supply/version_keys.h"

namespace holdfast::supply {

base::Result<Version> Version::parse(VersionOrder order, std::string_view text) {
  if (text.size() > kMaxBytes) {
    return base::fail(base::ErrorCode::kInvalidArgument,
                      fmt::format("a version has at most {} bytes, not {}", kMaxBytes, text.size()));
  }
  std::optional<std::string> key;
  switch (order) {
    case VersionOrder::kPep440:
      key = pep440_key(text);
      break;
    case VersionOrder::kSemver:
      key = semver_key(text);
      break;
    case VersionOrder::kDpkg:
      key = dpkg_key(text);
      break;
    case VersionOrder::kRpm:
      key = rpm_key(text);
      break;
    case VersionOrder::kApk:
      key = apk_key(text);
      break;
    case VersionOrder::kMaven:
      key = maven_key(text);
      break;
  }
  if (!key) {
    return base::fail(base::ErrorCode::kInvalidArgument,
                      fmt::format("\"{}\" is no version that its ecosystem can order", text));
  }
  return Version(*std::move(key));
}

}  // namespace holdfast::supply
