#pragma once

#include <string_view>

#include "supply/component.h"

// What is installed, by the records that the installer keeps.

namespace holdfast::supply {

// dist-info/METADATA or egg-info/PKG-INFO of a Python distribution (packaging.python.org/specifications/
// core-metadata): one component. kDataCorrupt without Name or Version.
base::Result<Component> read_python_metadata(std::string_view text, std::string_view path);

// direct_url.json beside METADATA (packaging.python.org/specifications/direct-url): where a distribution came
// from that no index gave. Into the package URL's qualifiers vcs_url and download_url (purl-spec), and the
// archive's digest. kDataCorrupt where it is none.
base::Result<> read_direct_url(std::string_view text, Component& to);

// A system, by its etc/os-release: "debian" and "12". Empty where it says nothing.
struct Distribution {
  std::string id;
  std::string version;
};
Distribution read_os_release(std::string_view text);

// /var/lib/dpkg/status (deb-control(5), dpkg-query(1)): the packages whose status is "installed", with the
// source package that advisories name as the qualifier "upstream".
base::Result<Inventory> read_dpkg_status(std::string_view text, const Distribution& on,
                                         std::string_view path);

// Alpine's lib/apk/db/installed (wiki.alpinelinux.org, "Apk spec", "Installed Database V2"): the packages,
// with the source package that advisories name as the qualifier "upstream".
base::Result<Inventory> read_apk_installed(std::string_view text, const Distribution& on,
                                           std::string_view path);

}  // namespace holdfast::supply
