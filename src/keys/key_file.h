#pragma once

#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"
#include "keys/key_name.h"
#include "keys/key_store.h"

// One key in the folder: where it lies, and what stands in its envelope. Module-private.

namespace holdfast::keys {

inline constexpr std::size_t kMaxHeadBytes = 64;
inline constexpr std::size_t kMaxKeyFileBytes =
    kMaxSecretBytes + kMaxHeadBytes + 64;  // with the envelope's own
inline constexpr std::string_view kBlobKind = "blob-keys";
inline constexpr std::size_t kNamingBytes =
    32;  // of a blob key; behind them its age identities, newest first
inline constexpr std::string_view kKeyEnding = ".key";
inline constexpr std::string_view kMarkEnding = ".destroyed";

// What a payload begins with: "<kind> <microseconds since 1970>\n". Older ones lack the time.
struct Head {
  std::string_view kind;
  std::optional<base::Timestamp> created;
  std::size_t size = 0;
};
std::optional<Head> head_of(const base::Secret& payload);
// Of a payload that has a head.
base::ByteView content_of(const base::Secret& payload);
// No copy is left behind unwiped.
base::Secret joined(std::initializer_list<base::ByteView> parts);
tl::unexpected<base::Error> damaged(const std::string& full);

base::Result<> make_folder(const std::filesystem::path& folder);
std::filesystem::path key_path(const std::filesystem::path& folder, const std::string& full);
std::filesystem::path mark_path(const std::filesystem::path& folder, const std::string& full);
KeyName blob_key_name(const base::WorkspaceId& workspace);

}  // namespace holdfast::keys
