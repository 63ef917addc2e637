#include "gateway/guard.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "data/cell.h"

namespace holdfast::gateway {

using base::ErrorCode;
using base::fail;
using base::Result;
using data::ColumnType;
using model::Datatype;
using model::Tensor;

namespace {

constexpr std::size_t kShownCategories = 12;
constexpr std::size_t kShownBytes = 64;

bool is_real(Datatype type) { return type == Datatype::kFp32 || type == Datatype::kFp64; }
bool is_numeric(ColumnType type) { return type == ColumnType::kInteger || type == ColumnType::kReal; }

std::string number_text(double value) {
  if (std::isnan(value)) return "";
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

// The numbers that categories are, in order; none unless all are.
std::vector<double> category_numbers(const std::vector<std::string>& categories) {
  std::vector<double> numbers;
  for (const auto& category : categories) {
    const auto cell = data::read_cell(category);
    if (std::isnan(cell.number)) return {};
    numbers.push_back(cell.number);
  }
  std::ranges::sort(numbers);
  return numbers;
}

std::string shown(const std::vector<std::string>& categories) {
  const auto kept = std::span(categories).first(std::min(categories.size(), kShownCategories));
  std::string list = fmt::format("{}", fmt::join(kept, ", "));
  if (kept.size() < categories.size()) list += fmt::format(", and {} more", categories.size() - kept.size());
  return list;
}

bool outside(const data::Range& range, double value) { return value < range.low || value > range.high; }

data::Range widened(const data::Range& range, double margin) {
  const double extra = margin * (range.high - range.low);
  return {range.low - extra, range.high + extra};
}

// One row of a tensor that holds rows of `columns`; empty where it has no such row.
Tensor slice(const Tensor& tensor, std::size_t columns, std::uint64_t row) {
  Tensor one{tensor.name, tensor.datatype, {1, static_cast<std::int64_t>(columns)}, {}};
  if (tensor.datatype == Datatype::kString) {
    const auto texts = model::strings(tensor);
    if (!texts || (row + 1) * columns > texts->size()) return one;
    for (const std::string_view text : std::span(*texts).subspan(row * columns, columns)) {
      base::append_le(one.data, static_cast<std::uint32_t>(text.size()));
      base::append(one.data, text);
    }
    return one;
  }
  const std::size_t size = columns * model::element_bytes(tensor.datatype);
  if ((row + 1) * size > tensor.data.size()) return one;
  const auto bytes = base::ByteView(tensor.data).subspan(row * size, size);
  one.data.assign(bytes.begin(), bytes.end());
  return one;
}

// How many columns an input of this shape holds: its last dimension, or one. 0 where that varies.
std::size_t columns_of(const model::TensorSpec& spec) {
  if (spec.open_rank || spec.shape.size() > 2 || spec.shape.empty()) return 0;
  if (spec.shape.size() == 1) return 1;
  return spec.shape[1] < 0 ? 0 : static_cast<std::size_t>(spec.shape[1]);
}

}  // namespace

std::string_view to_string(GuardRule rule) {
  switch (rule) {
    case GuardRule::kMissing:
      return "missing";
    case GuardRule::kNotFinite:
      return "not-finite";
    case GuardRule::kLimit:
      return "limit";
    case GuardRule::kUnknownCategory:
      return "unknown-category";
    case GuardRule::kOutsideTraining:
      return "outside-training";
    case GuardRule::kNotInteger:
      return "not-integer";
  }
  return "";
}

GuardAction GuardRules::action(GuardRule rule) const {
  if (const auto named = actions.find(rule); named != actions.end()) return named->second;
  return rule == GuardRule::kOutsideTraining ? GuardAction::kFlag : GuardAction::kRefuse;
}

struct Guard::Place {
  std::string_view input;
  std::string_view feature;  // empty where the column has no name
  std::uint64_t row;
};

struct Guard::Verdict {
  GuardRule rule;
  std::string message;  // what follows the place
};

Result<Guard::Column> Guard::make_column(const data::Schema& schema, const std::string& name,
                                         const model::TensorSpec& spec, const GuardRules& rules) {
  const data::Column* found = schema.find(name);
  if (found == nullptr) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("input \"{}\" is said to hold column \"{}\", which the training data have not",
                            spec.name, name));
  }
  Column column{.name = name, .type = found->type, .nullable = found->nullable};
  const bool text = spec.datatype == Datatype::kString;
  column.categories = found->categories;
  if (!text) column.category_numbers = category_numbers(found->categories);
  const bool categorical = found->type == ColumnType::kCategorical;
  const bool fits =
      text ? !is_numeric(found->type)
           : found->type != ColumnType::kText && (!categorical || !column.category_numbers.empty());
  if (!fits) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("input \"{}\" of {} can't hold column \"{}\", which is {} in the training data",
                            spec.name, model::to_string(spec.datatype), name, data::to_string(found->type)));
  }
  if (is_numeric(found->type) && found->range) column.domain = widened(*found->range, rules.margin);
  if (const auto limit = rules.limits.find(name); limit != rules.limits.end()) column.limit = limit->second;
  return column;
}

