#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::policy {

// Cedar's `duration`: signed milliseconds.
struct Duration {
  std::int64_t milliseconds = 0;

  // "-1d2h3m4s5ms": units from the largest to the smallest, each at most once and one at least, with a '-'
  // for all of it. Nothing for any other text or an overflow.
  static std::optional<Duration> parse(std::string_view text);
  [[nodiscard]] std::string text() const;  // "<n>ms"

  friend auto operator<=>(const Duration&, const Duration&) = default;
};

// Cedar's `datetime`: milliseconds since 1970-01-01T00:00:00Z, in the proleptic Gregorian calendar without
// leap seconds.
struct Datetime {
  std::int64_t milliseconds = 0;

  // "2026-11-23", or with "T12:00:00" and then "Z", ".123Z", "+0100" or ".123+0100". Offsets stay under 24
  // hours; a second of 60 is refused.
  static std::optional<Datetime> parse(std::string_view text);

  // Nothing on overflow.
  [[nodiscard]] std::optional<Datetime> offset(Duration by) const;
  [[nodiscard]] std::optional<Duration> since(Datetime earlier) const;
  [[nodiscard]] std::optional<Datetime> date() const;  // the start of its day
  [[nodiscard]] Duration time() const;                 // since the start of its day
  // An expression that makes this value: datetime("2026-11-23T12:00:00.000Z"), or an offset from 1970 where
  // the year has no four digits.
  [[nodiscard]] std::string text() const;

  friend auto operator<=>(const Datetime&, const Datetime&) = default;
};

}  // namespace holdfast::policy
