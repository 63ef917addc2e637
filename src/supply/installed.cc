#include "supply/installed.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

#include "supply/json_document.h"
#include "supply/lock_parts.h"

namespace holdfast::supply {
namespace {

using base::ErrorCode;

using Fields = std::multimap<std::string_view, std::string_view>;

// The fields of one paragraph (RFC 822): up to an empty line. The lines that continue one are not needed.
Fields take_paragraph(std::string_view& text) {
  Fields fields;
  while (!text.empty()) {
    const auto line = take_line(text);
    if (line.empty()) break;
    const auto colon = line.find(':');
    if (line.front() == ' ' || line.front() == '\t' || colon == std::string_view::npos) continue;
    fields.emplace(line.substr(0, colon), trim(line.substr(colon + 1)));
  }
  return fields;
}

std::string_view first(const Fields& fields, std::string_view name) {
  const auto found = fields.find(name);
  return found == fields.end() ? std::string_view() : found->second;
}

// "libc6 (>= 2.34), libssl3:any | libssl1.1": the first of each choice.
void add_debian_needs(Component& to, std::string_view depends) {
  while (!depends.empty()) {
    const auto one = trim(depends.substr(0, depends.find(',')));
    depends.remove_prefix(std::min(depends.size(), depends.find(',') == std::string_view::npos
                                                       ? depends.size()
                                                       : depends.find(',') + 1));
    if (const auto name = one.substr(0, one.find_first_of(" (:|")); !name.empty())
      to.needs.emplace_back(name);
  }
}

// "openssl" or "openssl (3.0.11-1)".
std::string upstream_of(std::string_view source) {
  const auto open = source.find('(');
  std::string upstream(trim(source.substr(0, open)));
  if (open != std::string_view::npos) {
    const auto version = source.substr(open + 1);
    upstream += "@" + std::string(trim(version.substr(0, version.find(')'))));
  }
  return upstream;
}

tl::unexpected<base::Error> too_many(std::string_view path) {
  return base::fail(ErrorCode::kLimitExceeded,
                    fmt::format("{}: it names more than {} packages", path, Inventory::kMaxComponents));
}

void tell_missing_release(const Distribution& on, std::string_view path, Inventory& to) {
  if (!on.version.empty()) return;
  to.gaps.push_back(
      fmt::format("{}: which release of the system it is of is not told, so its advisories can't be", path));
}

// "so:libc.musl-x86_64.so.1 ssl_client>=1 !conflict": names, and what packages provide.
void add_alpine_needs(Component& to, std::string_view depends,
                      const std::map<std::string, std::string>& providers) {
  while (!depends.empty()) {
    const auto one = depends.substr(0, depends.find(' '));
    depends.remove_prefix(std::min(depends.size(), one.size() + 1));
    const auto name = one.substr(0, one.find_first_of("<>=~"));
    if (name.empty() || name.starts_with('!')) continue;
    const auto provider = providers.find(std::string(name));
    if (provider != providers.end() && provider->second != to.purl.name) {
      to.needs.push_back(provider->second);
    }
  }
  std::sort(to.needs.begin(), to.needs.end());
  to.needs.erase(std::unique(to.needs.begin(), to.needs.end()), to.needs.end());
}

}  // namespace

base::Result<Component> read_python_metadata(std::string_view text, std::string_view path) {
  const auto fields = take_paragraph(text);
  const auto name = first(fields, "Name");
  const auto version = first(fields, "Version");
  if (name.empty() || version.empty()) {
    return base::fail(ErrorCode::kDataCorrupt, fmt::format("{}: it has no Name or no Version", path));
  }
  auto component = make_component("pypi", name, version, path);
  component.license_expression = first(fields, "License-Expression");
  const auto [begin, end] = fields.equal_range("Classifier");
  for (auto each = begin; each != end; ++each) {
    constexpr std::string_view kLicense = "License :: ";
    if (!each->second.starts_with(kLicense)) continue;
    const auto last = each->second.rfind(" :: ");
    component.licenses.emplace_back(each->second.substr(last + 4));
  }
  const auto license = first(fields, "License");
  if (component.licenses.empty() && !license.empty()) component.licenses.emplace_back(license);
  const auto [needs_begin, needs_end] = fields.equal_range("Requires-Dist");
  for (auto each = needs_begin; each != needs_end; ++each) {
    // What an extra would need is not needed.
    if (each->second.find("extra ==") != std::string_view::npos) continue;
    component.needs.emplace_back(each->second.substr(0, each->second.find_first_of(" [(<>=!~;@")));
  }
  return component;
}

base::Result<> read_direct_url(std::string_view text, Component& to) {
  HF_TRY(const auto document, parse_document(text, 1UL << 20));
  auto url = text_of(document, "url");
  if (url.empty()) return base::fail(ErrorCode::kDataCorrupt, "it has no url");
  // The specification forbids credentials; a bill must not spread those that are there all the same.
  const auto host = url.find("://");
  const auto at = host == std::string::npos ? host : url.find('@', host);
  if (at != std::string::npos && at < url.find('/', host + 3)) url.erase(host + 3, at - host - 2);
  if (const auto vcs = document.find("vcs_info"); vcs != document.end() && vcs->is_object()) {
    to.purl.qualifiers["vcs_url"] =
        fmt::format("{}+{}@{}", text_of(*vcs, "vcs"), url, text_of(*vcs, "commit_id"));
    return {};
  }
  to.purl.qualifiers["download_url"] = url;
  const auto archive = document.find("archive_info");
  if (archive == document.end() || !archive->is_object()) return {};
  const auto hashes = archive->find("hashes");
  if (hashes == archive->end() || !hashes->is_object()) return {};
  for (const auto& [name, value] : hashes->items()) {
    if (value.is_string()) add_prefixed_hash(to, name + ":" + value.get<std::string>());
  }
  return {};
}

Distribution read_os_release(std::string_view text) {
  Distribution distribution;
  while (!text.empty()) {
    const auto line = take_line(text);
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    auto value = trim(line.substr(equals + 1));
    if (value.size() >= 2 && (value.front() == '"' || value.front() == '\''))
      value = value.substr(1, value.size() - 2);
    if (line.substr(0, equals) == "ID") distribution.id = value;
    if (line.substr(0, equals) == "VERSION_ID") distribution.version = value;
  }
  return distribution;
}

base::Result<Inventory> read_dpkg_status(std::string_view text, const Distribution& on,
                                         std::string_view path) {
  Inventory inventory;
  const auto id = on.id.empty() ? std::string("debian") : on.id;
  while (!text.empty()) {
    const auto fields = take_paragraph(text);
    if (fields.empty()) continue;
    const auto status = first(fields, "Status");
    // A distroless image keeps a paragraph a file, without a status.
    if (!status.empty() && !status.ends_with(" installed")) continue;
    const auto name = first(fields, "Package");
    const auto version = first(fields, "Version");
    if (name.empty() || version.empty()) {
      return base::fail(ErrorCode::kDataCorrupt,
                        fmt::format("{}: a package in it has no name or no version", path));
    }
    if (inventory.components.size() == Inventory::kMaxComponents) {
      return too_many(path);
    }
    auto component = make_component("deb", name, version, path);
    component.purl.name_space = id;
    if (const auto arch = first(fields, "Architecture"); !arch.empty())
      component.purl.qualifiers["arch"] = arch;
    if (!on.version.empty()) component.purl.qualifiers["distro"] = fmt::format("{}-{}", id, on.version);
    if (const auto source = first(fields, "Source"); !source.empty()) {
      component.purl.qualifiers["upstream"] = upstream_of(source);
    }
    add_debian_needs(component, first(fields, "Depends"));
    inventory.components.push_back(std::move(component));
  }
  tell_missing_release(on, path, inventory);
  return inventory;
}

base::Result<Inventory> read_apk_installed(std::string_view text, const Distribution& on,
                                           std::string_view path) {
  Inventory inventory;
  std::vector<std::string> needs;
  std::map<std::string, std::string> providers;
  while (!text.empty()) {
    const auto fields = take_paragraph(text);
    if (fields.empty()) continue;
    const auto name = first(fields, "P");
    const auto version = first(fields, "V");
    if (name.empty() || version.empty()) {
      return base::fail(ErrorCode::kDataCorrupt,
                        fmt::format("{}: a package in it has no name or no version", path));
    }
    if (inventory.components.size() == Inventory::kMaxComponents) return too_many(path);
    auto component = make_component("apk", name, version, path);
    component.purl.name_space = on.id.empty() ? std::string("alpine") : on.id;
    auto& qualifiers = component.purl.qualifiers;
    if (const auto arch = first(fields, "A"); !arch.empty()) qualifiers["arch"] = arch;
    if (!on.version.empty()) {
      qualifiers["distro"] = fmt::format("{}-{}", component.purl.name_space, on.version);
    }
    const auto origin = first(fields, "o");
    if (!origin.empty() && origin != name) qualifiers["upstream"] = origin;
    if (const auto license = first(fields, "L"); !license.empty()) component.licenses.emplace_back(license);
    providers.emplace(name, name);
    auto provides = first(fields, "p");
    while (!provides.empty()) {
      const auto one = provides.substr(0, provides.find(' '));
      provides.remove_prefix(std::min(provides.size(), one.size() + 1));
      providers.emplace(one.substr(0, one.find_first_of("<>=~")), name);
    }
    needs.emplace_back(first(fields, "D"));
    inventory.components.push_back(std::move(component));
  }
  for (std::size_t i = 0; i < needs.size(); ++i) {
    add_alpine_needs(inventory.components[i], needs[i], providers);
  }
  tell_missing_release(on, path, inventory);
  return inventory;
}

}  // namespace holdfast::supply
