#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "supply/purl.h"

namespace holdfast::supply {

struct FileHash {
  std::string algorithm;  // as CycloneDX names it: "SHA-256"
  std::string hex;        // lower case
  friend bool operator==(const FileHash&, const FileHash&) = default;
};

// "sha256" or "SHA-256" as CycloneDX names it; empty for an algorithm that it has no name for.
std::string_view hash_algorithm(std::string_view name);

// One package in use. Its package URL is its identity; a version that a lock file leaves open is empty.
struct Component {
  PackageUrl purl;
  std::vector<FileHash> hashes;       // of the archives that may be installed for it
  std::string license_expression;     // SPDX; empty where none is given
  std::vector<std::string> licenses;  // else names, as the package says them
  std::vector<std::string> needs;     // names of packages of the same ecosystem
  std::string found_in;               // the file that tells of it
  std::string installer;              // the program that installed it, as it says itself
  bool development = false;           // not needed to run
};

// Some packages, and what could not be told: a sentence each, for the person who must look elsewhere.
struct Inventory {
  static constexpr std::size_t kMaxComponents = 200'000;

  std::vector<Component> components;
  std::vector<std::string> gaps;

  void add(Inventory more);
};

// The name that a package's advisories and its dependents use: "@scope/name", "group:artefact", "org/module".
std::string full_name(const PackageUrl& purl);

}  // namespace holdfast::supply
