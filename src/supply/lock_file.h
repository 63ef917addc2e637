#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "supply/component.h"

// The files in which package managers write down what they chose. Nothing is resolved: what a file does not
// pin, and files that it refers to, become gaps.

namespace holdfast::supply {

enum class LockFormat : std::uint8_t {
  kRequirements,  // pip's requirements.txt (pip.pypa.io, "Requirements File Format")
  kPipfileLock,
  kPoetryLock,
  kPdmLock,
  kUvLock,
  kPylock,            // packaging.python.org/specifications/pylock-toml
  kCondaEnvironment,  // environment.yml
  kNpmLock,           // package-lock.json, lockfileVersion 1 to 3
  kCargoLock,
  kGoSum,
  kConanLock,  // Conan 1 and 2
  kVcpkg,      // vcpkg.json
};

inline constexpr std::size_t kMaxLockFileBytes = 64UL << 20;

// By the name that each manager gives its file; nothing for any other.
std::optional<LockFormat> lock_format_of(std::string_view file_name);

// `path` is what components and gaps name. kDataCorrupt where the text is not of the format, kLimitExceeded
// over Inventory::kMaxComponents.
base::Result<Inventory> read_lock_file(LockFormat format, std::string_view text, std::string_view path);

}  // namespace holdfast::supply
