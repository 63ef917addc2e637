#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

// Versions of artefacts, as far as one must tell which is older. Plain values.

namespace holdfast::trust {

// Numbers with dots between ("7", "1.4.0", "2026.11.23"), and perhaps "-" and a pre-release in the way of
// Semantic Versioning 2.0.0 (section 11 gives the order). Numbers left out at the end count as 0, so "1.4"
// is "1.4.0". Build metadata ("+..."), which has no order, is refused.
class ArtefactVersion {
 public:
  static constexpr std::size_t kMaxBytes = 128;
  static constexpr std::size_t kMaxNumbers = 8;

  // kInvalidArgument says what a version looks like.
  static base::Result<ArtefactVersion> parse(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }

  friend bool operator==(const ArtefactVersion& a, const ArtefactVersion& b) { return (a <=> b) == 0; }
  friend std::strong_ordering operator<=>(const ArtefactVersion& a, const ArtefactVersion& b);

 private:
  ArtefactVersion() = default;
  std::string text_;
  std::vector<std::uint64_t> numbers_;  // without zeros at the end
  std::vector<std::string> prerelease_;
};

}  // namespace holdfast::trust
