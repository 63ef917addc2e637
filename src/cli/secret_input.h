#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

// Secrets that a person gives: from a file, or typed at the terminal without being shown.

namespace holdfast::cli {

inline constexpr std::size_t kMaxSecretBytes = 1UL << 10;

// The file's first and only line; "-" is standard input. kInvalidArgument where it is empty or has several
// lines, kPermissionDenied where others have access to it.
base::Result<base::Secret> read_secret(const std::filesystem::path& file);

// Asks at the controlling terminal, whatever standard input is. kUnsupported, with `otherwise` (the option to
// give), where there is none.
base::Result<base::Secret> ask_secret(std::string_view prompt, std::string_view otherwise);

// read_secret() where a file is given, else ask_secret().
base::Result<base::Secret> secret_from(const std::optional<std::filesystem::path>& file,
                                       std::string_view prompt, std::string_view otherwise);

}  // namespace holdfast::cli
