#pragma once

#include <filesystem>

#include "base/result.h"

namespace holdfast::updates {

// Makes the folder, and those above it that are not there, for their owner alone: a state folder that others
// have access to is one that no server starts on.
base::Result<> make_private_folder(const std::filesystem::path& folder);

}  // namespace holdfast::updates
