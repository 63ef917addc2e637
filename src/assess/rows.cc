#include "assess/rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "data/survey.h"
#include "data/table.h"
#include "formats/csv.h"

namespace holdfast::assess {

using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

tl::unexpected<base::Error> fail_missing(const std::string& column, std::size_t row) {
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("row {} of the dataset has no value in {}, which the task needs", row, column));
}

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

// Of columns that are numbers or codes: the value of a row, kMissing where there is none.
double number_at(const data::Table::Values& values, std::size_t row) {
  if (const auto* reals = std::get_if<data::Table::Reals>(&values)) return (*reals)[row];
  if (const auto* integers = std::get_if<data::Table::Integers>(&values)) {
    const auto value = (*integers)[row];
    return value == data::Table::kMissingInteger ? kMissing : static_cast<double>(value);
  }
  if (const auto* codes = std::get_if<data::Table::Codes>(&values)) {
    const auto code = (*codes)[row];
    return code == data::Table::kMissingCode ? kMissing : static_cast<double>(code);
  }
  return kMissing;
}

std::string bin_name(const std::vector<double>& edges, double value) {
  const auto above = std::upper_bound(edges.begin(), edges.end(), value);
  if (above == edges.begin()) return fmt::format("under {}", edges.front());
  if (above == edges.end()) return fmt::format("{} and over", edges.back());
  return fmt::format("{} to under {}", *(above - 1), *above);
}

// A row's group by the column's value as a person reads it.
std::string group_name(const GroupBy& group, const data::Column& column, const data::Table::Values& values,
                       std::size_t row) {
  if (const auto* texts = std::get_if<data::Table::Texts>(&values)) return (*texts)[row];
  const double value = number_at(values, row);
  if (!group.edges.empty()) return bin_name(group.edges, value);
  if (column.type == data::ColumnType::kCategorical)
    return column.categories[static_cast<std::size_t>(value)];
  return fmt::format("{}", value);
}

std::size_t index_of(const data::Schema& schema, const std::string& name) {
  return static_cast<std::size_t>(schema.find(name) - schema.columns.data());
}

Result<std::vector<std::uint8_t>> labels_of(const data::Table& table, const Task& task,
                                            std::span<const std::size_t> kept) {
  const auto& values = table.values(index_of(table.schema(), task.label));
  std::vector<std::uint8_t> labels;
  labels.reserve(kept.size());
  for (const auto row : kept) {
    const double value = number_at(values, row);
    if (value != 0 && value != 1) {
      return fail(
          ErrorCode::kInvalidArgument,
          fmt::format("row {} of the dataset has a label in {} that is neither 0 nor 1", row, task.label));
    }
    labels.push_back(value == 1 ? 1 : 0);
  }
  return labels;
}

Result<evaluate::Grouping> grouping_of(const data::Table& table, const GroupBy& group,
                                       std::span<const std::size_t> kept) {
  const std::size_t index = index_of(table.schema(), group.column);
  const auto& values = table.values(index);
  const bool text = std::holds_alternative<data::Table::Texts>(values);
  std::vector<std::string> names;
  names.reserve(kept.size());
  for (const auto row : kept) {
    if (!text && std::isnan(number_at(values, row))) return fail_missing(group.column, row);
    names.push_back(group_name(group, table.schema().columns[index], values, row));
  }
  return evaluate::group_by(group.name, names);
}

}  // namespace

Result<Rows> read_rows(const formats::Source& csv, const data::Schema& schema, const Task& task,
                       const data::Split* split, data::Part part) {
  HF_CHECK(check_columns(task, schema));
  formats::SourceStream stream(csv);
  HF_TRY(auto reader, formats::CsvReader::create(stream));
  HF_TRY(const auto table, data::read_table(reader, schema));
  HF_TRY(const auto matrix, data::feature_matrix(table, task.features, data::Encoding::kCode));
  std::vector<std::size_t> kept;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    if (split == nullptr || split->part_of(row) == part) kept.push_back(row);
  }
  if (kept.empty()) return fail(ErrorCode::kInvalidArgument, "no row of the dataset is left to look at");

  Rows rows{.columns = matrix.columns, .features = {}, .labels = {}, .groupings = {}};
  rows.features.reserve(kept.size() * matrix.columns);
  for (const auto row : kept) {
    const auto* begin = matrix.values.data() + row * matrix.columns;
    for (std::size_t column = 0; column < matrix.columns; ++column) {
      if (std::isnan(begin[column])) return fail_missing(task.features[column], row);
    }
    rows.features.insert(rows.features.end(), begin, begin + matrix.columns);
  }
  HF_TRY(rows.labels, labels_of(table, task, kept));
  for (const auto& group : task.groups) {
    HF_TRY(auto grouping, grouping_of(table, group, kept));
    rows.groupings.push_back(std::move(grouping));
  }
  return rows;
}

std::vector<float> reweighing(const Rows& rows, const evaluate::Grouping& grouping) {
  const std::size_t groups = grouping.groups.size();
  std::vector<double> by_group(groups);
  std::array<double, 2> by_label{};
  std::vector<std::array<double, 2>> by_both(groups);
  for (std::size_t row = 0; row < rows.count(); ++row) {
    ++by_group[grouping.group_of[row]];
    ++by_label[rows.labels[row]];
    ++by_both[grouping.group_of[row]][rows.labels[row]];
  }
  std::vector<float> weights(rows.count());
  const auto total = static_cast<double>(rows.count());
  for (std::size_t row = 0; row < rows.count(); ++row) {
    const auto group = grouping.group_of[row];
    const auto label = rows.labels[row];
    weights[row] = static_cast<float>(by_group[group] * by_label[label] / (total * by_both[group][label]));
  }
  return weights;
}

std::vector<float> balancing(const Rows& rows) {
  const auto ones = static_cast<double>(std::count(rows.labels.begin(), rows.labels.end(), 1));
  const auto total = static_cast<double>(rows.count());
  std::vector<float> weights(rows.count());
  for (std::size_t row = 0; row < rows.count(); ++row) {
    weights[row] = static_cast<float>(total / (2 * (rows.labels[row] == 1 ? ones : total - ones)));
  }
  return weights;
}

}  // namespace holdfast::assess
