#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "supply/version.h"

// The places that packages come from, by the names that OSV gives them ("PyPI", "Debian:12"; ossf.github.io/
// osv-schema, "Defined ecosystems"), and what each does with names and versions.

namespace holdfast::supply {

// The part before a colon: "Debian" of "Debian:12".
std::string_view base_ecosystem(std::string_view ecosystem);

// Nothing where this program knows no order: only versions that an advisory lists can then be told.
std::optional<VersionOrder> version_order(std::string_view ecosystem);

// The one spelling of a package's name: PEP 503's for PyPI, lower case where the ecosystem tells no case.
std::string normalised_name(std::string_view ecosystem, std::string_view name);

// The package URL type (github.com/package-url/purl-spec): "pypi"; empty where there is none.
std::string_view purl_type(std::string_view ecosystem);
// The other way; empty for a type that OSV has no ecosystem of.
std::string_view ecosystem_of_purl_type(std::string_view type);

}  // namespace holdfast::supply
