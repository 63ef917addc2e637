#include <fmt/format.h>
#include <toml++/toml.h>

#include "supply/lock_parts.h"

// The one file that includes toml++ here.

namespace holdfast::supply {
namespace {

using base::ErrorCode;

std::string text_of(const toml::table& table, std::string_view name) {
  const auto value = table[name].value<std::string>();
  return value.value_or(std::string());
}

// A list of {file|name|url, hash} (poetry, pdm, uv), or of {hashes = {sha256 = ...}} (pylock).
void add_file(Component& to, const toml::node* node) {
  const auto* file = node == nullptr ? nullptr : node->as_table();
  if (file == nullptr) return;
  add_prefixed_hash(to, text_of(*file, "hash"));
  if (const auto* hashes = (*file)["hashes"].as_table()) {
    for (const auto& [name, value] : *hashes) {
      add_prefixed_hash(to, fmt::format("{}:{}", name.str(), value.value_or(std::string_view())));
    }
  }
}

void add_files(Component& to, const toml::table& package) {
  for (const auto* list : {"files", "wheels"}) {
    if (const auto* files = package[list].as_array()) {
      for (const auto& file : *files) add_file(to, &file);
    }
  }
  for (const auto* one : {"sdist", "archive"}) add_file(to, package.get(one));
  // Cargo.lock: of the crate's archive.
  if (const auto checksum = text_of(package, "checksum"); !checksum.empty()) {
    add_prefixed_hash(to, "sha256:" + checksum);
  }
}

// Names as keys (poetry), as texts "name 1.0 (source)" (Cargo) or requirements (pdm), as tables with a name
// (uv, pylock).
void add_needs(Component& to, const toml::table& package) {
  const auto add = [&to](std::string_view name) {
    const auto end = name.find_first_of(" [<>=!~;(@,");
    if (end != 0 && !name.empty()) to.needs.emplace_back(name.substr(0, end));
  };
  if (const auto* table = package["dependencies"].as_table()) {
    for (const auto& [name, value] : *table) add(name.str());
  }
  if (const auto* list = package["dependencies"].as_array()) {
    for (const auto& one : *list) {
      if (const auto* table = one.as_table()) add(text_of(*table, "name"));
      if (const auto text = one.value<std::string_view>()) add(*text);
    }
  }
}

// What stands in the working tree is the project itself, not something that somebody else released.
bool is_own(const toml::table& package) {
  const auto* source = package["source"].as_table();
  if (source == nullptr) return package["directory"].is_table();
  const auto type = text_of(*source, "type");
  return source->contains("virtual") || source->contains("editable") || source->contains("directory") ||
         type == "directory";
}

bool from_version_control(const toml::table& package) {
  const auto* source = package["source"].as_table();
  const bool git = source != nullptr && (source->contains("git") || text_of(*source, "type") == "git");
  return git || package["vcs"].is_table() || text_of(package, "source").starts_with("git+");
}

}  // namespace

base::Result<Inventory> read_toml_lock(const TomlLock& kind, std::string_view text, std::string_view path) {
  toml::table document;
  try {
    document = toml::parse(text);
  } catch (const toml::parse_error& error) {
    return base::fail(ErrorCode::kDataCorrupt, fmt::format("it is no TOML: line {}: {}",
                                                           error.source().begin.line, error.description()));
  }
  Inventory inventory;
  const auto* packages = document[kind.table].as_array();
  if (packages == nullptr) {
    const bool empty_lock =
        document.contains("version") || document.contains("lock-version") || document.contains("metadata");
    if (empty_lock) return inventory;
    return base::fail(ErrorCode::kDataCorrupt, fmt::format("it has no list \"{}\"", kind.table));
  }
  for (const auto& node : *packages) {
    const auto* package = node.as_table();
    const auto name = package == nullptr ? std::string() : text_of(*package, "name");
    if (name.empty()) return base::fail(ErrorCode::kDataCorrupt, "a package in it has no name");
    // Cargo leaves out the source of the workspace's own crates.
    const bool own = is_own(*package) || (kind.purl_type == "cargo" && !package->contains("source"));
    if (own) continue;
    auto component = make_component(kind.purl_type, name, text_of(*package, "version"), path);
    if (component.purl.version.empty() || from_version_control(*package)) {
      inventory.gaps.push_back(fmt::format("{}: {} is not pinned to a released version", path, name));
    }
    component.development = text_of(*package, "category") == "dev";
    add_files(component, *package);
    add_needs(component, *package);
    inventory.components.push_back(std::move(component));
  }
  return inventory;
}

}  // namespace holdfast::supply
