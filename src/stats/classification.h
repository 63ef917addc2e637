#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "stats/measurement.h"

// How good a classifier's answers are: from counts (ConfusionTable), and from predicted probabilities. A rate
// over no rows is NaN. Values; not thread-safe to change.

namespace holdfast::stats {

// One group's answers to a yes-or-no question.
struct BinaryCounts {
  std::uint64_t true_positive = 0;
  std::uint64_t false_positive = 0;
  std::uint64_t true_negative = 0;
  std::uint64_t false_negative = 0;

  [[nodiscard]] std::uint64_t rows() const;
  [[nodiscard]] double accuracy() const;
  [[nodiscard]] double balanced_accuracy() const;  // mean of the true positive and the true negative rate
  [[nodiscard]] double true_positive_rate() const;
  [[nodiscard]] double false_positive_rate() const;
  [[nodiscard]] double precision() const;
  [[nodiscard]] double selection_rate() const;  // share predicted positive

  BinaryCounts& operator+=(const BinaryCounts& other);
  friend bool operator==(const BinaryCounts&, const BinaryCounts&) = default;
};

// Counts by true and predicted class, over cells that somebody else owns: row by true class, column by
// predicted.
class ConfusionMatrix {
 public:
  ConfusionMatrix(std::span<const std::uint64_t> cells, std::size_t classes);

  [[nodiscard]] std::uint64_t count(std::size_t truth, std::size_t predicted) const;
  [[nodiscard]] std::uint64_t rows() const;
  [[nodiscard]] double accuracy() const;
  [[nodiscard]] double balanced_accuracy() const;  // mean recall of the classes that have rows
  [[nodiscard]] BinaryCounts one_vs_rest(std::size_t positive) const;

 private:
  std::span<const std::uint64_t> cells_;
  std::size_t classes_;
};

inline constexpr std::size_t kMaxConfusionCells = 1 << 24;

// Counts by group, true class and predicted class: all that accuracy and fairness figures need, in the layout
// that bootstrap() resamples. matrix() over the cells of a resample reads one group of it.
class ConfusionTable {
 public:
  // kLimitExceeded over kMaxConfusionCells, kInvalidArgument without a group or a class.
  static base::Result<ConfusionTable> create(std::size_t groups, std::size_t classes);

  // Each index below its bound, asserted.
  void add(std::size_t group, std::size_t truth, std::size_t predicted);
  // Of the same shape, asserted.
  void merge(const ConfusionTable& other);

  [[nodiscard]] std::span<const std::uint64_t> cells() const { return cells_; }
  [[nodiscard]] std::size_t groups() const { return groups_; }
  [[nodiscard]] std::size_t classes() const { return classes_; }
  [[nodiscard]] ConfusionMatrix group(std::size_t group) const { return matrix(cells_, group); }
  [[nodiscard]] ConfusionMatrix matrix(std::span<const std::uint64_t> cells, std::size_t group) const;
  [[nodiscard]] ConfusionTable overall() const;  // one group: the sum of all

 private:
  friend class JointConfusionTable;
  ConfusionTable(std::size_t groups, std::size_t classes)
      : groups_(groups), classes_(classes), cells_(groups * classes * classes) {}
  std::size_t groups_;
  std::size_t classes_;
  std::vector<std::uint64_t> cells_;
};

// The answers of two models to the same rows, counted jointly, so that a bootstrap keeps the pairing:
//   bootstrap(joint.cells(), [&](auto cells) { return f(joint.second(cells)) - f(joint.first(cells)); }, ...)
class JointConfusionTable {
 public:
  // As ConfusionTable::create, for classes times the cells.
  static base::Result<JointConfusionTable> create(std::size_t groups, std::size_t classes);

  void add(std::size_t group, std::size_t truth, std::size_t first, std::size_t second);
  [[nodiscard]] std::span<const std::uint64_t> cells() const { return cells_; }
  // What one model alone answered, in a table with these joint cells.
  [[nodiscard]] ConfusionTable first(std::span<const std::uint64_t> cells) const;
  [[nodiscard]] ConfusionTable second(std::span<const std::uint64_t> cells) const;

 private:
  JointConfusionTable(std::size_t groups, std::size_t classes)
      : groups_(groups), classes_(classes), cells_(groups * classes * classes * classes) {}
  std::size_t groups_;
  std::size_t classes_;
  std::vector<std::uint64_t> cells_;
};

// Probabilities of each class, row by row: rows * classes of them, each in [0, 1].
struct ProbabilityTable {
  std::span<const double> values;
  std::size_t classes;

  [[nodiscard]] std::size_t rows() const { return classes == 0 ? 0 : values.size() / classes; }
  [[nodiscard]] std::span<const double> row(std::size_t index) const {
    return values.subspan(index * classes, classes);
  }
};

// Each fails with kInvalidArgument, naming the row, where a probability is outside of [0, 1], a label is no
// class, the lengths do not fit, or there are no rows.

// Whether labels and probabilities are fit for each other, as above.
base::Result<> check_probabilities(const ProbabilityTable& probabilities,
                                   std::span<const std::uint32_t> labels);

// Mean of -ln(probability of the true class), which is clamped to [2^-52, 1 - 2^-52] as scikit-learn does.
base::Result<SampleMean> log_loss(const ProbabilityTable& probabilities,
                                  std::span<const std::uint32_t> labels);

// Mean of (probability of the positive class - label)^2 (Brier 1950, halved as is usual for two classes).
base::Result<SampleMean> brier_score(std::span<const double> probabilities,
                                     std::span<const std::uint8_t> labels);

// Sum over equal-width bins of (rows in bin / rows) |mean probability - share positive| (Naeini et al. 2015).
// Bins are closed above: (0, 1/bins], ...; 0 falls in the first. Biased upwards where bins hold few rows.
base::Result<double> expected_calibration_error(std::span<const double> probabilities,
                                                std::span<const std::uint8_t> labels, std::size_t bins = 15);

// How often the most probable class is the right one, against the probability it was given: the same error
// for many classes.
base::Result<double> expected_calibration_error(const ProbabilityTable& probabilities,
                                                std::span<const std::uint32_t> labels, std::size_t bins = 15);

}  // namespace holdfast::stats
