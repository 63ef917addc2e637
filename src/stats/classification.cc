#include "stats/classification.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/assert.h"
#include "stats/moments.h"

namespace holdfast::stats {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;

double share(std::uint64_t part, std::uint64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

Result<> check_rows(std::size_t rows, std::size_t labels) {
  if (rows == 0) return fail(ErrorCode::kInvalidArgument, "there are no rows to measure");
  if (rows != labels) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("there are {} predictions but {} labels", rows, labels));
  }
  return {};
}

Result<> check_probability(double probability, std::size_t row) {
  if (probability >= 0 && probability <= 1) return {};
  return fail(
      ErrorCode::kInvalidArgument,
      fmt::format("row {}: {} is no probability; the model must give values from 0 to 1", row, probability));
}

Result<> check_label(std::size_t label, std::size_t classes, std::size_t row) {
  if (label < classes) return {};
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("row {}: label {} is none of {} classes", row, label, classes));
}

Result<> check_binary(std::span<const double> probabilities, std::span<const std::uint8_t> labels) {
  HF_CHECK(check_rows(probabilities.size(), labels.size()));
  for (std::size_t row = 0; row < labels.size(); ++row) {
    HF_CHECK(check_label(labels[row], 2, row));
    HF_CHECK(check_probability(probabilities[row], row));
  }
  return {};
}

SampleMean mean_of(const Moments& moments) {
  return {.mean = moments.mean(), .variance = moments.variance(), .rows = moments.count()};
}

// Rows by the probability they were given.
class ReliabilityBins {
 public:
  explicit ReliabilityBins(std::size_t bins) : bins_(bins) {}

  void add(double probability, bool happened) {
    const double position = std::ceil(probability * static_cast<double>(bins_.size())) - 1;
    Bin& bin = bins_[position > 0 ? std::min(static_cast<std::size_t>(position), bins_.size() - 1) : 0];
    bin.probability += probability;
    bin.happened += happened ? 1 : 0;
    rows_ += 1;
  }

  [[nodiscard]] double error() const {
    double sum = 0;
    for (const Bin& bin : bins_) sum += std::abs(bin.probability - bin.happened);
    return sum / rows_;
  }

 private:
  struct Bin {
    double probability = 0;  // sum over the rows
    double happened = 0;
  };
  std::vector<Bin> bins_;
  double rows_ = 0;
};

// Of a table with `groups` times classes^power cells.
Result<> check_cells(std::size_t groups, std::size_t classes, int power) {
  if (groups == 0 || classes == 0) {
    return fail(ErrorCode::kInvalidArgument, "a confusion table needs at least one group and one class");
  }
  std::size_t left = kMaxConfusionCells / groups;
  for (int i = 0; i < power; ++i) left /= classes;
  if (left > 0) return {};
  return fail(ErrorCode::kLimitExceeded,
              fmt::format("{} groups of {} classes need more than {} counts; merge rare groups or classes",
                          groups, classes, kMaxConfusionCells));
}

constexpr std::size_t kMaxBins = 10'000;

Result<> check_bins(std::size_t bins) {
  if (bins >= 1 && bins <= kMaxBins) return {};
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("a calibration error takes 1 to {} bins, not {}", kMaxBins, bins));
}

}  // namespace

std::uint64_t BinaryCounts::rows() const {
  return true_positive + false_positive + true_negative + false_negative;
}
double BinaryCounts::accuracy() const { return share(true_positive + true_negative, rows()); }
double BinaryCounts::balanced_accuracy() const {
  return (true_positive_rate() + 1 - false_positive_rate()) / 2;
}
double BinaryCounts::true_positive_rate() const {
  return share(true_positive, true_positive + false_negative);
}
double BinaryCounts::false_positive_rate() const {
  return share(false_positive, false_positive + true_negative);
}
double BinaryCounts::precision() const { return share(true_positive, true_positive + false_positive); }
double BinaryCounts::selection_rate() const { return share(true_positive + false_positive, rows()); }

BinaryCounts& BinaryCounts::operator+=(const BinaryCounts& other) {
  true_positive += other.true_positive;
  false_positive += other.false_positive;
  true_negative += other.true_negative;
  false_negative += other.false_negative;
  return *this;
}

ConfusionMatrix::ConfusionMatrix(std::span<const std::uint64_t> cells, std::size_t classes)
    : cells_(cells), classes_(classes) {
  HF_ASSERT(cells.size() == classes * classes);
}

std::uint64_t ConfusionMatrix::count(std::size_t truth, std::size_t predicted) const {
  HF_ASSERT(truth < classes_ && predicted < classes_);
  return cells_[truth * classes_ + predicted];
}

std::uint64_t ConfusionMatrix::rows() const {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : cells_) sum += count;
  return sum;
}

double ConfusionMatrix::accuracy() const {
  std::uint64_t right = 0;
  for (std::size_t i = 0; i < classes_; ++i) right += count(i, i);
  return share(right, rows());
}

double ConfusionMatrix::balanced_accuracy() const {
  double sum = 0;
  std::uint64_t present = 0;
  for (std::size_t truth = 0; truth < classes_; ++truth) {
    std::uint64_t of_class = 0;
    for (std::size_t predicted = 0; predicted < classes_; ++predicted) of_class += count(truth, predicted);
    if (of_class == 0) continue;
    sum += share(count(truth, truth), of_class);
    ++present;
  }
  return sum / static_cast<double>(present);
}