Result<Guard> Guard::create(const model::Signature& signature, const data::Schema& schema,
                            const std::vector<InputColumns>& inputs, GuardRules rules) {
  if (!std::isfinite(rules.margin) || rules.margin < 0) {
    return fail(ErrorCode::kInvalidArgument, "the margin of a guard is not a number from 0 on");
  }
  Guard guard;
  std::size_t limits_used = 0;
  for (const InputColumns& input : inputs) {
    const model::TensorSpec* spec = signature.find_input(input.input);
    if (spec == nullptr || guard.find(input.input) != nullptr) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("the model has no input \"{}\", or it is given twice", input.input));
    }
    const std::size_t wanted = columns_of(*spec);
    if (input.columns.empty() || (wanted != 0 && wanted != input.columns.size()) || spec->shape.size() > 2) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("input \"{}\" has shape {}, which does not hold {} columns", input.input,
                              model::shape_text(spec->shape), input.columns.size()));
    }
    Input bound{.name = input.input, .columns = {}};
    for (const std::string& name : input.columns) {
      HF_TRY(Column column, make_column(schema, name, *spec, rules));
      if (column.limit) ++limits_used;
      bound.columns.push_back(std::move(column));
    }
    guard.inputs_.push_back(std::move(bound));
  }
  for (const auto& [name, range] : rules.limits) {
    if (!(range.low <= range.high)) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("the limits of column \"{}\" leave nothing", name));
    }
  }
  if (limits_used < rules.limits.size()) {
    return fail(ErrorCode::kInvalidArgument, "there are limits of a column that no input holds");
  }
  guard.rules_ = std::move(rules);
  return guard;
}

std::optional<Guard::Verdict> Guard::judge_number(const Column* column, double value) const {
  if (std::isnan(value)) {
    if (column != nullptr && column->nullable) return std::nullopt;
    return Verdict{GuardRule::kMissing, "the value is missing, as it never was in training; give one"};
  }
  if (std::isinf(value)) return Verdict{GuardRule::kNotFinite, "the value is infinite; give a number"};
  if (column == nullptr) return std::nullopt;
  if (column->limit && outside(*column->limit, value)) {
    return Verdict{GuardRule::kLimit, fmt::format("{} is outside the limits of this endpoint, {} to {}",
                                                  value, column->limit->low, column->limit->high)};
  }
  if (column->type == ColumnType::kBoolean && value != 0 && value != 1) {
    return Verdict{GuardRule::kUnknownCategory, fmt::format("{} is neither 0 nor 1", value)};
  }
  if (column->type == ColumnType::kCategorical &&
      !std::ranges::binary_search(column->category_numbers, value)) {
    return Verdict{GuardRule::kUnknownCategory,
                   fmt::format("{} is a category that training has not seen; there are {}", value,
                               shown(column->categories))};
  }
  if (column->type == ColumnType::kInteger && value != std::floor(value)) {
    return Verdict{GuardRule::kNotInteger,
                   fmt::format("{} is not an integer, as all were in training", value)};
  }
  if (column->domain && outside(*column->domain, value)) {
    return Verdict{
        GuardRule::kOutsideTraining,
        fmt::format("{} is outside {} to {}, what training has seen and a margin; check the unit and the "
                    "order of the columns",
                    value, column->domain->low, column->domain->high)};
  }
  return std::nullopt;
}

std::optional<Guard::Verdict> Guard::judge_text(const Column& column, std::string_view value) const {
  const auto cell = data::read_cell(value);
  if (cell.kind == data::CellKind::kMissing) {
    if (column.nullable) return std::nullopt;
    return Verdict{GuardRule::kMissing, "the value is missing, as it never was in training; give one"};
  }
  if (column.type == ColumnType::kBoolean && cell.kind != data::CellKind::kBoolean) {
    return Verdict{GuardRule::kUnknownCategory, "the value is neither true nor false"};
  }
  if (column.type == ColumnType::kCategorical &&
      !std::binary_search(column.categories.begin(), column.categories.end(), value)) {
    return Verdict{GuardRule::kUnknownCategory,
                   fmt::format("\"{}\" is a category that training has not seen; there are {}",
                               value.substr(0, kShownBytes), shown(column.categories))};
  }
  return std::nullopt;
}

