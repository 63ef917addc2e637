#include "base/time.h"

#include <fmt/format.h>

#include <charconv>

namespace holdfast::base {
namespace {

constexpr std::int64_t kMicrosecondsASecond = 1'000'000;
constexpr std::int64_t kSecondsADay = 86'400;

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return Timestamp::from_microseconds(
        std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count());
  }
};

// Reads exactly `width` digits at the front of `text` and takes them off; -1 where there are none.
int take_digits(std::string_view& text, std::size_t width) {
  int value = 0;
  if (text.size() < width) return -1;
  for (std::size_t i = 0; i < width; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(width);
  return value;
}

bool take_char(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

// The fraction after the seconds, in microseconds; -1 where it is malformed.
std::int64_t take_fraction(std::string_view& text) {
  if (!take_char(text, '.')) return 0;
  std::int64_t value = 0;
  int digits = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9' && digits < 6) {
    value = value * 10 + (text.front() - '0');
    text.remove_prefix(1);
    ++digits;
  }
  if (digits == 0) return -1;
  for (; digits < 6; ++digits) value *= 10;
  return value;
}

// The zone's offset in seconds; false where it is missing or malformed.
bool take_zone(std::string_view& text, std::int64_t& offset_seconds) {
  offset_seconds = 0;
  if (take_char(text, 'Z')) return true;
  const bool east = take_char(text, '+');
  if (!east && !take_char(text, '-')) return false;
  const int hours = take_digits(text, 2);
  if (!take_char(text, ':')) return false;
  const int minutes = take_digits(text, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return false;
  offset_seconds = (east ? 1 : -1) * (hours * 3600 + minutes * 60);
  return true;
}

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

Result<Timestamp> Timestamp::parse(std::string_view text) {
  const auto wrong = [whole = std::string(text.substr(0, 40))] {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("\"{}\" is no time; write it as 2026-01-31T09:30:00Z (RFC 3339)", whole));
  };
  const int year = take_digits(text, 4);
  if (year < 1 || !take_char(text, '-')) return wrong();
  const int month = take_digits(text, 2);
  if (!take_char(text, '-')) return wrong();
  const int day = take_digits(text, 2);
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (month < 0 || day < 0 || !date.ok() || !take_char(text, 'T')) return wrong();
  const int hour = take_digits(text, 2);
  if (!take_char(text, ':')) return wrong();
  const int minute = take_digits(text, 2);
  if (!take_char(text, ':')) return wrong();
  const int second = take_digits(text, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return wrong();
  const std::int64_t fraction = take_fraction(text);
  std::int64_t zone = 0;
  if (fraction < 0 || !take_zone(text, zone) || !text.empty()) return wrong();
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  const std::int64_t seconds = days * kSecondsADay + hour * 3600 + minute * 60 + second - zone;
  return Timestamp(seconds * kMicrosecondsASecond + fraction);
}

std::string Timestamp::text() const {
  const std::chrono::sys_time<std::chrono::microseconds> moment{std::chrono::microseconds(microseconds_)};
  const auto day = std::chrono::floor<std::chrono::days>(moment);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{moment - day};
  auto text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                          static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                          time.hours().count(), time.minutes().count(), time.seconds().count());
  if (const auto fraction = time.subseconds().count(); fraction != 0) text += fmt::format(".{:06}", fraction);
  return text + "Z";
}

}  // namespace holdfast::base
