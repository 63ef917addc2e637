#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "keys/master_key.h"

// The file that tells a right master key from a wrong one, and how it comes from a passphrase.
// Module-private.

namespace holdfast::keys {

inline constexpr std::string_view kMasterFile = "master.json";
inline constexpr std::size_t kMaxMasterFileBytes = 16UL << 10;

struct MasterFile {
  std::optional<Derivation> derivation;
  base::Bytes check;                                    // an envelope under the master key
  std::optional<base::Timestamp> since = std::nullopt;  // when that key came into use
};

std::string format_master_file(const MasterFile& file);
// kDataCorrupt for what is none, kUnsupported for a later version.
base::Result<MasterFile> parse_master_file(std::string_view text);
// None where the folder has none yet. Errors name the file.
base::Result<std::optional<MasterFile>> read_master_file(const std::filesystem::path& folder);

// The file of a key that comes into use now.
MasterFile master_file_of(const MasterKey& master, base::Timestamp now, base::RandomSource& random);
// Whether the key is the one that the file was made for. kUnsupported for a later version.
base::Result<bool> fits(const MasterFile& file, const MasterKey& master);

}  // namespace holdfast::keys
