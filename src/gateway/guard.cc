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
  std::uint64_t row;
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
  if (const auto limit = rules.limits.find(name); limit != rules.limits.end()) {
    column.limit = limit->second;
    column.domain.reset();
  }
  return column;
}

Result<Guard> Guard::create(const model::Signature& signature, const data::Schema& schema,
                            const std::vector<InputColumns>& inputs, GuardRules rules) {
  if (!std::isfinite(rules.margin) || rules.margin < 0) {
    return fail(ErrorCode::kInvalidArgument, "the margin of a guard is not a number from 0 on");
  }
  Guard guard;
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
      bound.columns.push_back(std::move(column));
    }
    guard.inputs_.push_back(std::move(bound));
  }
  for (const auto& [name, range] : rules.limits) {
    if (!(range.low <= range.high)) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("the limits of column \"{}\" leave nothing", name));
    }
    const bool held = std::ranges::any_of(
        inputs, [&](const InputColumns& input) { return std::ranges::count(input.columns, name) > 0; });
    if (!held) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("there are limits of column \"{}\", which no input holds", name));
    }
  }
  guard.rules_ = std::move(rules);
  return guard;
}

std::optional<GuardRule> Guard::judge_number(const Column* column, double value) {
  if (std::isnan(value)) {
    return column != nullptr && column->nullable ? std::nullopt : std::optional(GuardRule::kMissing);
  }
  if (std::isinf(value)) return GuardRule::kNotFinite;
  if (column == nullptr) return std::nullopt;
  if (column->limit && outside(*column->limit, value)) return GuardRule::kLimit;
  const bool known = column->type == ColumnType::kBoolean ? value == 0 || value == 1
                     : column->type == ColumnType::kCategorical
                         ? std::ranges::binary_search(column->category_numbers, value)
                         : true;
  if (!known) return GuardRule::kUnknownCategory;
  if (column->type == ColumnType::kInteger && value != std::floor(value)) return GuardRule::kNotInteger;
  if (column->domain && outside(*column->domain, value)) return GuardRule::kOutsideTraining;
  return std::nullopt;
}

std::optional<GuardRule> Guard::judge_text(const Column& column, std::string_view value) {
  const auto cell = data::read_cell(value);
  if (cell.kind == data::CellKind::kMissing) {
    return column.nullable ? std::nullopt : std::optional(GuardRule::kMissing);
  }
  const bool known = column.type == ColumnType::kBoolean ? cell.kind == data::CellKind::kBoolean
                     : column.type == ColumnType::kCategorical
                         ? std::binary_search(column.categories.begin(), column.categories.end(), value)
                         : true;
  return known ? std::nullopt : std::optional(GuardRule::kUnknownCategory);
}

std::string Guard::explain(GuardRule rule, const Column* column, std::string_view value) {
  switch (rule) {
    case GuardRule::kMissing:
      return "the value is missing, as it never was in training; give one";
    case GuardRule::kNotFinite:
      return "the value is infinite; give a number";
    case GuardRule::kLimit:
      return fmt::format("{} is outside the limits of this endpoint, {} to {}", value, column->limit->low,
                         column->limit->high);
    case GuardRule::kNotInteger:
      return fmt::format("{} is not an integer, as all were in training", value);
    case GuardRule::kOutsideTraining:
      return fmt::format(
          "{} is outside {:.6g} to {:.6g}, what training has seen and a margin; check the unit and the order "
          "of the columns",
          value, column->domain->low, column->domain->high);
    case GuardRule::kUnknownCategory:
      break;
  }
  if (column->type == ColumnType::kBoolean) {
    return fmt::format("{} is neither true nor false (1 nor 0 as a number)", value.substr(0, kShownBytes));
  }
  return fmt::format("\"{}\" is a category that training has not seen; there are {}",
                     value.substr(0, kShownBytes), shown(column->categories));
}

// The text of a value is made only where somebody reads it: a large request may be wrong all over.
template <typename Text>
Result<> Guard::note(GuardRule rule, const Place& place, const Column* column, Text text,
                     Outcome& outcome) const {
  const GuardAction action = rules_.action(rule);
  if (action == GuardAction::kIgnore) return {};
  if (action == GuardAction::kFlag && ++outcome.flagged > kMaxFlags) return {};
  const std::string feature = column == nullptr ? "" : fmt::format(", feature \"{}\"", column->name);
  std::string message = fmt::format("input \"{}\", row {}{}: {}", place.input, place.row, feature,
                                    explain(rule, column, text()));
  if (action == GuardAction::kRefuse) return fail(ErrorCode::kInvalidArgument, std::move(message));
  outcome.flags.push_back({.rule = rule,
                           .input = std::string(place.input),
                           .feature = column == nullptr ? "" : column->name,
                           .row = place.row,
                           .message = std::move(message)});
  return {};
}

Result<> Guard::check_texts(const Tensor& tensor, const Input& input, Outcome& outcome) const {
  const std::size_t columns = input.columns.size();
  HF_TRY(const auto texts, model::strings(tensor));
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const Column& column = input.columns[i % columns];
    if (const auto rule = judge_text(column, texts[i])) {
      HF_CHECK(
          note(*rule, {tensor.name, i / columns}, &column, [&] { return std::string(texts[i]); }, outcome));
    }
  }
  return {};
}

Result<> Guard::check_input(const Tensor& tensor, Outcome& outcome) const {
  const Input* input = find(tensor.name);
  if (tensor.datatype == Datatype::kString) {
    return input == nullptr ? Result<>() : check_texts(tensor, *input, outcome);
  }
  if (input == nullptr && !is_real(tensor.datatype)) return {};
  const std::size_t columns = input == nullptr ? 1 : input->columns.size();
  HF_TRY(const auto numbers, model::numbers(tensor));
  if (numbers.size() % columns != 0) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("input \"{}\" does not hold whole rows of {} columns", tensor.name, columns));
  }
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const Column* column = input == nullptr ? nullptr : &input->columns[i % columns];
    if (const auto rule = judge_number(column, numbers[i])) {
      HF_CHECK(
          note(*rule, {tensor.name, i / columns}, column, [&] { return number_text(numbers[i]); }, outcome));
    }
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

std::string Guard::cell_text(const Column& column, double value) {
  if (column.type == ColumnType::kBoolean && !std::isnan(value)) return value != 0 ? "true" : "false";
  return number_text(value);
}

const Guard::Input* Guard::find(std::string_view name) const {
  const auto found = std::ranges::find(inputs_, name, &Input::name);
  return found == inputs_.end() ? nullptr : &*found;
}

}  // namespace holdfast::gateway