Result<> Guard::note(const Verdict& verdict, const Place& place, Outcome& outcome) const {
  const GuardAction action = rules_.action(verdict.rule);
  if (action == GuardAction::kIgnore) return {};
  if (action == GuardAction::kFlag && ++outcome.flagged > kMaxFlags) return {};
  const std::string feature = place.feature.empty() ? "" : fmt::format(", feature \"{}\"", place.feature);
  std::string message =
      fmt::format("input \"{}\", row {}{}: {}", place.input, place.row, feature, verdict.message);
  if (action == GuardAction::kRefuse) return fail(ErrorCode::kInvalidArgument, std::move(message));
  outcome.flags.push_back({.rule = verdict.rule,
                           .input = std::string(place.input),
                           .feature = std::string(place.feature),
                           .row = place.row,
                           .message = std::move(message)});
  return {};
}

Result<> Guard::check_input(const Tensor& tensor, Outcome& outcome) const {
  const Input* input = find(tensor.name);
  const std::size_t columns = input == nullptr ? 1 : input->columns.size();
  const auto place = [&](std::size_t i) {
    return Place{tensor.name, input == nullptr ? std::string_view() : input->columns[i % columns].name,
                 i / columns};
  };
  if (tensor.datatype == Datatype::kString) {
    if (input == nullptr) return {};
    HF_TRY(const auto texts, model::strings(tensor));
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (const auto verdict = judge_text(input->columns[i % columns], texts[i])) {
        HF_CHECK(note(*verdict, place(i), outcome));
      }
    }
    return {};
  }
  if (input == nullptr && !is_real(tensor.datatype)) return {};
  HF_TRY(const auto numbers, model::numbers(tensor));
  if (numbers.size() % columns != 0) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("input \"{}\" does not hold whole rows of {} columns", tensor.name, columns));
  }
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const Column* column = input == nullptr ? nullptr : &input->columns[i % columns];
    if (const auto verdict = judge_number(column, numbers[i])) HF_CHECK(note(*verdict, place(i), outcome));
  }
  return {};
}

Result<Guard::Outcome> Guard::check(std::span<const Tensor> inputs) const {
  Outcome outcome;
  for (const Tensor& tensor : inputs) HF_CHECK(check_input(tensor, outcome));
  return outcome;
}

std::uint64_t Guard::row_count(std::span<const Tensor> inputs) {
  if (inputs.empty() || inputs.front().shape.empty()) return inputs.empty() ? 0 : 1;
  return static_cast<std::uint64_t>(inputs.front().shape.front());
}

std::vector<Guard::Row> Guard::rows(std::span<const Tensor> inputs) const {
  std::vector<Row> rows(row_count(inputs));
  for (const Tensor& tensor : inputs) {
    const Input* input = find(tensor.name);
    if (input == nullptr) continue;
    const std::size_t columns = input->columns.size();
    const auto put = [&](std::size_t i, std::string value) {
      if (i / columns < rows.size()) {
        rows[i / columns].push_back({input->columns[i % columns].name, std::move(value)});
      }
    };
    if (tensor.datatype == Datatype::kString) {
      const auto texts = model::strings(tensor);
      for (std::size_t i = 0; texts && i < texts->size(); ++i) put(i, std::string((*texts)[i]));
      continue;
    }
    const auto numbers = model::numbers(tensor);
    for (std::size_t i = 0; numbers && i < numbers->size(); ++i) {
      put(i, cell_text(input->columns[i % columns], (*numbers)[i]));
    }
  }
  return rows;
}

Guard::Row Guard::row_cells(std::span<const Tensor> inputs, std::uint64_t row) const {
  if (row >= row_count(inputs)) return {};
  std::vector<Tensor> sliced;
  for (const Tensor& tensor : inputs) {
    if (const Input* input = find(tensor.name)) sliced.push_back(slice(tensor, input->columns.size(), row));
  }
  auto one = rows(sliced);
  return one.empty() ? Row() : std::move(one.front());
}

std::string Guard::cell_text(const Column& column, double value) {
  if (column.type == ColumnType::kBoolean && !std::isnan(value)) return value != 0 ? "true" : "false";
  return number_text(value);
}

const Guard::Input* Guard::find(std::string_view name) const {
  const auto found = std::ranges::find(inputs_, name, &Input::name);
  return found == inputs_.end() ? nullptr : &*found;
}

}  // namespace holdfast::gateway
