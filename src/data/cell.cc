#include "data/cell.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>

namespace holdfast::data {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_in_any_case(std::string_view text, std::string_view lower_case) {
  return std::equal(text.begin(), text.end(), lower_case.begin(), lower_case.end(),
                    [](char a, char b) { return lower(a) == b; });
}

bool is_missing(std::string_view text) {
  constexpr std::array kAnyCase = {std::string_view("na"), std::string_view("nan"), std::string_view("null")};
  if (text.empty() || text == "?" || text == "N/A" || text == "None") return true;
  return std::any_of(kAnyCase.begin(), kAnyCase.end(),
                     [&](std::string_view token) { return equal_in_any_case(text, token); });
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "-" perhaps, then a digit that is not a leading zero of more, or a "." and a digit.
bool starts_as_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.starts_with('.')) return text.size() > 1 && is_digit(text[1]);
  return !text.empty() && is_digit(text[0]) && !(text[0] == '0' && text.size() > 1 && is_digit(text[1]));
}

}  // namespace

Cell read_cell(std::string_view text) {
  if (is_missing(text)) return {CellKind::kMissing, kNan};
  if (starts_as_number(text)) {
    const char* const end = text.data() + text.size();
    std::int64_t integer = 0;
    if (const auto read = std::from_chars(text.data(), end, integer);
        read.ptr == end && read.ec == std::errc()) {
      return {CellKind::kInteger, static_cast<double>(integer)};
    }
    double real = 0;
    if (const auto read = std::from_chars(text.data(), end, real);
        read.ptr == end && read.ec == std::errc() && std::isfinite(real)) {
      return {CellKind::kReal, real};
    }
  }
  if (equal_in_any_case(text, "true")) return {CellKind::kBoolean, 1};
  if (equal_in_any_case(text, "false")) return {CellKind::kBoolean, 0};
  return {CellKind::kText, kNan};
}

}  // namespace holdfast::data
