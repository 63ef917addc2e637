#include "assess/task.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <set>

#include "crypto/sha256.h"

namespace holdfast::assess {

using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

// Reads the keys of one table, each by its type, and then that there were no others.
class TableReader {
 public:
  TableReader(const toml::table& table, std::string place) : table_(&table), place_(std::move(place)) {}

  Result<std::string> text(std::string_view key) {
    const auto* node = find(key);
    if (node == nullptr || !node->is_string()) return wrong(key, "a text is needed");
    return node->as_string()->get();
  }

  Result<std::optional<double>> number(std::string_view key) {
    const auto* node = find(key);
    if (node == nullptr) return std::nullopt;
    if (!node->is_number()) return wrong(key, "a number is needed");
    return *node->value<double>();
  }

  Result<double> number(std::string_view key, double otherwise, double low, double high) {
    HF_TRY(const auto value, number(key));
    if (!value) return otherwise;
    if (!(*value >= low && *value <= high))
      return wrong(key, fmt::format("it lies between {} and {}", low, high));
    return *value;
  }

  Result<std::size_t> count(std::string_view key, std::size_t otherwise, std::size_t low, std::size_t high) {
    const auto* node = find(key);
    if (node == nullptr) return otherwise;
    const auto value = node->value_exact<std::int64_t>();
    if (!value || *value < static_cast<std::int64_t>(low) || *value > static_cast<std::int64_t>(high)) {
      return wrong(key, fmt::format("a whole number from {} to {} is needed", low, high));
    }
    return static_cast<std::size_t>(*value);
  }

  Result<bool> boolean(std::string_view key) {
    const auto* node = find(key);
    if (node == nullptr) return false;
    if (!node->is_boolean()) return wrong(key, "true or false is needed");
    return node->as_boolean()->get();
  }

  template <typename T>
  Result<std::vector<T>> list(std::string_view key) {
    std::vector<T> values;
    const auto* node = find(key);
    if (node == nullptr) return values;
    if (!node->is_array()) return wrong(key, "a list is needed");
    for (const auto& element : *node->as_array()) {
      const auto value = element.template value<T>();
      if (!value) return wrong(key, "it holds a value of another type");
      values.push_back(*value);
    }
    return values;
  }

  // No key was left unread.
  Result<> end() const {
    for (const auto& [key, node] : *table_) {
      if (!read_.contains(key.str())) return wrong(key.str(), "there is no such key");
    }
    return {};
  }

  tl::unexpected<base::Error> wrong(std::string_view key, std::string_view what) const {
    return fail(ErrorCode::kInvalidArgument, fmt::format("{}, {}: {}", place_, key, what));
  }

 private:
  const toml::node* find(std::string_view key) {
    read_.insert(std::string(key));
    return table_->get(key);
  }

  const toml::table* table_;
  std::string place_;
  std::set<std::string, std::less<>> read_;
};

Result<GroupBy> read_group(TableReader group) {
  GroupBy result;
  HF_TRY(result.name, group.text("name"));
  HF_TRY(result.column, group.text("column"));
  HF_TRY(result.edges, group.list<double>("edges"));
  if (!std::is_sorted(result.edges.begin(), result.edges.end()))
    return group.wrong("edges", "they must rise");
  HF_CHECK(group.end());
  return result;
}

Result<Attack> read_attack(TableReader attack) {
  Attack result;
  HF_TRY(result.name, attack.text("name"));
  HF_TRY(const std::string method, attack.text("method"));
  if (method != "fgsm" && method != "pgd") return attack.wrong("method", "it is fgsm or pgd");
  result.method = method == "fgsm" ? lab::AttackMethod::kFgsm : lab::AttackMethod::kPgd;
  HF_TRY(result.steps, attack.count("steps", 40, 1, lab::kMaxSteps));
  HF_TRY(result.restarts, attack.count("restarts", 1, 1, lab::kMaxRestarts));
  HF_TRY(result.strength, attack.number("strength", 1, 0, 1e6));
  HF_TRY(result.cost_budget, attack.number("cost_budget"));
  HF_CHECK(attack.end());
  return result;
}

Result<> read_change(TableReader change, Task& task) {
  lab::ColumnConstraint constraint{.can_change = true};
  HF_TRY(const auto columns, change.list<std::string>("columns"));
  if (columns.empty()) return change.wrong("columns", "the names of one or more features are needed");
  HF_TRY(constraint.max_change, change.number("max_change"));
  HF_TRY(constraint.lower, change.number("lower"));
  HF_TRY(constraint.upper, change.number("upper"));
  HF_TRY(constraint.integer, change.boolean("integer"));
  HF_TRY(constraint.unit_cost, change.number("unit_cost", 0, 0, 1e12));
  HF_TRY(const std::string direction, change.text("direction"));
  if (direction == "rise") {
    constraint.direction = lab::Direction::kRise;
  } else if (direction == "fall") {
    constraint.direction = lab::Direction::kFall;
  } else if (direction != "either") {
    return change.wrong("direction", "it is rise, fall or either");
  }
  HF_CHECK(change.end());
  for (const auto& column : columns) {
    const auto feature = std::find(task.features.begin(), task.features.end(), column);
    if (feature == task.features.end()) {
      return change.wrong("columns", fmt::format("{} is no feature of the task", column));
    }
    auto& slot = task.constraints[static_cast<std::size_t>(feature - task.features.begin())];
    if (slot.can_change) return change.wrong("columns", fmt::format("{} stands in two changes", column));
    slot = constraint;
  }
  return {};
}

// The tables of an array of tables, each with its place.
Result<std::vector<TableReader>> tables(const toml::table& file, std::string_view key,
                                        std::string_view file_name) {
  std::vector<TableReader> found;
  const auto* node = file.get(key);
  if (node == nullptr) return found;
  if (!node->is_array()) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("{}: write [[{}]], once for each", file_name, key));
  }
  for (const auto& element : *node->as_array()) {
    const auto place = fmt::format("{}:{}: [[{}]]", file_name, element.source().begin.line, key);
    if (!element.is_table()) return fail(ErrorCode::kInvalidArgument, place + " is no table");
    found.emplace_back(*element.as_table(), place);
  }
  return found;
}

