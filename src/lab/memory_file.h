#pragma once

#include <span>

#include "base/bytes.h"
#include "base/file.h"

namespace holdfast::lab {

// A file in memory that holds these parts one after the other and that nobody can change any more
// (memfd_create(2), sealed). kUnavailable where there is no memory for it.
base::Result<base::UniqueFd> sealed_file(std::span<const base::ByteView> parts);

}  // namespace holdfast::lab
