#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/source.h"

// The outline of a UBJSON document (ubjson.org, draft 12), as XGBoost writes its models: walked to its end
// with every length checked, no value kept.

namespace holdfast::formats {

struct UbjsonOutline {
  static constexpr int kMaxDepth = 64;
  static constexpr std::uint64_t kMaxValues = 1UL << 26;
  static constexpr std::size_t kMaxKeyBytes = 64UL << 10;

  std::vector<std::string> members;  // of the outermost object
  std::uint64_t size = 0;            // bytes of the document; what follows is none of it
};

// kDataCorrupt where the document is broken or no object, kLimitExceeded over the bounds above.
base::Result<UbjsonOutline> read_ubjson(const Source& source);

}  // namespace holdfast::formats
