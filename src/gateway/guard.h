#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/schema.h"
#include "model/tensor.h"

// The check on what goes into a model at an endpoint: are these rows of the kind that it was trained on?

namespace holdfast::gateway {

enum class GuardAction { kIgnore, kFlag, kRefuse };

// What can be wrong with a value.
enum class GuardRule {
  kMissing,          // no value, in a column that was never empty in training
  kNotFinite,        // infinite
  kLimit,            // outside the limits that the endpoint's owner gave
  kUnknownCategory,  // a category that training has not seen
  kOutsideTraining,  // a number outside what training has seen, widened by the margin
  kNotInteger,       // a fraction, in a column that held integers
};

std::string_view to_string(GuardRule rule);  // "missing", "not-finite", "limit", ...

struct GuardRules {
  std::map<GuardRule, GuardAction> actions;  // what is not named: kRefuse, but kOutsideTraining kFlag
  // By column, both ends included: in place of what training has seen.
  std::map<std::string, data::Range> limits;
  double margin = 0.1;  // of the width of the range seen, on each side; 0 or more
  [[nodiscard]] GuardAction action(GuardRule rule) const;
};

struct Flag {
  GuardRule rule;
  std::string input;    // the tensor's name
  std::string feature;  // the column's
  std::uint64_t row = 0;
  std::string message;  // a whole sentence with the place, the value and the remedy
};

// Which columns an input holds: [rows, columns] or, for one column, [rows] too.
struct InputColumns {
  std::string input;
  std::vector<std::string> columns;
};

// Immutable; thread-safe.
class Guard {
 public:
  // Refuses, and flags beyond these are only counted.
  static constexpr std::size_t kMaxFlags = 32;

  // A guard without columns refuses missing and infinite numbers, and no more.
  Guard() = default;

  // `schema` is that of the training data (data::Profile::schema). kInvalidArgument, naming the input or
  // column, where the inputs are not the signature's, where a shape does not fit its columns, where a column
  // is not in the schema or can't be held by the datatype, and for limits of no column, or that are empty.
  static base::Result<Guard> create(const model::Signature& signature, const data::Schema& schema,
                                    const std::vector<InputColumns>& inputs, GuardRules rules);

  struct Outcome {
    std::vector<Flag> flags;    // at most kMaxFlags
    std::uint64_t flagged = 0;  // values, those that `flags` leaves out included
  };
  // Of inputs that fit the signature (model::check_inputs). kInvalidArgument for the first value that is
  // refused, naming input, row, feature, and what would be taken.
  [[nodiscard]] base::Result<Outcome> check(std::span<const model::Tensor> inputs) const;

  // What the rows hold, as texts by column, as data::ColumnProfile::add takes them ("" where missing): for
  // the drift tap. The columns' names are views into this guard. Empty rows where it knows no columns.
  struct Cell {
    std::string_view column;
    std::string value;
  };
  using Row = std::vector<Cell>;
  [[nodiscard]] std::vector<Row> rows(std::span<const model::Tensor> inputs) const;
  [[nodiscard]] static std::uint64_t row_count(std::span<const model::Tensor> inputs);

 private:
  struct Column {
    std::string name;
    data::ColumnType type = data::ColumnType::kReal;
    bool nullable = false;
    std::optional<data::Range> limit;
    std::optional<data::Range> domain;
    std::vector<std::string> categories;   // sorted
    std::vector<double> category_numbers;  // likewise, of a categorical column in a tensor of numbers
  };
  struct Input {
    std::string name;
    std::vector<Column> columns;
  };
  struct Place;

  [[nodiscard]] static base::Result<Column> make_column(const data::Schema& schema, const std::string& name,
                                                        const model::TensorSpec& spec,
                                                        const GuardRules& rules);
  // None where nothing is wrong. Without a column only a real number is asked for.
  [[nodiscard]] static std::optional<GuardRule> judge_number(const Column* column, double value);
  [[nodiscard]] static std::optional<GuardRule> judge_text(const Column& column, std::string_view value);
  [[nodiscard]] static std::string explain(GuardRule rule, const Column* column, std::string_view value);
  template <typename Text>
  [[nodiscard]] base::Result<> note(GuardRule rule, const Place& place, const Column* column, Text text,
                                    Outcome& outcome) const;
  [[nodiscard]] base::Result<> check_input(const model::Tensor& tensor, Outcome& outcome) const;
  [[nodiscard]] base::Result<> check_texts(const model::Tensor& tensor, const Input& input,
                                           Outcome& outcome) const;
  [[nodiscard]] static std::string cell_text(const Column& column, double value);
  [[nodiscard]] const Input* find(std::string_view name) const;

  std::vector<Input> inputs_;
  GuardRules rules_;
};

}  // namespace holdfast::gateway
