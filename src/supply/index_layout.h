#pragma once

#include <cstddef>
#include <string_view>

#include "base/bytes.h"

// The layout of an advisory index, known to its writer and its reader. Integers are little-endian.

namespace holdfast::supply {

inline constexpr std::string_view kIndexMagic = "HFADVIX1";
// Magic, imported at, newest, withdrawn (8 bytes each), advisories, packages (4 bytes each).
inline constexpr std::size_t kIndexHeader = 40;
// Of a package: offset and length of its key and of its entries. Of an advisory: offset and length.
inline constexpr std::size_t kPackageRow = 16;
inline constexpr std::size_t kAdvisoryRow = 8;
inline constexpr std::size_t kChecksum = 32;

inline void append_sized(base::Bytes& to, std::string_view text) {
  base::append_le(to, static_cast<std::uint32_t>(text.size()));
  base::append(to, text);
}

}  // namespace holdfast::supply
