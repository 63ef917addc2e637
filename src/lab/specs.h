#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"

// What the lab can be asked for. Values; the views do not own what they show.

namespace holdfast::lab {

inline constexpr std::size_t kMaxCells = 1UL << 28;  // rows times columns of one matrix
inline constexpr std::size_t kMaxColumns = 1UL << 16;
inline constexpr std::size_t kMaxClasses = 1024;
inline constexpr std::size_t kMaxHiddenLayers = 16;
inline constexpr std::size_t kMaxLayerWidth = 1UL << 14;
inline constexpr std::size_t kMaxEpochs = 10'000;
inline constexpr std::size_t kMaxSteps = 10'000;
inline constexpr std::size_t kMaxRestarts = 1000;

// Features as float32, row by row, in the units of the data: the lab standardises by itself.
struct MatrixView {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::span<const float> values;  // rows * columns, all finite
};

struct LabelledRows {
  MatrixView features;
  std::span<const std::int32_t> labels;  // one a row, in [0, classes)
  std::span<const float> weights;        // one a row, finite, not negative; empty: each row counts once
};

// A multilayer perceptron with ReLU between its layers, trained by Adam on the weighted cross-entropy.
struct TrainSpec {
  std::size_t classes = 2;
  std::vector<std::size_t> hidden = {64, 64};  // widths of the hidden layers; none: logistic regression
  double dropout = 0;                          // after each hidden layer, in [0, 1)
  double learning_rate = 1e-3;
  double weight_decay = 0;
  std::size_t batch_size = 256;
  std::size_t epochs = 20;
  // Epochs without a lower validation loss after which training stops; 0: never. With validation rows the
  // model is the one of the best epoch either way, without them the one of the last.
  std::size_t patience = 5;
  std::vector<double> class_weights;  // one a class, beside the weights of rows; none: 1 each
  std::uint64_t seed = 1;

  friend bool operator==(const TrainSpec&, const TrainSpec&) = default;
};

enum class Direction { kEither, kRise, kFall };

// How an attacker may change one column of a row, in the units of the data. By default not at all.
struct ColumnConstraint {
  bool can_change = false;
  Direction direction = Direction::kEither;
  std::optional<double> max_change;  // from the row's own value, e.g. half of the column's deviation
  // Of the changed value. A row that lies beyond already may stay where it is, and move no further away.
  std::optional<double> lower;
  std::optional<double> upper;
  bool integer = false;  // a changed value is whole
  double unit_cost = 0;  // of a change by 1, see AttackSpec::cost_budget

  friend bool operator==(const ColumnConstraint&, const ColumnConstraint&) = default;
};

enum class AttackMethod {
  kFgsm,  // one step by the sign of the gradient (Goodfellow, Shlens, Szegedy 2015)
  kPgd,   // projected gradient ascent (Madry et al. 2018), the first start at the row, further ones at random
};

// A white-box attack within constraints, on the margin between the best wrong class and the right one: for
// two classes the direction of the cross-entropy, without its underflow.
struct AttackSpec {
  AttackMethod method = AttackMethod::kPgd;
  std::vector<ColumnConstraint> columns;  // one for each feature
  double strength = 1;                    // every max_change is multiplied by it
  std::optional<double> cost_budget;      // of a row: the sum of unit_cost times change is at most this
  std::size_t steps = 40;                 // of PGD
  double step_size = 0;                   // in shares of the room that a column has; 0: 2.5 / steps
  std::size_t restarts = 1;               // of PGD, the first start included
  std::uint64_t seed = 1;

  friend bool operator==(const AttackSpec&, const AttackSpec&) = default;
};

// Adversarial training: of each batch, the first `adversarial_share` of the rows is attacked with the model
// as it then is.
struct HardenSpec {
  TrainSpec training;
  AttackSpec attack;
  double adversarial_share = 0.5;  // in (0, 1]
};

// kInvalidArgument or kLimitExceeded, naming the field, where a spec makes no sense.
base::Result<> check(const TrainSpec& spec);
// Besides, a column that may change without limit is refused: it needs max_change or both bounds.
base::Result<> check(const AttackSpec& spec, std::size_t columns);
base::Result<> check(const HardenSpec& spec, std::size_t columns);
// Shapes, labels below `classes`, weights, and that every value is finite. `what` names the rows in messages:
// "training".
base::Result<> check(const LabelledRows& rows, std::size_t classes, std::string_view what);
base::Result<> check(const MatrixView& matrix, std::string_view what);

}  // namespace holdfast::lab
