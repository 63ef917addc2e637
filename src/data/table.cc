#include "data/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "data/cell.h"

namespace holdfast::data {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

Table::Values empty_values(ColumnType type) {
  switch (type) {
    case ColumnType::kBoolean:
    case ColumnType::kCategorical:
      return Table::Codes();
    case ColumnType::kInteger:
      return Table::Integers();
    case ColumnType::kReal:
      return Table::Reals();
    case ColumnType::kText:
      return Table::Texts();
  }
  return Table::Texts();
}

// Appends one value; gives what is wrong with it, or nothing.
std::string_view append_value(Table::Values& values, const Column& column, std::string_view text) {
  const Cell cell = read_cell(text);
  const bool missing = cell.kind == CellKind::kMissing;
  if (missing && !column.nullable) return "is missing, which the schema does not allow";
  switch (column.type) {
    case ColumnType::kText:
      std::get<Table::Texts>(values).emplace_back(text);
      return {};
    case ColumnType::kReal:
      if (!missing && cell.kind != CellKind::kReal && cell.kind != CellKind::kInteger) return "is no number";
      std::get<Table::Reals>(values).push_back(cell.number);
      return {};
    case ColumnType::kInteger: {
      std::int64_t integer = Table::kMissingInteger;
      if (!missing && cell.kind != CellKind::kInteger) return "is no integer";
      if (!missing) std::from_chars(text.data(), text.data() + text.size(), integer);
      if (!missing && integer == Table::kMissingInteger)
        return "is the one integer that stands for a missing one";
      std::get<Table::Integers>(values).push_back(integer);
      return {};
    }
    case ColumnType::kBoolean:
      if (!missing && cell.kind != CellKind::kBoolean) return "is neither true nor false";
      std::get<Table::Codes>(values).push_back(missing ? Table::kMissingCode
                                                       : static_cast<std::int32_t>(cell.number));
      return {};
    case ColumnType::kCategorical: {
      const auto& known = column.categories;
      const auto found = std::lower_bound(known.begin(), known.end(), text);
      const bool is_known = found != known.end() && *found == text;
      if (!missing && !is_known) return "is a category that the schema does not know";
      std::get<Table::Codes>(values).push_back(missing ? Table::kMissingCode
                                                       : static_cast<std::int32_t>(found - known.begin()));
      return {};
    }
  }
  return {};
}

// For each field of a record the index of its column in the schema.
Result<std::vector<std::size_t>> columns_of(std::span<const std::string_view> header, const Schema& schema) {
  std::vector<std::size_t> columns;
  std::vector<bool> seen(schema.columns.size());
  for (const std::string_view name : header) {
    const Column* const column = schema.find(name);
    if (column == nullptr) {
      return fail(
          ErrorCode::kInvalidArgument,
          fmt::format("the table has a column \"{}\" that its schema does not know", name.substr(0, 80)));
    }
    const auto index = static_cast<std::size_t>(column - schema.columns.data());
    if (seen[index])
      return fail(ErrorCode::kInvalidArgument, fmt::format("two columns are called \"{}\"", column->name));
    seen[index] = true;
    columns.push_back(index);
  }
  const auto absent = std::find(seen.begin(), seen.end(), false);
  if (absent == seen.end()) return columns;
  const auto& column = schema.columns[static_cast<std::size_t>(absent - seen.begin())];
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("the table lacks the column \"{}\" of its schema", column.name));
}

// What one column of a table puts into a row of a matrix.
struct Feature {
  const Column* column;
  const Table::Values* values;
  bool one_hot;

  [[nodiscard]] std::size_t width() const { return one_hot ? column->categories.size() : 1; }

  void append_names(std::vector<std::string>& names) const {
    if (!one_hot) return names.push_back(column->name);
    for (const std::string& category : column->categories) names.push_back(column->name + "=" + category);
  }

  void append_row(std::vector<float>& to, std::size_t row) const {
    if (const auto* const reals = std::get_if<Table::Reals>(values)) {
      return to.push_back(static_cast<float>((*reals)[row]));
    }
    if (const auto* const integers = std::get_if<Table::Integers>(values)) {
      const std::int64_t value = (*integers)[row];
      return to.push_back(value == Table::kMissingInteger ? kNan : static_cast<float>(value));
    }
    const std::int32_t code = std::get<Table::Codes>(*values)[row];
    if (!one_hot) return to.push_back(code == Table::kMissingCode ? kNan : static_cast<float>(code));
    for (std::size_t i = 0; i < width(); ++i)
      to.push_back(static_cast<std::int32_t>(i) == code ? 1.0F : 0.0F);
  }
};

}  // namespace

Result<Table> read_table(formats::CsvReader& reader, const Schema& schema) {
  HF_TRY(const auto header, reader.next());
  if (!header)
    return fail(ErrorCode::kInvalidArgument, "the table is empty: its first line must name the columns");
  HF_TRY(const std::vector<std::size_t> columns, columns_of(*header, schema));
  std::vector<Table::Values> values;
  for (const Column& column : schema.columns) values.push_back(empty_values(column.type));
  for (std::size_t rows = 0;; ++rows) {
    HF_TRY(const auto record, reader.next());
    if (!record) return Table(schema, rows, std::move(values));
    if ((rows + 1) * columns.size() > Table::kMaxCells) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("the table has more than {} values; split it", Table::kMaxCells));
    }
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const Column& column = schema.columns[columns[i]];
      const std::string_view wrong = append_value(values[columns[i]], column, (*record)[i]);
      if (wrong.empty()) continue;
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("line {}: \"{}\" in column \"{}\" {}", reader.line(),
                              (*record)[i].substr(0, 80), column.name, wrong));
    }
  }
}

Result<Matrix> feature_matrix(const Table& table, std::span<const std::string> columns, Encoding encoding) {
  std::vector<Feature> features;
  Matrix matrix{.rows = table.rows(), .columns = 0, .values = {}, .column_names = {}};
  for (const std::string& name : columns) {
    const Column* const column = table.schema().find(name);
    if (column == nullptr)
      return fail(ErrorCode::kNotFound, fmt::format("the table has no column \"{}\"", name));
    if (column->type == ColumnType::kText) {
      return fail(ErrorCode::kUnsupported,
                  fmt::format("column \"{}\" is free text, which is no feature", name));
    }
    const auto index = static_cast<std::size_t>(column - table.schema().columns.data());
    features.push_back(
        {.column = column,
         .values = &table.values(index),
         .one_hot = column->type == ColumnType::kCategorical && encoding == Encoding::kOneHot});
    matrix.columns += features.back().width();
    if (matrix.columns > Table::kMaxCells / std::max<std::size_t>(matrix.rows, 1)) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("a matrix of these columns has more than {} values", Table::kMaxCells));
    }
    features.back().append_names(matrix.column_names);
  }
  matrix.values.reserve(matrix.rows * matrix.columns);
  for (std::size_t row = 0; row < matrix.rows; ++row) {
    for (const Feature& feature : features) feature.append_row(matrix.values, row);
  }
  return matrix;
}

}  // namespace holdfast::data
