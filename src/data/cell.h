#pragma once

#include <string_view>

namespace holdfast::data {

// What one field of a table says, by its text alone.
enum class CellKind { kMissing, kBoolean, kInteger, kReal, kText };

struct Cell {
  CellKind kind;
  double number;  // of an integer or a real; 1 or 0 of a boolean; else NaN
};

// Missing: empty, NA, N/A, NaN, null, None, "?" (in these spellings; NaN, null and NA in any case). Boolean:
// true or false, in any case. Integer: an optional "-" and digits without superfluous zeros, within 64 bits;
// beyond 2^53 its number is rounded. Real: a finite decimal number, with "." and perhaps an exponent; ".5"
// too, as Stata and SAS write it. White space around a value makes it a text, as do leading zeros: codes are
// no numbers.
Cell read_cell(std::string_view text);

}  // namespace holdfast::data
