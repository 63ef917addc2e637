#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "base/bytes.h"
#include "supply/component.h"

// The files that tell of packages by their name and place, in a folder or in an image.

namespace holdfast::supply {

// The bytes of the file of that path, or of one beside it. kNotFound where there is none.
using FileReader =
    std::function<base::Result<base::Bytes>(const std::filesystem::path& path, std::size_t max_bytes)>;

// Nothing where the file is none that tells of packages. What it tells is told as found in `path`.
base::Result<std::optional<Inventory>> read_packages(const std::filesystem::path& path,
                                                     const FileReader& read);

// Whether read_packages() may ask for that file: all that has to be kept of a tree that is seen only once.
bool may_tell_of_packages(const std::filesystem::path& path);

bool ends_like_a_model(const std::filesystem::path& path);

}  // namespace holdfast::supply
