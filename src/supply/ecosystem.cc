#include "supply/ecosystem.h"

#include <algorithm>
#include <array>

#include "supply/version_keys.h"

namespace holdfast::supply {
namespace {

struct Ecosystem {
  std::string_view name;
  std::string_view purl_type;
  std::optional<VersionOrder> order;
  bool folds_case;  // of names
};

// Where two ecosystems have one type, the first is meant by the type alone.
constexpr std::array<Ecosystem, 22> kEcosystems{{
    {"PyPI", "pypi", VersionOrder::kPep440, true},
    {"npm", "npm", VersionOrder::kSemver, false},
    {"crates.io", "cargo", VersionOrder::kSemver, false},
    {"Go", "golang", VersionOrder::kSemver, false},
    {"Maven", "maven", VersionOrder::kMaven, false},
    {"Debian", "deb", VersionOrder::kDpkg, true},
    {"Ubuntu", "deb", VersionOrder::kDpkg, true},
    {"Red Hat", "rpm", VersionOrder::kRpm, false},
    {"AlmaLinux", "rpm", VersionOrder::kRpm, false},
    {"Rocky Linux", "rpm", VersionOrder::kRpm, false},
    {"openSUSE", "rpm", VersionOrder::kRpm, false},
    {"SUSE", "rpm", VersionOrder::kRpm, false},
    {"ConanCenter", "conan", std::nullopt, true},
    {"Hex", "hex", VersionOrder::kSemver, true},
    {"Pub", "pub", VersionOrder::kSemver, true},
    {"SwiftURL", "swift", VersionOrder::kSemver, false},
    {"GitHub Actions", "githubactions", VersionOrder::kSemver, false},
    {"NuGet", "nuget", std::nullopt, true},
    {"RubyGems", "gem", std::nullopt, false},
    {"Packagist", "composer", std::nullopt, true},
    {"Alpine", "apk", VersionOrder::kApk, true},
    {"CRAN", "cran", std::nullopt, false},
}};

const Ecosystem* find(std::string_view ecosystem) {
  const auto name = base_ecosystem(ecosystem);
  const auto* found = std::find_if(kEcosystems.begin(), kEcosystems.end(),
                                   [&](const Ecosystem& each) { return each.name == name; });
  return found == kEcosystems.end() ? nullptr : found;
}

// PEP 503: runs of "-", "_" and "." are one "-".
std::string pep503(std::string_view name) {
  std::string normal;
  for (const char c : name) {
    const bool separator = c == '-' || c == '_' || c == '.';
    if (!separator) normal.push_back(lower(c));
    if (separator && !normal.ends_with('-')) normal.push_back('-');
  }
  return normal;
}

}  // namespace

std::string_view base_ecosystem(std::string_view ecosystem) {
  return ecosystem.substr(0, ecosystem.find(':'));
}

std::optional<VersionOrder> version_order(std::string_view ecosystem) {
  const auto* found = find(ecosystem);
  return found == nullptr ? std::nullopt : found->order;
}

std::string normalised_name(std::string_view ecosystem, std::string_view name) {
  const auto* found = find(ecosystem);
  if (found != nullptr && found->name == "PyPI") return pep503(name);
  std::string normal(name);
  if (found != nullptr && found->folds_case) {
    std::transform(normal.begin(), normal.end(), normal.begin(), lower);
  }
  return normal;
}

std::string_view purl_type(std::string_view ecosystem) {
  const auto* found = find(ecosystem);
  return found == nullptr ? std::string_view() : found->purl_type;
}

std::string_view ecosystem_of_purl_type(std::string_view type) {
  const auto* found = std::find_if(kEcosystems.begin(), kEcosystems.end(),
                                   [&](const Ecosystem& each) { return each.purl_type == type; });
  return found == kEcosystems.end() ? std::string_view() : found->name;
}

}  // namespace holdfast::supply
