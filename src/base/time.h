#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast::base {

// A moment: microseconds since 1970-01-01T00:00:00Z, from year 0001 to 9999. Stored as this integer.
class Timestamp {
 public:
  constexpr Timestamp() = default;
  static constexpr Timestamp from_microseconds(std::int64_t value) { return Timestamp(value); }
  // RFC 3339 with a zone: "2026-11-23T12:00:00Z", up to six digits of a second, no leap second.
  static Result<Timestamp> parse(std::string_view text);

  [[nodiscard]] constexpr std::int64_t microseconds() const { return microseconds_; }
  // RFC 3339 in UTC, with a fraction only where it is not zero.
  [[nodiscard]] std::string text() const;

  friend constexpr auto operator<=>(Timestamp, Timestamp) = default;
  friend constexpr Timestamp operator+(Timestamp t, std::chrono::microseconds d) {
    return Timestamp(t.microseconds_ + d.count());
  }
  friend constexpr std::chrono::microseconds operator-(Timestamp a, Timestamp b) {
    return std::chrono::microseconds(a.microseconds_ - b.microseconds_);
  }

 private:
  explicit constexpr Timestamp(std::int64_t value) : microseconds_(value) {}
  std::int64_t microseconds_ = 0;
};

// Where time comes from: a parameter, so that a test can hold it still. Implementations are thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Timestamp now() const = 0;
};

// The system's wall clock.
const Clock& system_clock();

}  // namespace holdfast::base
