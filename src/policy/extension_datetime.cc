#include "policy/extension_datetime.h"

#include <fmt/format.h>

#include <array>
#include <chrono>

namespace holdfast::policy {
namespace {

constexpr std::int64_t kSecond = 1'000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;

// Takes text apart from the left; every step says whether the text went on as expected.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool done() const { return rest_.empty(); }

  bool literal(std::string_view expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }

  bool digits(std::size_t count, int& value) {
    if (rest_.size() < count) return false;
    value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') return false;
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return true;
  }

  // All digits at the front; false on none of them or an overflow.
  bool number(bool negative, std::int64_t& value) {
    std::size_t length = 0;
    value = 0;
    for (; length < rest_.size() && rest_[length] >= '0' && rest_[length] <= '9'; ++length) {
      const std::int64_t digit = negative ? -(rest_[length] - '0') : rest_[length] - '0';
      if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, digit, &value))
        return false;
    }
    rest_.remove_prefix(length);
    return length > 0;
  }

 private:
  std::string_view rest_;
};

// What follows the seconds: "Z", ".SSSZ", or an offset with or without milliseconds before it.
bool parse_ending(Cursor& cursor, std::int64_t& milliseconds) {
  int fraction = 0;
  if (cursor.literal(".") && !cursor.digits(3, fraction)) return false;
  milliseconds += fraction;
  if (cursor.literal("Z")) return true;
  const bool west = cursor.literal("-");
  if (!west && !cursor.literal("+")) return false;
  int hours = 0;
  int minutes = 0;
  if (!cursor.digits(2, hours) || !cursor.digits(2, minutes) || hours > 23 || minutes > 59) return false;
  const std::int64_t offset = hours * kHour + minutes * kMinute;
  milliseconds += west ? offset : -offset;
  return true;
}

std::int64_t time_of_day(std::int64_t milliseconds) { return ((milliseconds % kDay) + kDay) % kDay; }

}  // namespace

std::optional<Duration> Duration::parse(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::int64_t size;
  };
  static constexpr std::array<Unit, 5> kUnits{
      {{"d", kDay}, {"h", kHour}, {"m", kMinute}, {"s", kSecond}, {"ms", 1}}};

  Cursor cursor(text);
  const bool negative = cursor.literal("-");
  if (cursor.done()) return std::nullopt;
  std::int64_t total = 0;
  std::size_t next = 0;  // units before this one may not come any more
  while (!cursor.done()) {
    std::int64_t value = 0;
    if (!cursor.number(negative, value)) return std::nullopt;
    std::size_t unit = next;
    for (; unit < kUnits.size(); ++unit) {
      Cursor ahead = cursor;
      // "m" also begins "ms", which is another unit.
      if (kUnits[unit].name == "m" && ahead.literal("ms")) continue;
      if (cursor.literal(kUnits[unit].name)) break;
    }
    if (unit == kUnits.size()) return std::nullopt;
    next = unit + 1;
    if (__builtin_mul_overflow(value, kUnits[unit].size, &value)) return std::nullopt;
    if (__builtin_add_overflow(total, value, &total)) return std::nullopt;
  }
  return Duration{total};
}

std::string Duration::text() const { return fmt::format("{}ms", milliseconds); }

std::optional<Datetime> Datetime::parse(std::string_view text) {
  Cursor cursor(text);
  int year = 0;
  int month = 0;
  int day = 0;
  if (!cursor.digits(4, year) || !cursor.literal("-") || !cursor.digits(2, month) || !cursor.literal("-") ||
      !cursor.digits(2, day)) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return std::nullopt;
  std::int64_t milliseconds = std::chrono::sys_days{date}.time_since_epoch().count() * kDay;
  if (cursor.done()) return Datetime{milliseconds};

  int hours = 0;
  int minutes = 0;
  int seconds = 0;
  if (!cursor.literal("T") || !cursor.digits(2, hours) || !cursor.literal(":") ||
      !cursor.digits(2, minutes) || !cursor.literal(":") || !cursor.digits(2, seconds) || hours > 23 ||
      minutes > 59 || seconds > 59) {
    return std::nullopt;
  }
  milliseconds += hours * kHour + minutes * kMinute + seconds * kSecond;
  if (!parse_ending(cursor, milliseconds) || !cursor.done()) return std::nullopt;
  return Datetime{milliseconds};
}

std::optional<Datetime> Datetime::offset(Duration by) const {
  Datetime result;
  if (__builtin_add_overflow(milliseconds, by.milliseconds, &result.milliseconds)) return std::nullopt;
  return result;
}

std::optional<Duration> Datetime::since(Datetime earlier) const {
  Duration result;
  if (__builtin_sub_overflow(milliseconds, earlier.milliseconds, &result.milliseconds)) return std::nullopt;
  return result;
}

std::optional<Datetime> Datetime::date() const {
  Datetime result;
  if (__builtin_sub_overflow(milliseconds, time_of_day(milliseconds), &result.milliseconds))
    return std::nullopt;
  return result;
}

Duration Datetime::time() const { return Duration{time_of_day(milliseconds)}; }

std::string Datetime::text() const {
  static constexpr std::int64_t kYear0 = -62'167'219'200'000;      // 0000-01-01
  static constexpr std::int64_t kYear10000 = 253'402'300'800'000;  // 10000-01-01
  if (milliseconds < kYear0 || milliseconds >= kYear10000) {
    return fmt::format("datetime(\"1970-01-01\").offset(duration(\"{}ms\"))", milliseconds);
  }
  const std::int64_t time = time_of_day(milliseconds);
  const std::chrono::year_month_day date{
      std::chrono::sys_days{std::chrono::days{(milliseconds - time) / kDay}}};
  return fmt::format("datetime(\"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z\")",
                     static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()), time / kHour, time / kMinute % 60,
                     time / kSecond % 60, time % kSecond);
}

}  // namespace holdfast::policy
