#pragma once

#include <filesystem>

#include "base/result.h"
#include "base/secret.h"

// Files that hold a secret of their owner: a key, a password, a token.

namespace holdfast::base {

// The whole file, at most max_bytes of it. The name "-" stands for standard input, which others can't read.
// kPermissionDenied, with the command that mends it, for a file to which its group or others have any right;
// otherwise the errors of read_file() (file.h).
Result<Secret> read_secret_file(const std::filesystem::path& path, std::size_t max_bytes);

}  // namespace holdfast::base
