#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "supply/component.h"
#include "supply/model_file.h"

namespace holdfast::supply {

struct Collection {
  Inventory inventory;
  std::vector<ModelFile> models;
  std::vector<std::string> read;  // the files that told of packages
};

// What a path tells of packages and models. A file: a lock file by its name, a CycloneDX bill by its content,
// or a model. A folder, and all within it: lock files, installed Python distributions, the package database
// of a container's root, models by their endings. Links are not followed. A file that can't be understood
// becomes a gap; a path that can't be read is an error. Models are described by `read_model`, which should do
// so in a jail.
base::Result<Collection> collect(const std::filesystem::path& path, const ModelReader& read_model);

// Names met under one folder.
inline constexpr std::size_t kMaxFolderEntries = 4'000'000;

}  // namespace holdfast::supply
