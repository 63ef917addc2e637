#include "updates/components.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/file.h"
#include "supply/installed.h"

namespace holdfast::updates {
namespace {

using base::Result;

#include "components.inc"   // kBuiltOn, kComponents, made by module.cmake
#include "program_day.inc"  // kProgramDay

constexpr std::size_t kMaxStatusBytes = 256UL << 20;
constexpr std::size_t kFields = 6;

// Functions by which libraries tell their version, looked for among what is loaded, so that nothing is linked
// for the sake of asking.
struct VersionFunction {
  std::string_view component;
  const char* symbol;
  bool takes_number;  // OpenSSL_version(0)
};
constexpr VersionFunction kVersionFunctions[] = {
    {"OpenSSL", "OpenSSL_version", true},       {"SQLite", "sqlite3_libversion", false},
    {"libcurl", "curl_version", false},         {"zlib", "zlibVersion", false},
    {"bzip2", "BZ2_bzlibVersion", false},       {"XZ Utils", "lzma_version_string", false},
    {"Zstandard", "ZSTD_versionString", false}, {"LZ4", "LZ4_versionString", false}};

// "OpenSSL 3.0.17 1 Jul 2025", "libcurl/7.88.1 OpenSSL/3.0.17", "1.0.8, 13-Jul-2019": the first number with
// dots.
std::string first_version(std::string_view text) {
  const auto begin = text.find_first_of("0123456789");
  if (begin == std::string_view::npos) return {};
  text.remove_prefix(begin);
  return std::string(text.substr(0, text.find_first_of(" ,/")));
}

std::string loaded_version(std::string_view component) {
  for (const auto& function : kVersionFunctions) {
    if (function.component != component) continue;
    void* address = ::dlsym(RTLD_DEFAULT, function.symbol);
    if (address == nullptr) return {};
    const char* text = function.takes_number ? reinterpret_cast<const char* (*)(int)>(address)(0)
                                             : reinterpret_cast<const char* (*)()>(address)();
    return first_version(text == nullptr ? "" : text);
  }
  return {};
}

std::array<std::string_view, kFields> fields_of(std::string_view line) {
  std::array<std::string_view, kFields> fields;
  for (auto& field : fields) {
    field = line.substr(0, line.find('|'));
    line.remove_prefix(std::min(field.size() + 1, line.size()));
  }
  return fields;
}

supply::PackageUrl purl_of(const std::array<std::string_view, kFields>& fields) {
  const auto& [name, how, package, version, source, architecture] = fields;
  supply::PackageUrl purl;
  if (package.empty()) return purl;
  purl.name = package;
  purl.version = version;
  if (how == "npm") {
    purl.type = "npm";
    return purl;
  }
  const auto bar = kBuiltOn.find('|');
  purl.type = "deb";
  purl.name_space = kBuiltOn.substr(0, bar);
  purl.qualifiers["arch"] = architecture;
  purl.qualifiers["distro"] = fmt::format("{}-{}", kBuiltOn.substr(0, bar), kBuiltOn.substr(bar + 1));
  if (source != package) purl.qualifiers["upstream"] = source;
  return purl;
}

// By package name; empty where this machine has no such database.
Result<std::map<std::string, supply::PackageUrl>> installed_packages(const std::filesystem::path& root) {
  std::map<std::string, supply::PackageUrl> packages;
  const auto status = base::read_file(root / "var/lib/dpkg/status", kMaxStatusBytes);
  if (!status && status.error().code == base::ErrorCode::kNotFound) return packages;
  if (!status) return base::fail(status.error());
  const auto release = base::read_file(root / "etc/os-release", 1UL << 16);
  const auto on = supply::read_os_release(release ? base::as_text(*release) : "");
  HF_TRY(auto inventory, supply::read_dpkg_status(base::as_text(*status), on, "var/lib/dpkg/status"));
  for (auto& component : inventory.components) {
    auto name = component.purl.name;
    packages.emplace(std::move(name), std::move(component.purl));
  }
  return packages;
}

}  // namespace

Result<std::vector<LinkedComponent>> linked_components(const std::filesystem::path& root) {
  HF_TRY(const auto packages, installed_packages(root));
  std::vector<LinkedComponent> components;
  for (const auto line : kComponents) {
    const auto fields = fields_of(line);
    LinkedComponent one{.name = std::string(fields[0]),
                        .purl = purl_of(fields),
                        .built_with = std::string(fields[3]),
                        .loaded_version = loaded_version(fields[0]),
                        .inside = fields[1] != "shared"};
    if (!one.inside) {
      const auto now = packages.find(one.purl.name);
      if (now != packages.end()) one.purl = now->second;
    }
    components.push_back(std::move(one));
  }
  std::ranges::sort(components, {}, &LinkedComponent::name);
  return components;
}

supply::Inventory inventory_of(const std::vector<LinkedComponent>& components) {
  supply::Inventory inventory;
  for (const auto& one : components) {
    if (one.purl.type.empty()) {
      inventory.gaps.push_back(
          fmt::format("which package {} comes from{}", one.name,
                      one.loaded_version.empty() ? "" : ", of version " + one.loaded_version));
      continue;
    }
    inventory.components.push_back({.purl = one.purl, .found_in = one.inside ? "compiled in" : "loaded"});
  }
  return inventory;
}

base::Timestamp program_day() {
  return base::Timestamp::parse(std::string(kProgramDay) + "T00:00:00Z").value_or(base::Timestamp());
}

}  // namespace holdfast::updates
