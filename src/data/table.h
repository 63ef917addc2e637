#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "data/schema.h"
#include "formats/csv.h"

namespace holdfast::data {

// The columns of a table in memory, typed by its schema: what training and evaluation read. A value.
class Table {
 public:
  static constexpr std::size_t kMaxCells = 1UL << 28;
  static constexpr std::int64_t kMissingInteger = INT64_MIN;
  static constexpr std::int32_t kMissingCode = -1;

  using Reals = std::vector<double>;           // missing: NaN
  using Integers = std::vector<std::int64_t>;  // missing: kMissingInteger
  using Codes =
      std::vector<std::int32_t>;  // index of the category; of a boolean 0 or 1; missing: kMissingCode
  using Texts = std::vector<std::string>;  // missing: as it stands in the file
  using Values = std::variant<Reals, Integers, Codes, Texts>;

  [[nodiscard]] std::size_t rows() const { return rows_; }
  [[nodiscard]] const Schema& schema() const { return schema_; }
  // Of the column with this index in the schema.
  [[nodiscard]] const Values& values(std::size_t column) const { return values_[column]; }

 private:
  friend base::Result<Table> read_table(formats::CsvReader& reader, const Schema& schema);
  Table(Schema schema, std::size_t rows, std::vector<Values> values)
      : schema_(std::move(schema)), rows_(rows), values_(std::move(values)) {}
  Schema schema_;
  std::size_t rows_;
  std::vector<Values> values_;
};

// Reads records whose first, the header, names the schema's columns in any order; columns that it lacks are
// refused, as are others. kInvalidArgument, with line and column, for a value that is not of the column's
// type, one that is missing where the column is not nullable, or an unknown category; values outside of a
// range are kept. kLimitExceeded over kMaxCells. Errors of the reader.
base::Result<Table> read_table(formats::CsvReader& reader, const Schema& schema);

// How a categorical column becomes numbers: its code, or a 1 in the place of its category among zeros.
enum class Encoding { kCode, kOneHot };

// Features row by row, as models take them. Integers beyond 2^24 are rounded.
struct Matrix {
  std::size_t rows;
  std::size_t columns;
  std::vector<float> values;              // rows * columns; missing: NaN, in a one-hot column zeros
  std::vector<std::string> column_names;  // "age"; of a one-hot column "job=teacher"
};

// Of the named columns in their order. kNotFound for a name that no column has, kUnsupported for a text
// column, kLimitExceeded over Table::kMaxCells.
base::Result<Matrix> feature_matrix(const Table& table, std::span<const std::string> columns,
                                    Encoding encoding);

}  // namespace holdfast::data
