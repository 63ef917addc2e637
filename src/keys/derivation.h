#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "keys/master_key.h"

// The file that tells a right master key from a wrong one, and how it comes from a passphrase.
// Module-private.

namespace holdfast::keys {

inline constexpr std::string_view kMasterFile = "master.json";
inline constexpr std::size_t kMaxMasterFileBytes = 16UL << 10;

struct MasterFile {
  std::optional<Derivation> derivation;
  base::Bytes check;  // an envelope under the master key
};

std::string format_master_file(const MasterFile& file);
// kDataCorrupt for what is none, kUnsupported for a later version.
base::Result<MasterFile> parse_master_file(std::string_view text);
// None where the folder has none yet. Errors name the file.
base::Result<std::optional<MasterFile>> read_master_file(const std::filesystem::path& folder);

}  // namespace holdfast::keys
