#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "inspect/weights.h"

// Where the values of a tensor lie.

namespace holdfast::inspect {

// Bytes of one number; 1 for what is opaque.
unsigned width_of(WeightType type);
// Bits after the point.
unsigned mantissa_of(WeightType type);

struct WeightRange {
  std::uint64_t count = 0;
  std::uint64_t zeros = 0;
  std::uint64_t not_a_number = 0;
  std::uint64_t infinite = 0;
  std::uint64_t beyond_ordinary = 0;  // 10^4; finite, like the next two
  std::uint64_t beyond_far = 0;       // 10^9
  std::uint64_t beyond_absurd = 0;    // 10^12, of doubles 10^100: a third of random bits
  std::uint64_t like_first = 0;       // the same bits as the first number
  std::uint64_t first = 0;            // its bits
  // Where the first of each lies, as an index; only valid where there is one.
  std::uint64_t first_strange = 0;

  // `numbers` are little-endian; bytes beyond a whole number are left out.
  void add(base::ByteView numbers, WeightType type);
};

}  // namespace holdfast::inspect
