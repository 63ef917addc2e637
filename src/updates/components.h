#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "supply/component.h"

// What this program and its sisters are made of. Which packages those are was asked of dpkg when they were
// built; a library that is loaded at their start is as new as this machine's package, which is read again.

namespace holdfast::updates {

struct LinkedComponent {
  std::string name;         // "OpenSSL"
  supply::PackageUrl purl;  // with the version that is in use; empty type where no package manager knows it
  std::string built_with;   // the package's version when the program was built
  std::string loaded_version;  // as the library in this process says of itself; empty where none is loaded
  bool inside = false;         // compiled in: only a new build brings a newer one
};

// In the order of their names. `root` is where the package database lies below: "/" but in tests.
base::Result<std::vector<LinkedComponent>> linked_components(const std::filesystem::path& root);

// The same as components of a bill; those that no package manager knows are gaps.
supply::Inventory inventory_of(const std::vector<LinkedComponent>& components);

// The day of the sources that this program was built of.
base::Timestamp program_day();

}  // namespace holdfast::updates
