#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast::supply {

// A package URL (github.com/package-url/purl-spec, ECMA-427):
// pkg:type/namespace/name@version?qualifiers#subpath, its parts decoded. A plain value.
struct PackageUrl {
  static constexpr std::size_t kMaxBytes = 8192;

  std::string type;        // lower case
  std::string name_space;  // segments with "/" between; may be empty
  std::string name;
  std::string version;  // may be empty
  std::map<std::string, std::string> qualifiers;
  std::string subpath;

  friend bool operator==(const PackageUrl&, const PackageUrl&) = default;
};

// Canonical, so that equal packages have equal texts; names as the type asks for (pypi: PEP 503).
std::string to_string(const PackageUrl& purl);

// kInvalidArgument says what is wrong; kLimitExceeded over kMaxBytes.
base::Result<PackageUrl> parse_purl(std::string_view text);

}  // namespace holdfast::supply
