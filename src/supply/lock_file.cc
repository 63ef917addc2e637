#include "supply/lock_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "supply/ecosystem.h"
#include "supply/lock_parts.h"
#include "supply/version_keys.h"

namespace holdfast::supply {
namespace {

struct Named {
  std::string_view name;
  LockFormat format;
};

constexpr std::array<Named, 14> kNames{{{"requirements.txt", LockFormat::kRequirements},
                                        {"Pipfile.lock", LockFormat::kPipfileLock},
                                        {"poetry.lock", LockFormat::kPoetryLock},
                                        {"pdm.lock", LockFormat::kPdmLock},
                                        {"uv.lock", LockFormat::kUvLock},
                                        {"pylock.toml", LockFormat::kPylock},
                                        {"environment.yml", LockFormat::kCondaEnvironment},
                                        {"environment.yaml", LockFormat::kCondaEnvironment},
                                        {"package-lock.json", LockFormat::kNpmLock},
                                        {"npm-shrinkwrap.json", LockFormat::kNpmLock},
                                        {"Cargo.lock", LockFormat::kCargoLock},
                                        {"go.sum", LockFormat::kGoSum},
                                        {"conan.lock", LockFormat::kConanLock},
                                        {"vcpkg.json", LockFormat::kVcpkg}}};

base::Result<Inventory> read(LockFormat format, std::string_view text, std::string_view path) {
  switch (format) {
    case LockFormat::kRequirements:
      return read_requirements(text, path);
    case LockFormat::kPipfileLock:
      return read_pipfile_lock(text, path);
    case LockFormat::kPoetryLock:
    case LockFormat::kPdmLock:
    case LockFormat::kUvLock:
      return read_toml_lock({.purl_type = "pypi", .table = "package"}, text, path);
    case LockFormat::kPylock:
      return read_toml_lock({.purl_type = "pypi", .table = "packages"}, text, path);
    case LockFormat::kCondaEnvironment:
      return read_conda_environment(text, path);
    case LockFormat::kNpmLock:
      return read_npm_lock(text, path);
    case LockFormat::kCargoLock:
      return read_toml_lock({.purl_type = "cargo", .table = "package"}, text, path);
    case LockFormat::kGoSum:
      return read_go_sum(text, path);
    case LockFormat::kConanLock:
      return read_conan_lock(text, path);
    case LockFormat::kVcpkg:
      return read_vcpkg(text, path);
  }
  return base::fail(base::ErrorCode::kInternal, "an unknown format of lock files");
}

}  // namespace

std::optional<LockFormat> lock_format_of(std::string_view file_name) {
  const auto* found =
      std::find_if(kNames.begin(), kNames.end(), [&](const Named& each) { return each.name == file_name; });
  if (found != kNames.end()) return found->format;
  // Common variants: requirements-dev.txt, dev-requirements.txt, pylock.NAME.toml.
  if (file_name.ends_with(".txt") && file_name.find("requirements") != std::string_view::npos) {
    return LockFormat::kRequirements;
  }
  if (file_name.starts_with("pylock.") && file_name.ends_with(".toml")) return LockFormat::kPylock;
  return std::nullopt;
}

base::Result<Inventory> read_lock_file(LockFormat format, std::string_view text, std::string_view path) {
  if (text.size() > kMaxLockFileBytes) {
    return base::fail(base::ErrorCode::kLimitExceeded,
                      fmt::format("{}: a lock file has at most {} MiB", path, kMaxLockFileBytes >> 20));
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  auto inventory = read(format, text, path);
  if (!inventory) return base::fail(std::move(inventory).error().within(path));
  if (inventory->components.size() > Inventory::kMaxComponents) {
    return base::fail(base::ErrorCode::kLimitExceeded,
                      fmt::format("{}: it names more than {} packages", path, Inventory::kMaxComponents));
  }
  return inventory;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\f\v";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

Component make_component(std::string_view type, std::string_view name, std::string_view version,
                         std::string_view path) {
  Component component;
  component.found_in = path;
  component.purl.type = type;
  component.purl.version = version;
  const bool in_space = type == "npm" || type == "golang";
  const auto slash = in_space ? name.rfind('/') : std::string_view::npos;
  if (slash != std::string_view::npos) component.purl.name_space = name.substr(0, slash);
  component.purl.name = slash == std::string_view::npos ? name : name.substr(slash + 1);
  if (type == "pypi") component.purl.name = normalised_name("PyPI", component.purl.name);
  return component;
}

void add_prefixed_hash(Component& to, std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return;
  const auto algorithm = hash_algorithm(text.substr(0, colon));
  std::string hex(text.substr(colon + 1));
  std::transform(hex.begin(), hex.end(), hex.begin(), lower);
  const bool good = !hex.empty() && hex.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (good && !algorithm.empty()) to.hashes.push_back({std::string(algorithm), std::move(hex)});
}

void add_requirement(Inventory& to, std::string_view requirement, std::string_view path) {
  const auto text = trim(requirement.substr(0, requirement.find(';')));
  std::size_t end = 0;
  while (end < text.size() && (is_letter(text[end]) || is_digit(text[end]) ||
                               std::string_view("-_.").find(text[end]) != std::string_view::npos)) {
    ++end;
  }
  const auto name = text.substr(0, end);
  auto rest = trim(text.substr(end));
  if (rest.starts_with('[')) {
    const auto close = rest.find(']');
    rest = close == std::string_view::npos ? std::string_view("?") : trim(rest.substr(close + 1));
  }
  const bool names_a_place = rest.starts_with('@') || rest.starts_with(':') || rest.starts_with('/');
  if (name.empty() || name.front() == '.' || names_a_place) {
    to.gaps.push_back(fmt::format("{}: \"{}\" names a place, not a version of a package", path, text));
    return;
  }
  std::string_view version;
  if (rest.starts_with("==")) {
    version = trim(rest.substr(rest.starts_with("===") ? 3 : 2));
    const bool one = version.find_first_of(",*") == std::string_view::npos;
    if (!one) version = {};
  }
  if (version.empty()) to.gaps.push_back(fmt::format("{}: {} is not pinned to a version", path, name));
  to.components.push_back(make_component("pypi", name, version, path));
}

}  // namespace holdfast::supply
