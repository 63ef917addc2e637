#include "lab/feasible.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/assert.h"

namespace holdfast::lab {

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// The greatest float32 that is at most `value`, and the least that is at least it.
float float_below(double value) {
  const auto rounded =
      static_cast<float>(std::clamp(value, -static_cast<double>(std::numeric_limits<float>::max()),
                                    static_cast<double>(std::numeric_limits<float>::max())));
  return static_cast<double>(rounded) > value ? std::nextafterf(rounded, -kInfinity) : rounded;
}
float float_above(double value) { return -float_below(-value); }

struct Interval {
  float lower;
  float upper;
};

// Contains the value itself, so that no change is always allowed.
Interval interval(float value, const ColumnConstraint& column, double strength) {
  if (!column.can_change) return {value, value};
  double lower = column.lower.value_or(-std::numeric_limits<double>::max());
  double upper = column.upper.value_or(std::numeric_limits<double>::max());
  if (column.max_change) {
    const double reach = *column.max_change * strength;
    lower = std::max(lower, static_cast<double>(value) - reach);
    upper = std::min(upper, static_cast<double>(value) + reach);
  }
  Interval room{std::min(value, float_above(lower)), std::max(value, float_below(upper))};
  if (column.direction == Direction::kRise) room.lower = value;
  if (column.direction == Direction::kFall) room.upper = value;
  return room;
}

bool whole(float value) { return std::trunc(value) == value; }

// The nearest whole number within the room, or the original where there is none.
float settle_integer(float changed, float original, Interval room) {
  if (changed == original) return original;
  const float least = std::ceil(room.lower);
  const float greatest = std::floor(room.upper);
  if (least > greatest) return original;
  return std::clamp(std::nearbyint(changed), least, greatest);
}

// Shrinks the change towards the original until the budget is met. Whole numbers are rounded towards it.
void shrink(std::span<float> changed, const RowBox& box, const AttackSpec& spec) {
  constexpr int kRounds = 8;  // rounding may leave a last bit over the budget, each round takes off some
  double slack = 1;
  for (int round = 0; round < kRounds; ++round, slack *= 1 - 1e-6) {
    const double cost = change_cost(changed, box.original, spec);
    if (cost <= *spec.cost_budget) return;
    const double share = slack * *spec.cost_budget / cost;
    for (std::size_t i = 0; i < changed.size(); ++i) {
      if (spec.columns[i].unit_cost <= 0) continue;
      const double origin = static_cast<double>(box.original[i]);
      double moved = origin + (static_cast<double>(changed[i]) - origin) * share;
      if (spec.columns[i].integer) moved = moved > origin ? std::floor(moved) : std::ceil(moved);
      const bool back = spec.columns[i].integer && (moved > origin) != (changed[i] > box.original[i]);
      changed[i] = back ? box.original[i] : std::clamp(static_cast<float>(moved), box.lower[i], box.upper[i]);
    }
  }
  if (change_cost(changed, box.original, spec) <= *spec.cost_budget) return;
  std::copy(box.original.begin(), box.original.end(), changed.begin());
}

}  // namespace

FeasibleBox feasible_box(const MatrixView& rows, const AttackSpec& spec) {
  HF_ASSERT(spec.columns.size() == rows.columns);
  FeasibleBox box{.lower = std::vector<float>(rows.values.size()),
                  .upper = std::vector<float>(rows.values.size())};
  for (std::size_t i = 0; i < rows.values.size(); ++i) {
    const auto [lower, upper] = interval(rows.values[i], spec.columns[i % rows.columns], spec.strength);
    box.lower[i] = lower;
    box.upper[i] = upper;
  }
  return box;
}

double change_cost(std::span<const float> changed, std::span<const float> original, const AttackSpec& spec) {
  double cost = 0;
  for (std::size_t i = 0; i < changed.size(); ++i) {
    cost += spec.columns[i].unit_cost *
            std::abs(static_cast<double>(changed[i]) - static_cast<double>(original[i]));
  }
  return cost;
}

void settle(std::span<float> changed, const RowBox& box, const AttackSpec& spec) {
  for (std::size_t i = 0; i < changed.size(); ++i) {
    changed[i] =
        std::isnan(changed[i]) ? box.original[i] : std::clamp(changed[i], box.lower[i], box.upper[i]);
    if (spec.columns[i].integer) {
      changed[i] = settle_integer(changed[i], box.original[i], {box.lower[i], box.upper[i]});
    }
  }
  if (spec.cost_budget) shrink(changed, box, spec);
}

std::optional<std::string> violation(std::span<const float> changed, const RowBox& box,
                                     const AttackSpec& spec) {
  for (std::size_t i = 0; i < changed.size(); ++i) {
    if (!(changed[i] >= box.lower[i] && changed[i] <= box.upper[i])) {
      return fmt::format("column {} was changed from {} to {}, beyond [{}, {}]", i, box.original[i],
                         changed[i], box.lower[i], box.upper[i]);
    }
    if (spec.columns[i].integer && changed[i] != box.original[i] && !whole(changed[i])) {
      return fmt::format("column {} was changed to {}, which is not whole", i, changed[i]);
    }
  }
  if (!spec.cost_budget) return std::nullopt;
  const double cost = change_cost(changed, box.original, spec);
  if (cost <= *spec.cost_budget) return std::nullopt;
  return fmt::format("the change costs {}, over the budget of {}", cost, *spec.cost_budget);
}

}  // namespace holdfast::lab