Result<> read_question(const toml::table& file, std::string_view file_name, Task& task) {
  const auto* node = file.get("task");
  if (node == nullptr || !node->is_table()) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("{}: the table [task] is missing", file_name));
  }
  TableReader question(*node->as_table(), fmt::format("{}: [task]", file_name));
  HF_TRY(task.label, question.text("label"));
  HF_TRY(task.features, question.list<std::string>("features"));
  if (task.features.empty()) return question.wrong("features", "the names of one or more columns are needed");
  if (std::set<std::string>(task.features.begin(), task.features.end()).size() != task.features.size()) {
    return question.wrong("features", "a column stands in it twice");
  }
  if (std::find(task.features.begin(), task.features.end(), task.label) != task.features.end()) {
    return question.wrong("features", "the label is one of them, so that a model would be told the answer");
  }
  HF_TRY(task.threshold, question.number("threshold", 0.5, 0, 1));
  HF_TRY(task.minimum_group_rows, question.count("minimum_group_rows", 100, 1, 1'000'000'000));
  HF_CHECK(question.end());
  task.constraints.resize(task.features.size());
  return {};
}

Result<Task> read_task(const toml::table& file, std::string_view file_name) {
  for (const auto& [key, node] : file) {
    const std::string_view name = key.str();
    if (name != "task" && name != "group" && name != "attack" && name != "change") {
      return fail(ErrorCode::kInvalidArgument, fmt::format("{}: there is no table [{}]", file_name, name));
    }
  }
  Task task;
  HF_CHECK(read_question(file, file_name, task));
  HF_TRY(const auto groups, tables(file, "group", file_name));
  for (const auto& group : groups) {
    HF_TRY(auto read, read_group(group));
    task.groups.push_back(std::move(read));
  }
  HF_TRY(const auto changes, tables(file, "change", file_name));
  for (const auto& change : changes) HF_CHECK(read_change(change, task));
  HF_TRY(const auto attacks, tables(file, "attack", file_name));
  for (const auto& attack : attacks) {
    HF_TRY(auto read, read_attack(attack));
    task.attacks.push_back(std::move(read));
    HF_CHECK(lab::check(task.attack_spec(task.attacks.back(), 1), task.features.size()));
  }
  return task;
}

}  // namespace

lab::AttackSpec Task::attack_spec(const Attack& attack, std::uint64_t seed) const {
  return {.method = attack.method,
          .columns = constraints,
          .strength = attack.strength,
          .cost_budget = attack.cost_budget,
          .steps = attack.steps,
          .restarts = attack.restarts,
          .seed = seed};
}

Result<Task> parse_task(std::string_view toml, std::string_view file_name) {
  if (toml.size() > kMaxTaskBytes) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("{}: a task has at most {} bytes", file_name, kMaxTaskBytes));
  }
  toml::table file;
  try {
    file = toml::parse(toml, file_name);
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{}:{}: {}", file_name, error.source().begin.line, error.description()));
  }
  HF_TRY(Task task, read_task(file, file_name));
  task.digest = crypto::sha256(base::as_bytes(toml));
  return task;
}

Result<> check_columns(const Task& task, const data::Schema& schema) {
  const auto check = [&schema](const std::string& column, bool numeric) -> Result<> {
    const data::Column* found = schema.find(column);
    if (found == nullptr) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("the task speaks of the column {}, which the dataset does not have", column));
    }
    if (numeric && found->type == data::ColumnType::kText) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("the column {} holds text, no numbers", column));
    }
    return {};
  };
  HF_CHECK(check(task.label, true));
  for (const auto& feature : task.features) HF_CHECK(check(feature, true));
  for (const auto& group : task.groups) HF_CHECK(check(group.column, !group.edges.empty()));
  return {};
}

}  // namespace holdfast::assess
