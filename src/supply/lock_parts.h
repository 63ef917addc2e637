#pragma once

#include <string>
#include <string_view>

#include "supply/component.h"

// What the readers of lock files share. Each takes the text and the path that its components are found in.

namespace holdfast::supply {

base::Result<Inventory> read_requirements(std::string_view text, std::string_view path);
base::Result<Inventory> read_conda_environment(std::string_view text, std::string_view path);
base::Result<Inventory> read_go_sum(std::string_view text, std::string_view path);

base::Result<Inventory> read_pipfile_lock(std::string_view text, std::string_view path);
base::Result<Inventory> read_npm_lock(std::string_view text, std::string_view path);
base::Result<Inventory> read_conan_lock(std::string_view text, std::string_view path);
base::Result<Inventory> read_vcpkg(std::string_view text, std::string_view path);

// poetry.lock, pdm.lock, uv.lock, pylock.toml and Cargo.lock: tables of packages in TOML.
struct TomlLock {
  std::string_view purl_type;
  std::string_view table;  // "package" or "packages"
};
base::Result<Inventory> read_toml_lock(const TomlLock& kind, std::string_view text, std::string_view path);

Component make_component(std::string_view type, std::string_view name, std::string_view version,
                         std::string_view path);
// A PEP 508 requirement with extras, specifiers and a marker; pinned where it says "==" or "===". Where it
// names a place instead of a version, or none, a gap is added.
void add_requirement(Inventory& to, std::string_view requirement, std::string_view path);
// "sha256:<hex>" (pip, poetry, uv); an unknown algorithm is left out.
void add_prefixed_hash(Component& to, std::string_view text);

std::string_view trim(std::string_view text);
// The line at the start of `text`, without its end, and takes it off.
std::string_view take_line(std::string_view& text);

}  // namespace holdfast::supply
