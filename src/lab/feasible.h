#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lab/specs.h"

// Which changed rows the constraints of an attack allow. One definition for both sides: the lab's attacks
// search within it, and the client checks every row that comes back against it.

namespace holdfast::lab {

// For each cell the least and the greatest value that it may take; where nothing may change, the value
// itself.
// Exact: bounds that no float32 meets are moved inwards. Integers and costs come on top.
struct FeasibleBox {
  std::vector<float> lower;
  std::vector<float> upper;
};

// `rows` and `spec` are checked, asserted.
FeasibleBox feasible_box(const MatrixView& rows, const AttackSpec& spec);

// Moves a changed row to where every constraint holds: into the box, integers to the nearest whole number
// within it, and, over the budget, back towards the original. All spans have one value a column.
struct RowBox {
  std::span<const float> original;
  std::span<const float> lower;
  std::span<const float> upper;
};
void settle(std::span<float> changed, const RowBox& box, const AttackSpec& spec);

// What is wrong with a changed row, for a person; none where every constraint holds.
std::optional<std::string> violation(std::span<const float> changed, const RowBox& box,
                                     const AttackSpec& spec);

// What a changed row costs.
double change_cost(std::span<const float> changed, std::span<const float> original, const AttackSpec& spec);

}  // namespace holdfast::lab
