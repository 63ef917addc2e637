#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "data/schema.h"
#include "lab/specs.h"

namespace holdfast::assess {

// Rows grouped by a column, to compare how a model treats people.
struct GroupBy {
  std::string name;    // "age"
  std::string column;  // "AGE"
  std::vector<double>
      edges;  // ascending; a number falls into "under 30", "30 to under 40", ...; none: by value
};

struct Attack {
  std::string name;  // "pgd"
  lab::AttackMethod method = lab::AttackMethod::kPgd;
  std::size_t steps = 40;
  std::size_t restarts = 1;
  double strength = 1;
  std::optional<double> cost_budget;
};

// What a model is for and what it is put through: the question, the people, and what an attacker can change.
// Written by a person, in TOML, before anything is measured.
struct Task {
  std::string label;                  // column; 0 or 1
  std::vector<std::string> features;  // columns, in the order of the model's input
  double threshold = 0.5;             // the answer is yes where the probability is at least this
  std::uint64_t minimum_group_rows = 100;
  std::vector<GroupBy> groups;
  std::vector<Attack> attacks;
  std::vector<lab::ColumnConstraint> constraints;  // one a feature
  base::Digest digest;                             // SHA-256 of the text

  [[nodiscard]] lab::AttackSpec attack_spec(const Attack& attack, std::uint64_t seed) const;
};

inline constexpr std::size_t kMaxTaskBytes = 1UL << 20;

// kInvalidArgument, naming the file, line and key, for what is missing, unknown, of the wrong type or out of
// range.
base::Result<Task> parse_task(std::string_view toml, std::string_view file_name);

// That a dataset's columns are those that the task speaks of. kInvalidArgument names the first that is not.
base::Result<> check_columns(const Task& task, const data::Schema& schema);

}  // namespace holdfast::assess
