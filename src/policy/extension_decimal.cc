#include "policy/extension_decimal.h"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::policy {
namespace {

constexpr std::int64_t kScale = 10'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::optional<Decimal> Decimal::parse(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const std::size_t point = text.find('.');
  if (point == std::string_view::npos) return std::nullopt;
  const std::string_view whole = text.substr(0, point);
  std::string_view fraction = text.substr(point + 1);
  if (whole.empty() || fraction.empty() || fraction.size() > kFractionDigits) return std::nullopt;
  if (!std::all_of(whole.begin(), whole.end(), is_digit)) return std::nullopt;
  if (!std::all_of(fraction.begin(), fraction.end(), is_digit)) return std::nullopt;

  // Gathered with the sign in place: the smallest value has no positive counterpart, and "-0.5" has no
  // negative whole part to carry the sign.
  std::int64_t value = 0;
  const auto push = [&](char c) {
    const std::int64_t digit = negative ? -(c - '0') : c - '0';
    return !__builtin_mul_overflow(value, 10, &value) && !__builtin_add_overflow(value, digit, &value);
  };
  for (const char c : whole) {
    if (!push(c)) return std::nullopt;
  }
  for (std::size_t i = 0; i < kFractionDigits; ++i) {
    if (!push(i < fraction.size() ? fraction[i] : '0')) return std::nullopt;
  }
  return Decimal{value};
}

std::string Decimal::text() const {
  const bool negative = ten_thousandths < 0;
  const std::uint64_t magnitude = negative ? 0 - static_cast<std::uint64_t>(ten_thousandths)
                                           : static_cast<std::uint64_t>(ten_thousandths);
  return fmt::format("{}{}.{:04}", negative ? "-" : "", magnitude / kScale, magnitude % kScale);
}

}  // namespace holdfast::policy
