#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "policy/policy.h"

// What a policy of a gate asks of figures, read from its conditions.

namespace holdfast::evaluate {

// One comparison of a part of a figure (lower, upper, value or n) with a literal, as it must come out for the
// policy not to refuse.
struct Comparison {
  enum class Way : std::uint8_t { kAtLeast, kAbove, kAtMost, kBelow };

  std::vector<std::string> path;  // below context.evidence, without the part
  std::string part;               // "lower"
  Way way;
  std::int64_t threshold;  // in ten-thousandths; of `n`, a number of rows

  [[nodiscard]] bool of_rows() const { return part == "n"; }
  [[nodiscard]] bool is_floor() const { return way == Way::kAtLeast || way == Way::kAbove; }
  [[nodiscard]] bool holds(std::int64_t left) const;
  [[nodiscard]] std::string text() const;  // "at least 0.6600", "at most 500 rows"
};

inline constexpr std::size_t kMaxComparisons = 64;  // of one policy; what is beyond is not shown

// In the order in which they stand.
std::vector<Comparison> comparisons_of(const policy::Policy& policy);

}  // namespace holdfast::evaluate
