#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/sensitive.h"

// What the columns of a table are: the contract between a dataset, a model and its requests. A value.

namespace holdfast::data {

enum class ColumnType { kBoolean, kInteger, kReal, kCategorical, kText };

std::string_view to_string(ColumnType type);  // "boolean", ...

struct Range {
  double low;
  double high;
  friend bool operator==(const Range&, const Range&) = default;
};

struct Column {
  std::string name;
  ColumnType type = ColumnType::kText;
  bool nullable = false;
  std::optional<Range> range;           // of an integer or a real column: what was seen
  std::vector<std::string> categories;  // of a categorical column: sorted, at least one, none twice
  std::optional<Sensitive> sensitive;
  friend bool operator==(const Column&, const Column&) = default;
};

inline constexpr std::size_t kMaxColumns = 2048;
inline constexpr std::size_t kMaxCategories = 256;
inline constexpr std::size_t kMaxCategoryBytes = 256;
inline constexpr std::size_t kMaxColumnNameBytes = 256;

struct Schema {
  std::vector<Column> columns;

  // Null where no column has this name.
  [[nodiscard]] const Column* find(std::string_view name) const;
  friend bool operator==(const Schema&, const Schema&) = default;
};

// 1 to kMaxColumns names, in UTF-8, none empty, too long or twice. kInvalidArgument, naming the column,
// otherwise.
base::Result<> check_column_names(const std::vector<std::string>& names);

// Canonical JSON (RFC 8785; numbers of a range as text, in the shortest form that reads back as the same
// double):
//   {"columns":[{"categories":["no","yes"],"name":"student","nullable":false,"type":"categorical"},
//               {"maximum":"90","minimum":"17","name":"age","nullable":false,"sensitive":"age","type":"integer"}],
//    "version":1}
std::string to_json(const Schema& schema);
// kInvalidArgument, naming the column and the member, for what breaks a rule above or has a member that is
// not known.
base::Result<Schema> parse_schema(std::string_view json);

}  // namespace holdfast::data
