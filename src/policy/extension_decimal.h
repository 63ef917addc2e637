#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::policy {

// Cedar's `decimal`: a fixed-point number with four fractional digits, kept as ten-thousandths in 64 bits, so
// from -922337203685477.5808 to 922337203685477.5807.
struct Decimal {
  static constexpr int kFractionDigits = 4;

  std::int64_t ten_thousandths = 0;

  // An optional '-', digits, a point, one to four digits: "-0.5". Nothing for any other text or an overflow.
  static std::optional<Decimal> parse(std::string_view text);
  [[nodiscard]] std::string text() const;  // always four fractional digits

  friend auto operator<=>(const Decimal&, const Decimal&) = default;
};

}  // namespace holdfast::policy
