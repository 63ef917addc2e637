#pragma once

#include <optional>
#include <vector>

#include "assess/task.h"
#include "base/result.h"
#include "data/schema.h"
#include "data/split.h"
#include "evaluate/answers.h"
#include "formats/source.h"
#include "lab/specs.h"

namespace holdfast::assess {

// The rows of one part of a dataset as a task sees them. A value.
struct Rows {
  std::size_t columns = 0;
  std::vector<float> features;  // row by row
  std::vector<std::uint8_t> labels;
  std::vector<evaluate::Grouping> groupings;  // by the task's groups, in their order

  [[nodiscard]] std::size_t count() const { return labels.size(); }
  [[nodiscard]] lab::MatrixView matrix() const { return {count(), columns, features}; }
};

// Reads CSV by its schema and keeps the rows of `part`, or all of them where `split` is null.
// kInvalidArgument for a missing value in a feature, the label or a group, a label that is neither 0 nor 1,
// and where no row is left; the errors of check_columns() and data::read_table().
base::Result<Rows> read_rows(const formats::Source& csv, const data::Schema& schema, const Task& task,
                             const data::Split* split, data::Part part);

// Reweighing (Kamiran and Calders 2012): w(g, y) = n_g n_y / (n n_gy), which makes group and label
// independent in the weighted rows. One weight a row.
std::vector<float> reweighing(const Rows& rows, const evaluate::Grouping& grouping);

// One weight a row, by which both labels count alike: n / (2 n_y).
std::vector<float> balancing(const Rows& rows);

}  // namespace holdfast::assess
