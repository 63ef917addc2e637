#include "stats/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/assert.h"
#include "stats/proportion.h"
#include "stats/sample.h"

namespace holdfast::stats {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using Knot = IsotonicRegression::Knot;

// The mean target at one x, or over a stretch of x that was pooled.
struct Block {
  double x;  // the first
  double mean;
  double rows;
  std::size_t points;  // how many different x

  void absorb(const Block& next) {
    mean = (mean * rows + next.mean * next.rows) / (rows + next.rows);
    rows += next.rows;
    points += next.points;
  }
};

// One block for each different x, ascending.
std::vector<Block> blocks_by_x(std::span<const double> x, std::span<const double> targets) {
  std::vector<std::size_t> order(x.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return x[a] != x[b] ? x[a] < x[b]
                        : targets[a] < targets[b];  // so that sums do not depend on the rows' order
  });
  std::vector<Block> blocks;
  for (const std::size_t row : order) {
    const Block one{.x = x[row], .mean = targets[row], .rows = 1, .points = 1};
    if (!blocks.empty() && blocks.back().x == one.x) {
      blocks.back().absorb(one);
      blocks.back().points = 1;
    } else {
      blocks.push_back(one);
    }
  }
  return blocks;
}

// Pools neighbours until the means do not fall.
std::vector<Block> pool_violators(const std::vector<Block>& blocks) {
  std::vector<Block> pooled;
  for (Block block : blocks) {
    while (!pooled.empty() && pooled.back().mean >= block.mean) {
      Block before = pooled.back();
      pooled.pop_back();
      before.absorb(block);
      block = before;
    }
    pooled.push_back(block);
  }
  return pooled;
}

}  // namespace

Result<IsotonicRegression> IsotonicRegression::fit(std::span<const double> x,
                                                   std::span<const double> targets) {
  if (x.size() != targets.size()) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("there are {} scores but {} targets", x.size(), targets.size()));
  }
  HF_CHECK(check_sample(x, "score"));
  HF_CHECK(check_sample(targets, "target"));
  const std::vector<Block> points = blocks_by_x(x, targets);
  std::vector<Knot> knots;
  std::size_t first = 0;
  for (const Block& block : pool_violators(points)) {
    knots.push_back({.x = block.x, .y = block.mean});
    if (block.points > 1) knots.push_back({.x = points[first + block.points - 1].x, .y = block.mean});
    first += block.points;
  }
  return IsotonicRegression(std::move(knots));
}

Result<IsotonicRegression> IsotonicRegression::from_knots(std::vector<Knot> knots) {
  bool sound = !knots.empty();
  for (std::size_t i = 0; i < knots.size(); ++i) {
    sound = sound && std::isfinite(knots[i].x) && std::isfinite(knots[i].y) &&
            (i == 0 || (knots[i - 1].x < knots[i].x && knots[i - 1].y <= knots[i].y));
  }
  if (!sound) {
    return fail(ErrorCode::kDataCorrupt,
                "a calibration must have knots that ascend, with finite values that never fall");
  }
  return IsotonicRegression(std::move(knots));
}

double IsotonicRegression::apply(double x) const {
  if (std::isnan(x)) return x;
  const auto right =
      std::lower_bound(knots_.begin(), knots_.end(), x, [](const Knot& k, double at) { return k.x < at; });
  if (right == knots_.end()) return knots_.back().y;
  if (right == knots_.begin() || right->x == x) return right->y;
  const Knot& left = *(right - 1);
  return std::lerp(left.y, right->y, (x - left.x) / (right->x - left.x));
}

Result<ProbabilityCalibrator> ProbabilityCalibrator::fit(const ProbabilityTable& scores,
                                                         std::span<const std::uint32_t> labels) {
  HF_CHECK(check_probabilities(scores, labels));
  ProbabilityCalibrator calibrator;
  std::vector<double> x(labels.size());
  std::vector<double> is_class(labels.size());
  for (std::size_t c = 0; c < scores.classes; ++c) {
    for (std::size_t row = 0; row < labels.size(); ++row) {
      x[row] = scores.row(row)[c];
      is_class[row] = labels[row] == c ? 1 : 0;
    }
    HF_TRY(auto regression, IsotonicRegression::fit(x, is_class));
    calibrator.classes_.push_back(std::move(regression));
  }
  return calibrator;
}

std::vector<double> ProbabilityCalibrator::apply(std::span<const double> scores) const {
  HF_ASSERT(scores.size() == classes_.size());
  std::vector<double> probabilities(scores.size());
  double sum = 0;
  for (std::size_t c = 0; c < scores.size(); ++c) {
    probabilities[c] = classes_[c].apply(scores[c]);
    sum += probabilities[c];
  }
  for (double& probability : probabilities) {
    probability = sum == 0 ? 1 / static_cast<double>(scores.size()) : probability / sum;
  }
  return probabilities;
}

Result<ExpectedPerformance> expected_performance(const ProbabilityTable& calibrated,
                                                 std::span<const std::uint32_t> predicted,
                                                 Confidence confidence) {
  HF_CHECK(check_probabilities(calibrated, predicted));
  const std::size_t classes = calibrated.classes;
  if (classes > kMaxConfusionCells / classes) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("{} classes are too many for a confusion matrix", classes));
  }
  std::vector<double> confusion(classes * classes);
  for (std::size_t row = 0; row < predicted.size(); ++row) {
    for (std::size_t truth = 0; truth < classes; ++truth) {
      confusion[truth * classes + predicted[row]] += calibrated.row(row)[truth];
    }
  }
  double right = 0;
  for (std::size_t c = 0; c < classes; ++c) right += confusion[c * classes + c];
  const std::uint64_t rows = predicted.size();
  const auto nearest = std::min(rows, static_cast<std::uint64_t>(std::llround(right)));
  return ExpectedPerformance{
      .confusion = std::move(confusion),
      .accuracy = {.name = "expected accuracy",
                   .value = right / static_cast<double>(rows),
                   .interval = wilson({.successes = nearest, .trials = rows}, confidence),
                   .sample_size = rows,
                   .method = "confidence-based estimate without labels (CBPE), Wilson score interval"}};
}

}  // namespace holdfast::stats
