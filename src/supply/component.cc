#include "supply/component.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "supply/version_keys.h"

namespace holdfast::supply {

std::string_view hash_algorithm(std::string_view name) {
  constexpr std::array<std::string_view, 8> kKnown{"MD5",     "SHA-1",    "SHA-256",  "SHA-384",
                                                   "SHA-512", "SHA3-256", "SHA3-512", "BLAKE3"};
  const auto plain = [](std::string_view text) {
    std::string out;
    for (const char c : text) {
      if (c != '-' && c != '_') out.push_back(lower(c));
    }
    return out;
  };
  const auto* found = std::find_if(kKnown.begin(), kKnown.end(),
                                   [&](std::string_view known) { return plain(known) == plain(name); });
  return found == kKnown.end() ? std::string_view() : *found;
}

void Inventory::add(Inventory more) {
  std::move(more.components.begin(), more.components.end(), std::back_inserter(components));
  std::move(more.gaps.begin(), more.gaps.end(), std::back_inserter(gaps));
}

std::string full_name(const PackageUrl& purl) {
  if (purl.name_space.empty() || purl.type == "deb" || purl.type == "rpm" || purl.type == "apk") {
    return purl.name;
  }
  return purl.name_space + (purl.type == "maven" ? ":" : "/") + purl.name;
}

}  // namespace holdfast::supply
