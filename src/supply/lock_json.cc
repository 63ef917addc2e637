#include <fmt/format.h>

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "base/encoding.h"
#include "supply/json_document.h"
#include "supply/lock_file.h"
#include "supply/lock_parts.h"
#include "supply/version_keys.h"

// Lock files that are JSON.

namespace holdfast::supply {
namespace {

using base::ErrorCode;
using Json = nlohmann::json;

bool flag_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

// Subresource Integrity: "sha512-<base64>", several with spaces between.
void add_integrity(Component& to, std::string_view text) {
  while (!text.empty()) {
    const auto one = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    const auto dash = one.find('-');
    if (dash == std::string_view::npos) continue;
    const auto algorithm = hash_algorithm(one.substr(0, dash));
    const auto bytes = base::base64_decode(one.substr(dash + 1));
    if (bytes && !algorithm.empty()) to.hashes.push_back({std::string(algorithm), base::hex_encode(*bytes)});
  }
}

void add_npm_package(Inventory& to, const std::string& name, const Json& package, std::string_view path) {
  auto version = text_of(package, "version");
  const bool released = !version.empty() && version.find(':') == std::string::npos;
  if (!released) {
    to.gaps.push_back(fmt::format("{}: {} is not pinned to a released version", path, name));
    version.clear();
  }
  auto component = make_component("npm", name, version, path);
  component.development = flag_of(package, "dev");
  add_integrity(component, text_of(package, "integrity"));
  component.license_expression = text_of(package, "license");
  for (const auto* list : {"dependencies", "requires"}) {
    const auto found = package.find(list);
    if (found == package.end() || !found->is_object()) continue;
    for (const auto& [needed, value] : found->items()) {
      // In version 1 "dependencies" are the packages themselves.
      if (value.is_string()) component.needs.push_back(needed);
    }
  }
  to.components.push_back(std::move(component));
}

// Version 1: packages within packages. An own stack, so that depth costs no recursion.
void add_npm_tree(Inventory& to, const Json& root, std::string_view path) {
  std::vector<const Json*> open{&root};
  while (!open.empty()) {
    const auto* dependencies = open.back();
    open.pop_back();
    for (const auto& [name, package] : dependencies->items()) {
      if (!package.is_object()) continue;
      add_npm_package(to, name, package, path);
      const auto inner = package.find("dependencies");
      if (inner != package.end() && inner->is_object()) open.push_back(&*inner);
    }
  }
}

// "name/1.2#revision%time" (Conan 2) or "name/1.2@user/channel#revision" (Conan 1).
void add_conan(Inventory& to, std::string_view reference, bool development, std::string_view path) {
  const auto slash = reference.find('/');
  if (slash == std::string_view::npos) return;
  const auto rest = reference.substr(slash + 1);
  auto component =
      make_component("conan", reference.substr(0, slash), rest.substr(0, rest.find_first_of("@#%")), path);
  component.development = development;
  to.components.push_back(std::move(component));
}

}  // namespace

base::Result<Inventory> read_pipfile_lock(std::string_view text, std::string_view path) {
  HF_TRY(const auto document, parse_document(text, kMaxLockFileBytes));
  if (!document.contains("_meta")) return base::fail(ErrorCode::kDataCorrupt, "it has no \"_meta\"");
  Inventory inventory;
  for (const auto& [section, packages] : document.items()) {
    if (section == "_meta" || !packages.is_object()) continue;
    for (const auto& [name, package] : packages.items()) {
      if (!package.is_object()) continue;
      std::string_view version;
      const auto spelt = text_of(package, "version");
      if (spelt.starts_with("==")) version = std::string_view(spelt).substr(2);
      if (version.empty()) {
        inventory.gaps.push_back(fmt::format("{}: {} is not pinned to a released version", path, name));
      }
      auto component = make_component("pypi", name, version, path);
      component.development = section == "develop";
      if (const auto hashes = package.find("hashes"); hashes != package.end() && hashes->is_array()) {
        for (const auto& hash : *hashes) {
          if (hash.is_string()) add_prefixed_hash(component, hash.get_ref<const std::string&>());
        }
      }
      inventory.components.push_back(std::move(component));
    }
  }
  return inventory;
}

base::Result<Inventory> read_npm_lock(std::string_view text, std::string_view path) {
  HF_TRY(const auto document, parse_document(text, kMaxLockFileBytes));
  Inventory inventory;
  if (const auto packages = document.find("packages"); packages != document.end() && packages->is_object()) {
    for (const auto& [place, package] : packages->items()) {
      // "" is the project; what is outside node_modules is its own, and a link stands for such a one.
      constexpr std::string_view kFolder = "node_modules/";
      const auto at = place.rfind(kFolder);
      if (at == std::string::npos || !package.is_object() || flag_of(package, "link")) continue;
      const auto named = text_of(package, "name");  // an alias
      add_npm_package(inventory, named.empty() ? place.substr(at + kFolder.size()) : named, package, path);
    }
    return inventory;
  }
  const auto dependencies = document.find("dependencies");
  if (dependencies != document.end() && dependencies->is_object()) {
    add_npm_tree(inventory, *dependencies, path);
  } else if (!document.contains("lockfileVersion")) {
    return base::fail(ErrorCode::kDataCorrupt, "it has no \"lockfileVersion\"");
  }
  return inventory;
}

base::Result<Inventory> read_conan_lock(std::string_view text, std::string_view path) {
  HF_TRY(const auto document, parse_document(text, kMaxLockFileBytes));
  Inventory inventory;
  bool known = false;
  for (const auto* list : {"requires", "build_requires", "python_requires"}) {
    const auto found = document.find(list);
    if (found == document.end() || !found->is_array()) continue;
    known = true;
    for (const auto& reference : *found) {
      if (reference.is_string()) {
        add_conan(inventory, reference.get_ref<const std::string&>(), list != std::string_view("requires"),
                  path);
      }
    }
  }
  if (const auto graph = document.find("graph_lock"); graph != document.end() && graph->is_object()) {
    const auto nodes = graph->find("nodes");
    known = nodes != graph->end() && nodes->is_object();
    if (known) {
      for (const auto& [number, node] : nodes->items()) {
        if (node.is_object() && number != "0") add_conan(inventory, text_of(node, "ref"), false, path);
      }
    }
  }
  if (!known) return base::fail(ErrorCode::kDataCorrupt, "it has neither \"requires\" nor \"graph_lock\"");
  return inventory;
}

// learn.microsoft.com/vcpkg/reference/vcpkg-json: only "overrides" pin a version; the rest follows from the
// registry's baseline.
base::Result<Inventory> read_vcpkg(std::string_view text, std::string_view path) {
  HF_TRY(const auto document, parse_document(text, kMaxLockFileBytes));
  Inventory inventory;
  std::set<std::string> pinned;
  if (const auto overrides = document.find("overrides");
      overrides != document.end() && overrides->is_array()) {
    for (const auto& one : *overrides) {
      if (!one.is_object()) continue;
      std::string version;
      for (const auto* name : {"version", "version-semver", "version-date", "version-string"}) {
        if (version.empty()) version = text_of(one, name);
      }
      const auto name = text_of(one, "name");
      if (name.empty() || version.empty()) continue;
      pinned.insert(name);
      inventory.components.push_back(make_component("vcpkg", name, version, path));
    }
  }
  const auto dependencies = document.find("dependencies");
  if (dependencies == document.end() || !dependencies->is_array()) return inventory;
  for (const auto& one : *dependencies) {
    const auto name = one.is_string() ? one.get<std::string>() : one.is_object() ? text_of(one, "name") : "";
    if (name.empty() || !pinned.insert(name).second) continue;
    inventory.gaps.push_back(
        fmt::format("{}: {} is not pinned: its version follows from the baseline", path, name));
    inventory.components.push_back(make_component("vcpkg", name, "", path));
  }
  return inventory;
}

}  // namespace holdfast::supply