BinaryCounts ConfusionMatrix::one_vs_rest(std::size_t positive) const {
  BinaryCounts counts{.true_positive = count(positive, positive)};
  for (std::size_t other = 0; other < classes_; ++other) {
    if (other == positive) continue;
    counts.false_negative += count(positive, other);
    counts.false_positive += count(other, positive);
  }
  counts.true_negative = rows() - counts.true_positive - counts.false_negative - counts.false_positive;
  return counts;
}

Result<ConfusionTable> ConfusionTable::create(std::size_t groups, std::size_t classes) {
  HF_CHECK(check_cells(groups, classes, 2));
  return ConfusionTable(groups, classes);
}

void ConfusionTable::add(std::size_t group, std::size_t truth, std::size_t predicted) {
  HF_ASSERT(group < groups_ && truth < classes_ && predicted < classes_);
  ++cells_[(group * classes_ + truth) * classes_ + predicted];
}

void ConfusionTable::merge(const ConfusionTable& other) {
  HF_ASSERT(groups_ == other.groups_ && classes_ == other.classes_);
  for (std::size_t i = 0; i < cells_.size(); ++i) cells_[i] += other.cells_[i];
}

ConfusionMatrix ConfusionTable::matrix(std::span<const std::uint64_t> cells, std::size_t group) const {
  HF_ASSERT(cells.size() == cells_.size() && group < groups_);
  return {cells.subspan(group * classes_ * classes_, classes_ * classes_), classes_};
}

ConfusionTable ConfusionTable::overall() const {
  ConfusionTable sum(1, classes_);
  for (std::size_t i = 0; i < cells_.size(); ++i) sum.cells_[i % sum.cells_.size()] += cells_[i];
  return sum;
}

Result<JointConfusionTable> JointConfusionTable::create(std::size_t groups, std::size_t classes) {
  HF_CHECK(check_cells(groups, classes, 3));
  return JointConfusionTable(groups, classes);
}

void JointConfusionTable::add(std::size_t group, std::size_t truth, std::size_t first, std::size_t second) {
  HF_ASSERT(group < groups_ && truth < classes_ && first < classes_ && second < classes_);
  ++cells_[((group * classes_ + truth) * classes_ + first) * classes_ + second];
}

ConfusionTable JointConfusionTable::first(std::span<const std::uint64_t> cells) const {
  HF_ASSERT(cells.size() == cells_.size());
  ConfusionTable table(groups_, classes_);
  for (std::size_t i = 0; i < cells.size(); ++i) table.cells_[i / classes_] += cells[i];
  return table;
}

ConfusionTable JointConfusionTable::second(std::span<const std::uint64_t> cells) const {
  HF_ASSERT(cells.size() == cells_.size());
  ConfusionTable table(groups_, classes_);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    table.cells_[i / (classes_ * classes_) * classes_ + i % classes_] += cells[i];
  }
  return table;
}

Result<> check_probabilities(const ProbabilityTable& probabilities, std::span<const std::uint32_t> labels) {
  const std::size_t classes = probabilities.classes;
  if (classes == 0 || probabilities.values.size() % classes != 0) {
    return fail(ErrorCode::kInvalidArgument, "the probabilities do not make whole rows");
  }
  HF_CHECK(check_rows(probabilities.rows(), labels.size()));
  for (std::size_t row = 0; row < labels.size(); ++row) {
    HF_CHECK(check_label(labels[row], classes, row));
    for (const double probability : probabilities.row(row)) HF_CHECK(check_probability(probability, row));
  }
  return {};
}

Result<SampleMean> log_loss(const ProbabilityTable& probabilities, std::span<const std::uint32_t> labels) {
  HF_CHECK(check_probabilities(probabilities, labels));
  constexpr double kSmallest = std::numeric_limits<double>::epsilon();
  Moments losses;
  for (std::size_t row = 0; row < labels.size(); ++row) {
    losses.add(-std::log(std::clamp(probabilities.row(row)[labels[row]], kSmallest, 1 - kSmallest)));
  }
  return mean_of(losses);
}

Result<SampleMean> brier_score(std::span<const double> probabilities, std::span<const std::uint8_t> labels) {
  HF_CHECK(check_binary(probabilities, labels));
  Moments losses;
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const double error = probabilities[row] - labels[row];
    losses.add(error * error);
  }
  return mean_of(losses);
}

Result<double> expected_calibration_error(std::span<const double> probabilities,
                                          std::span<const std::uint8_t> labels, std::size_t bins) {
  HF_CHECK(check_bins(bins));
  HF_CHECK(check_binary(probabilities, labels));
  ReliabilityBins reliability(bins);
  for (std::size_t row = 0; row < labels.size(); ++row) reliability.add(probabilities[row], labels[row] == 1);
  return reliability.error();
}

Result<double> expected_calibration_error(const ProbabilityTable& probabilities,
                                          std::span<const std::uint32_t> labels, std::size_t bins) {
  HF_CHECK(check_bins(bins));
  HF_CHECK(check_probabilities(probabilities, labels));
  ReliabilityBins reliability(bins);
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const auto row_values = probabilities.row(row);
    const auto top = std::max_element(row_values.begin(), row_values.end());
    reliability.add(*top, static_cast<std::size_t>(top - row_values.begin()) == labels[row]);
  }
  return reliability.error();
}

}  // namespace holdfast::stats
