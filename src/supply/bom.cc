#include "supply/bom.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "crypto/sha256.h"
#include "supply/bom_model.h"
#include "supply/ecosystem.h"
#include "supply/json_document.h"

namespace holdfast::supply {
namespace {

using base::ErrorCode;
using Json = nlohmann::ordered_json;

// RFC 9562, version 8: 122 bits of the content's digest.
std::string serial_of(std::string_view content) {
  auto hex = crypto::sha256(base::as_bytes(content)).hex().substr(0, 32);
  hex[12] = '8';
  hex[16] = "89ab"[static_cast<unsigned char>(hex[16]) % 4];
  return fmt::format("urn:uuid:{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4),
                     hex.substr(16, 4), hex.substr(20));
}

Json hashes_of(const std::vector<FileHash>& hashes) {
  Json all = Json::array();
  for (const auto& hash : hashes) all.push_back({{"alg", hash.algorithm}, {"content", hash.hex}});
  return all;
}

// The schema takes digests of 128, 160, 256, 384 and 512 bits; a lock file may hold anything.
bool has_digest_size(const FileHash& hash) {
  constexpr std::array<std::size_t, 5> kDigits{32, 40, 64, 96, 128};
  return std::find(kDigits.begin(), kDigits.end(), hash.hex.size()) != kDigits.end();
}

// Where the archives of a package come from; what their digests are told beside.
std::string source_of(const PackageUrl& purl) {
  if (purl.type == "pypi") return "https://pypi.org/simple/" + purl.name + "/";
  if (purl.type == "npm") return "https://registry.npmjs.org/" + full_name(purl);
  if (purl.type == "cargo") return "https://crates.io/crates/" + purl.name;
  return to_string(purl);
}

// One archive of a package can have several digests, but a package with several archives has one of a kind
// for each: those are told of its distribution.
void add_hashes(Json& to, const Component& component) {
  std::vector<FileHash> hashes;
  std::copy_if(component.hashes.begin(), component.hashes.end(), std::back_inserter(hashes), has_digest_size);
  if (hashes.empty()) return;
  std::set<std::string_view> algorithms;
  for (const auto& hash : hashes) algorithms.insert(hash.algorithm);
  if (algorithms.size() == hashes.size()) {
    to["hashes"] = hashes_of(hashes);
    return;
  }
  to["externalReferences"] = Json::array(
      {{{"url", source_of(component.purl)}, {"type", "distribution"}, {"hashes", hashes_of(hashes)}}});
}

void add_licenses(Json& to, const Component& component) {
  if (!component.license_expression.empty()) {
    to["licenses"] = Json::array({{{"expression", component.license_expression}}});
    return;
  }
  if (component.licenses.empty()) return;
  Json all = Json::array();
  for (const auto& name : component.licenses) all.push_back({{"license", {{"name", name}}}});
  to["licenses"] = std::move(all);
}

Json property(std::string_view name, std::string_view value) { return {{"name", name}, {"value", value}}; }

Json component_json(const Component& component, const std::string& purl,
                    const std::set<std::string>& found_in) {
  Json one{{"type", "library"}, {"bom-ref", purl}};
  if (!component.purl.name_space.empty()) one["group"] = component.purl.name_space;
  one["name"] = component.purl.name;
  if (!component.purl.version.empty()) one["version"] = component.purl.version;
  one["scope"] = component.development ? "optional" : "required";
  add_hashes(one, component);
  add_licenses(one, component);
  one["purl"] = purl;
  Json properties = Json::array();
  for (const auto& path : found_in) properties.push_back(property("holdfast:found-in", path));
  if (!component.installer.empty()) properties.push_back(property("holdfast:installer", component.installer));
  if (!properties.empty()) one["properties"] = std::move(properties);
  return one;
}

struct Merged {
  const Component* component = nullptr;
  std::set<std::string> found_in;
  bool development = true;
};

std::map<std::string, Merged> merge(const Inventory& inventory) {
  std::map<std::string, Merged> all;
  for (const auto& component : inventory.components) {
    auto& merged = all[to_string(component.purl)];
    const bool tells_more =
        merged.component == nullptr || component.hashes.size() > merged.component->hashes.size();
    if (tells_more) merged.component = &component;
    if (!component.found_in.empty()) merged.found_in.insert(component.found_in);
    merged.development = merged.development && component.development;
  }
  return all;
}

// Who needs whom, where both are in the bill: by name within one type of package.
Json dependencies_of(const std::map<std::string, Merged>& all) {
  std::multimap<std::string, const std::string*> by_name;
  const auto key = [](std::string_view type, std::string_view name) {
    return fmt::format("{} {}", type, normalised_name(ecosystem_of_purl_type(type), name));
  };
  for (const auto& [purl, merged] : all) {
    by_name.emplace(key(merged.component->purl.type, full_name(merged.component->purl)), &purl);
  }
  Json dependencies = Json::array();
  for (const auto& [purl, merged] : all) {
    std::set<std::string> on;
    for (const auto& need : merged.component->needs) {
      const auto [begin, end] = by_name.equal_range(key(merged.component->purl.type, need));
      // Several versions of one package: which of them is meant is the resolver's secret.
      if (begin != end && std::next(begin) == end && *begin->second != purl) on.insert(*begin->second);
    }
    if (!on.empty()) dependencies.push_back({{"ref", purl}, {"dependsOn", on}});
  }
  return dependencies;
}

}  // namespace

std::string to_cyclonedx(const Bom& bom) {
  const auto all = merge(bom.inventory);
  Json components = Json::array();
  for (const auto& [purl, merged] : all) {
    auto component = *merged.component;
    component.development = merged.development;
    components.push_back(component_json(component, purl, merged.found_in));
  }
  for (auto& component : model_components(bom.models)) components.push_back(std::move(component));
  Json subject{{"type", bom.subject.type}, {"bom-ref", "subject"}, {"name", bom.subject.name}};
  if (!bom.subject.version.empty()) subject["version"] = bom.subject.version;
  Json tool{{"type", "application"}, {"name", "holdfast"}, {"version", bom.tool_version}};
  Json metadata{{"timestamp", bom.made_at.text()},
                {"tools", {{"components", Json::array({std::move(tool)})}}},
                {"component", std::move(subject)}};
  Json properties = Json::array();
  for (const auto& gap : bom.inventory.gaps) properties.push_back(property("holdfast:not-told", gap));
  for (const auto& difference : bom.differences) {
    properties.push_back(property("holdfast:differs", difference));
  }
  if (!properties.empty()) metadata["properties"] = std::move(properties);
  const auto content = components.dump(-1, ' ', false, Json::error_handler_t::replace);
  const Json whole{{"$schema", "http://cyclonedx.org/schema/bom-1.6.schema.json"},
                   {"bomFormat", "CycloneDX"},
                   {"specVersion", "1.6"},
                   {"serialNumber", serial_of(content)},
                   {"version", 1},
                   {"metadata", std::move(metadata)},
                   {"components", std::move(components)},
                   {"dependencies", dependencies_of(all)}};
  return whole.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

bool looks_like_cyclonedx(std::string_view text) {
  return text.substr(0, 4096).find("\"CycloneDX\"") != std::string_view::npos;
}

base::Result<Inventory> read_cyclonedx(std::string_view text, std::string_view path) {
  auto parsed = parse_document(text, kMaxBomBytes);
  if (!parsed) return base::fail(std::move(parsed).error().within(path));
  const auto& document = *parsed;
  const auto format = document.find("bomFormat");
  if (format == document.end() || *format != "CycloneDX") {
    return base::fail(ErrorCode::kDataCorrupt, fmt::format("{}: it is no CycloneDX JSON", path));
  }
  Inventory inventory;
  std::vector<const nlohmann::json*> open{&document};
  while (!open.empty()) {
    const auto& object = *open.back();
    open.pop_back();
    const auto components = object.find("components");
    if (components == object.end() || !components->is_array()) continue;
    for (const auto& component : *components) {
      if (!component.is_object()) continue;
      if (inventory.components.size() == Inventory::kMaxComponents) {
        return base::fail(ErrorCode::kLimitExceeded,
                          fmt::format("{}: it names more than {} packages", path, Inventory::kMaxComponents));
      }
      open.push_back(&component);
      const auto purl = component.find("purl");
      const auto parsed_purl = purl != component.end() && purl->is_string()
                                   ? parse_purl(purl->get_ref<const std::string&>())
                                   : base::fail(ErrorCode::kNotFound, "it has none");
      const auto type = component.value("type", nlohmann::json());
      if (parsed_purl) {
        inventory.components.push_back({.purl = *parsed_purl, .found_in = std::string(path)});
      } else if (type == "library" || type == "framework") {
        const auto name = component.value("name", nlohmann::json());
        inventory.gaps.push_back(fmt::format("{}: {} has no package URL that can be read: {}", path,
                                             name.dump(), parsed_purl.error().message));
      }
    }
  }
  return inventory;
}

}  // namespace holdfast::supply
