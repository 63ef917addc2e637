#include "lab/specs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace holdfast::lab {

using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

tl::unexpected<base::Error> wrong(std::string message) {
  return fail(ErrorCode::kInvalidArgument, std::move(message));
}

Result<> in_range(std::string_view name, std::size_t value, std::size_t least, std::size_t most) {
  if (value >= least && value <= most) return {};
  return wrong(fmt::format("{} is {}; it must be from {} to {}", name, value, least, most));
}

// Of finite numbers; NaN is none.
Result<> at_least_zero(std::string_view name, double value) {
  if (std::isfinite(value) && value >= 0) return {};
  return wrong(fmt::format("{} is {}; it must be a finite number that is not negative", name, value));
}

Result<> above_zero(std::string_view name, double value) {
  if (std::isfinite(value) && value > 0) return {};
  return wrong(fmt::format("{} is {}; it must be a finite number above zero", name, value));
}

Result<> check_class_weights(const TrainSpec& spec) {
  if (spec.class_weights.empty()) return {};
  if (spec.class_weights.size() != spec.classes) {
    return wrong(
        fmt::format("class_weights has {} values for {} classes", spec.class_weights.size(), spec.classes));
  }
  for (const double weight : spec.class_weights) HF_CHECK(above_zero("a class weight", weight));
  return {};
}

Result<> check_column(const ColumnConstraint& column, std::size_t index) {
  const auto name = [index](std::string_view field) {
    return fmt::format("{} of column {}'s constraint", field, index);
  };
  if (column.max_change) HF_CHECK(at_least_zero(name("max_change"), *column.max_change));
  HF_CHECK(at_least_zero(name("unit_cost"), column.unit_cost));
  if (column.lower && !std::isfinite(*column.lower)) return wrong(name("lower") + " is no finite number");
  if (column.upper && !std::isfinite(*column.upper)) return wrong(name("upper") + " is no finite number");
  if (column.lower && column.upper && *column.lower > *column.upper) {
    return wrong(fmt::format("{} is {}, above its upper {}", name("lower"), *column.lower, *column.upper));
  }
  const bool bounded_above = column.upper || column.direction == Direction::kFall;
  const bool bounded_below = column.lower || column.direction == Direction::kRise;
  if (column.can_change && !column.max_change && !(bounded_above && bounded_below)) {
    return wrong(fmt::format(
        "column {} may change without limit; give its constraint a max_change or both bounds", index));
  }
  return {};
}

}  // namespace

Result<> check(const TrainSpec& spec) {
  HF_CHECK(in_range("classes", spec.classes, 2, kMaxClasses));
  HF_CHECK(in_range("the number of hidden layers", spec.hidden.size(), 0, kMaxHiddenLayers));
  for (const std::size_t width : spec.hidden) {
    HF_CHECK(in_range("the width of a hidden layer", width, 1, kMaxLayerWidth));
  }
  if (!(spec.dropout >= 0 && spec.dropout < 1)) {
    return wrong(fmt::format("dropout is {}; it must be at least 0 and below 1", spec.dropout));
  }
  HF_CHECK(above_zero("learning_rate", spec.learning_rate));
  HF_CHECK(at_least_zero("weight_decay", spec.weight_decay));
  HF_CHECK(in_range("batch_size", spec.batch_size, 1, kMaxCells));
  HF_CHECK(in_range("epochs", spec.epochs, 1, kMaxEpochs));
  HF_CHECK(in_range("patience", spec.patience, 0, kMaxEpochs));
  return check_class_weights(spec);
}

Result<> check(const AttackSpec& spec, std::size_t columns) {
  if (spec.columns.size() != columns) {
    return wrong(
        fmt::format("the attack constrains {} columns, and the rows have {}", spec.columns.size(), columns));
  }
  for (std::size_t i = 0; i < columns; ++i) HF_CHECK(check_column(spec.columns[i], i));
  if (std::none_of(spec.columns.begin(), spec.columns.end(), [](const auto& c) { return c.can_change; })) {
    return wrong("the attack may change no column; let at least one change");
  }
  HF_CHECK(at_least_zero("strength", spec.strength));
  if (spec.cost_budget) HF_CHECK(at_least_zero("cost_budget", *spec.cost_budget));
  HF_CHECK(in_range("steps", spec.steps, 1, kMaxSteps));
  HF_CHECK(in_range("restarts", spec.restarts, 1, kMaxRestarts));
  return at_least_zero("step_size", spec.step_size);
}

Result<> check(const HardenSpec& spec, std::size_t columns) {
  HF_CHECK(check(spec.training));
  HF_CHECK(check(spec.attack, columns));
  if (!(spec.adversarial_share > 0 && spec.adversarial_share <= 1)) {
    return wrong(
        fmt::format("adversarial_share is {}; it must be above 0 and at most 1", spec.adversarial_share));
  }
  return {};
}

Result<> check(const MatrixView& matrix, std::string_view what) {
  if (matrix.columns == 0 || matrix.columns > kMaxColumns) {
    return wrong(fmt::format("the {} rows have {} columns; from 1 to {} are possible", what, matrix.columns,
                             kMaxColumns));
  }
  if (matrix.rows > kMaxCells / matrix.columns) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("the {} rows hold more than {} values", what, kMaxCells));
  }
  if (matrix.values.size() != matrix.rows * matrix.columns) {
    return wrong(fmt::format("the {} rows hold {} values, not {} times {}", what, matrix.values.size(),
                             matrix.rows, matrix.columns));
  }
  const auto bad = std::find_if_not(matrix.values.begin(), matrix.values.end(),
                                    [](float value) { return std::isfinite(value); });
  if (bad != matrix.values.end()) {
    const auto place = static_cast<std::size_t>(bad - matrix.values.begin());
    return wrong(fmt::format("column {} of the {} row {} is missing or not finite; fill it in before",
                             place % matrix.columns, what, place / matrix.columns));
  }
  return {};
}

Result<> check(const LabelledRows& rows, std::size_t classes, std::string_view what) {
  HF_CHECK(check(rows.features, what));
  const std::size_t count = rows.features.rows;
  if (rows.labels.size() != count) {
    return wrong(fmt::format("there are {} labels for {} {} rows", rows.labels.size(), count, what));
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (rows.labels[i] < 0 || static_cast<std::size_t>(rows.labels[i]) >= classes) {
      return wrong(fmt::format("the label of the {} row {} is {}; it must be from 0 to {}", what, i,
                               rows.labels[i], classes - 1));
    }
  }
  if (rows.weights.empty()) return {};
  if (rows.weights.size() != count) {
    return wrong(fmt::format("there are {} weights for {} {} rows", rows.weights.size(), count, what));
  }
  double sum = 0;
  for (const float weight : rows.weights) {
    HF_CHECK(at_least_zero(fmt::format("a weight of the {} rows", what), static_cast<double>(weight)));
    sum += static_cast<double>(weight);
  }
  if (count > 0 && !(sum > 0)) return wrong(fmt::format("all weights of the {} rows are zero", what));
  return {};
}

}  // namespace holdfast::lab
