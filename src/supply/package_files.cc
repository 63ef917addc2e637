#include "supply/package_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "supply/installed.h"
#include "supply/lock_file.h"
#include "supply/rpm_database.h"

namespace holdfast::supply {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;

constexpr std::size_t kMaxMetadataBytes = 16UL << 20;
constexpr std::size_t kMaxBesideBytes = 1UL << 20;
constexpr std::size_t kMaxStatusBytes = 256UL << 20;

base::Result<std::string> text_of(const FileReader& read, const fs::path& path, std::size_t max_bytes) {
  HF_TRY(const auto bytes, read(path, max_bytes));
  return std::string(base::as_text(bytes));
}

bool is_python_metadata(const fs::path& path) {
  const auto folder = path.parent_path().filename().string();
  return (path.filename() == "METADATA" && folder.ends_with(".dist-info")) ||
         (path.filename() == "PKG-INFO" && folder.ends_with(".egg-info"));
}

// Whether the path is `place` within some root.
bool lies_at(const fs::path& path, std::string_view place) {
  const auto text = path.generic_string();
  return text == place || (text.ends_with(place) && text[text.size() - place.size() - 1] == '/');
}

// var/lib/dpkg/status, or a file of var/lib/dpkg/status.d (distroless images).
bool is_dpkg_status(const fs::path& path) {
  return lies_at(path, "var/lib/dpkg/status") ||
         (lies_at(path.parent_path(), "var/lib/dpkg/status.d") && path.extension() != ".md5sums");
}

// usr/lib since Alpine 3.22.
bool is_apk_installed(const fs::path& path) { return lies_at(path, "lib/apk/db/installed"); }

// usr/lib/sysimage/rpm since Fedora 36; var/lib/rpm before, and by a link afterwards.
bool is_rpm_database(const fs::path& path) {
  const auto folder = path.parent_path();
  const auto name = path.filename();
  return (name == "rpmdb.sqlite" || name == "Packages" || name == "Packages.db") &&
         (lies_at(folder, "var/lib/rpm") || lies_at(folder, "usr/lib/sysimage/rpm"));
}

// The folder that holds "var", "usr" or "lib" of a database's path: the root of its system.
fs::path root_of(const fs::path& path) {
  for (const std::string_view place :
       {"var/lib/dpkg/status", "var/lib/rpm", "usr/lib/sysimage/rpm", "usr/lib/apk/db", "lib/apk/db"}) {
    const auto text = path.generic_string();
    const auto at = text.rfind(place);
    if (at != std::string::npos && (at == 0 || text[at - 1] == '/')) return text.substr(0, at);
  }
  return {};
}

Distribution distribution_of(const fs::path& path, const FileReader& read) {
  const auto root = root_of(path);
  for (const auto* name : {"etc/os-release", "usr/lib/os-release"}) {
    const auto text = text_of(read, root / name, kMaxBesideBytes);
    if (!text) continue;
    if (auto on = read_os_release(*text); !on.id.empty()) return on;
  }
  return {};
}

base::Result<Inventory> read_rpm(const fs::path& path, const FileReader& read) {
  HF_TRY(const auto bytes, read(path, kMaxStatusBytes));
  HF_TRY(auto inventory, read_rpm_database(bytes, distribution_of(path, read), path.generic_string()));
  const auto log = fs::path(path).concat("-wal");
  if (const auto pending = read(log, kMaxStatusBytes);
      pending ? !pending->empty() : pending.error().code != ErrorCode::kNotFound) {
    inventory.gaps.push_back(
        fmt::format("{}: it holds changes of the database that are not looked at, so packages may be missing",
                    log.generic_string()));
  }
  return inventory;
}

// METADATA, and what the installer wrote beside it.
base::Result<Inventory> read_distribution(std::string_view metadata, const fs::path& path,
                                          const FileReader& read) {
  HF_TRY(auto component, read_python_metadata(metadata, path.generic_string()));
  Inventory one;
  if (const auto installer = text_of(read, path.parent_path() / "INSTALLER", kMaxBesideBytes)) {
    component.installer = installer->substr(0, installer->find_first_of("\r\n"));
  }
  const auto direct = path.parent_path() / "direct_url.json";
  const auto text = text_of(read, direct, kMaxBesideBytes);
  if (text) {
    if (const auto parsed = read_direct_url(*text, component); !parsed) {
      one.gaps.push_back(fmt::format("{}: {}", direct.generic_string(), parsed.error().message));
    }
    one.gaps.push_back(
        fmt::format("{}: {} came from no index but from a place of its own, so advisories may not know it",
                    direct.generic_string(), component.purl.name));
  }
  one.components.push_back(std::move(component));
  return one;
}

}  // namespace

base::Result<std::optional<Inventory>> read_packages(const fs::path& path, const FileReader& read) {
  const auto name = path.generic_string();
  if (const auto format = lock_format_of(path.filename().string())) {
    HF_TRY(const auto text, text_of(read, path, kMaxLockFileBytes));
    HF_TRY(auto inventory, read_lock_file(*format, text, name));
    return std::optional(std::move(inventory));
  }
  if (is_python_metadata(path)) {
    HF_TRY(const auto text, text_of(read, path, kMaxMetadataBytes));
    HF_TRY(auto one, read_distribution(text, path, read));
    return std::optional(std::move(one));
  }
  if (is_dpkg_status(path) || is_apk_installed(path)) {
    HF_TRY(const auto text, text_of(read, path, kMaxStatusBytes));
    const auto on = distribution_of(path, read);
    auto inventory =
        is_dpkg_status(path) ? read_dpkg_status(text, on, name) : read_apk_installed(text, on, name);
    if (!inventory) return base::fail(std::move(inventory).error());
    return std::optional(*std::move(inventory));
  }
  if (is_rpm_database(path)) {
    HF_TRY(auto inventory, read_rpm(path, read));
    return std::optional(std::move(inventory));
  }
  return std::optional<Inventory>();
}

bool may_tell_of_packages(const fs::path& path) {
  const auto name = path.filename().string();
  return lock_format_of(name) || is_python_metadata(path) || is_dpkg_status(path) || is_apk_installed(path) ||
         is_rpm_database(path) || name == "os-release" || name == "INSTALLER" || name == "direct_url.json" ||
         name == "rpmdb.sqlite-wal";
}

bool ends_like_a_model(const fs::path& path) {
  constexpr std::array<std::string_view, 8> kEndings{".onnx", ".safetensors", ".pt",  ".pth",
                                                     ".gguf", ".tflite",      ".pkl", ".joblib"};
  return std::find(kEndings.begin(), kEndings.end(), path.extension().string()) != kEndings.end();
}

}  // namespace holdfast::supply
