#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "supply/lock_parts.h"

// Lock files that are lines of text: pip's, conda's and Go's.

namespace holdfast::supply {
namespace {

using base::ErrorCode;

// One logical line of a requirements file: continued ones joined, its comment taken off.
std::string take_requirement_line(std::string_view& text) {
  std::string whole;
  while (true) {
    auto line = take_line(text);
    const auto first = line.find_first_not_of(" \t");
    const bool comment = first != std::string_view::npos && line[first] == '#';
    if (const auto hash = line.find(" #"); hash != std::string_view::npos) line = line.substr(0, hash);
    if (comment) line = {};
    const bool continued = line.ends_with('\\');
    if (continued) line.remove_suffix(1);
    whole += line;
    if (!continued || text.empty()) return whole;
  }
}

void read_option(Inventory& to, std::string_view line, std::string_view path) {
  const auto end = line.find_first_of(" =\t");
  const auto name = line.substr(0, end);
  const auto value = end == std::string_view::npos ? std::string_view() : trim(line.substr(end + 1));
  const bool file =
      name.starts_with("-r") || name.starts_with("-c") || name == "--requirement" || name == "--constraint";
  const bool place = name.starts_with("-e") || name == "--editable";
  if (file) {
    to.gaps.push_back(
        fmt::format("{}: \"{}\" names another file, which is not followed: give it too", path, line));
  } else if (place) {
    to.gaps.push_back(fmt::format("{}: \"{}\" is installed from a place, not by a version", path, value));
  }
}

// "numpy=1.26.4=py311h", "numpy==1.26.4", "conda-forge::numpy >=1.2".
void add_conda(Inventory& to, std::string_view spec, std::string_view path) {
  if (const auto channel = spec.find("::"); channel != std::string_view::npos) {
    spec = spec.substr(channel + 2);
  }
  const auto name = trim(spec.substr(0, spec.find_first_of(" =<>!~")));
  auto rest = trim(spec.substr(std::min(spec.size(), spec.find_first_of(" =<>!~"))));
  std::string_view version;
  std::string_view build;
  if (rest.starts_with('=')) {
    rest.remove_prefix(rest.starts_with("==") ? 2 : 1);
    const auto equals = rest.find('=');
    version = trim(rest.substr(0, equals));
    if (equals != std::string_view::npos) build = trim(rest.substr(equals + 1));
  }
  if (version.find_first_of(",*<>|") != std::string_view::npos) version = {};
  if (name.empty()) return;
  if (version.empty()) to.gaps.push_back(fmt::format("{}: {} is not pinned to a version", path, name));
  auto component = make_component("conda", name, version, path);
  if (!build.empty()) component.purl.qualifiers["build"] = build;
  to.components.push_back(std::move(component));
}

std::string_view unquoted(std::string_view text) {
  text = trim(text);
  const bool quoted =
      text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front();
  return quoted ? text.substr(1, text.size() - 2) : text;
}

}  // namespace

base::Result<Inventory> read_requirements(std::string_view text, std::string_view path) {
  Inventory inventory;
  while (!text.empty()) {
    const auto whole = take_requirement_line(text);
    auto line = trim(whole);
    if (line.empty()) continue;
    if (line.find('\0') != std::string_view::npos) {
      return base::fail(ErrorCode::kDataCorrupt, "it holds a zero byte: no requirements file does");
    }
    if (line.starts_with('-')) {
      read_option(inventory, line, path);
      continue;
    }
    const auto options = line.find(" --");
    const auto before = inventory.components.size();
    add_requirement(inventory, line.substr(0, options), path);
    if (options == std::string_view::npos || inventory.components.size() == before) continue;
    constexpr std::string_view kHash = "--hash";
    for (auto at = line.find(kHash); at != std::string_view::npos; at = line.find(kHash, at + 1)) {
      auto value = line.substr(at + kHash.size());
      if (!value.empty()) value.remove_prefix(1);
      value = trim(value);
      add_prefixed_hash(inventory.components.back(), value.substr(0, value.find_first_of(" \t")));
    }
  }
  return inventory;
}

// The part of YAML that conda itself writes: "dependencies:" with one "- spec" a line, and "- pip:" with
// deeper ones.
base::Result<Inventory> read_conda_environment(std::string_view text, std::string_view path) {
  Inventory inventory;
  bool within = false;
  bool seen = false;
  std::optional<std::size_t> pip_indent;
  while (!text.empty()) {
    auto line = take_line(text);
    if (const auto comment = line.find(" #"); comment != std::string_view::npos)
      line = line.substr(0, comment);
    const auto indent = line.find_first_not_of(' ');
    if (indent == std::string_view::npos || line[indent] == '#') continue;
    const auto content = trim(line);
    if (indent == 0 && !content.starts_with('-')) {
      within = content == "dependencies:";
      seen = seen || within || content.starts_with("dependencies:");
      if (content.starts_with("dependencies:") && !within) {
        inventory.gaps.push_back(
            fmt::format("{}: dependencies on one line are not read: give each a line", path));
      }
      continue;
    }
    if (!within || !content.starts_with('-')) continue;
    const auto item = unquoted(content.substr(1));
    if (item == "pip:") {
      pip_indent = indent;
    } else if (pip_indent && indent > *pip_indent) {
      add_requirement(inventory, item, path);
    } else {
      pip_indent.reset();
      add_conda(inventory, item, path);
    }
  }
  if (!seen) return base::fail(ErrorCode::kDataCorrupt, "it has no \"dependencies:\"");
  return inventory;
}

// go.dev/ref/mod#go-sum-files: "module version hash". The hash is one of a list of files, which no bill of
// materials has a name for.
base::Result<Inventory> read_go_sum(std::string_view text, std::string_view path) {
  Inventory inventory;
  std::set<std::pair<std::string_view, std::string_view>> seen;
  while (!text.empty()) {
    const auto line = trim(take_line(text));
    if (line.empty()) continue;
    const auto first = line.find(' ');
    const auto second = first == std::string_view::npos ? first : line.find(' ', first + 1);
    if (second == std::string_view::npos) {
      return base::fail(ErrorCode::kDataCorrupt, fmt::format("\"{}\" is not \"module version hash\"", line));
    }
    const auto name = line.substr(0, first);
    const auto version = line.substr(first + 1, second - first - 1);
    // A module's go.mod alone was read to choose versions; its code is not in use.
    if (version.ends_with("/go.mod") || !seen.emplace(name, version).second) continue;
    inventory.components.push_back(make_component("golang", name, version, path));
  }
  return inventory;
}

}  // namespace holdfast::supply
