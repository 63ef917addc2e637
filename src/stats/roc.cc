#include "stats/roc.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "stats/distribution.h"
#include "stats/ranks.h"

namespace holdfast::stats {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;

// What each row contributes to the area: for a positive the share of negatives it beats, for a negative the
// share of positives that beat it (DeLong's V10 and V01).
struct Placements {
  std::vector<double> positives;
  std::vector<double> negatives;
};

Result<> check(std::span<const double> scores, std::span<const std::uint8_t> labels) {
  if (scores.size() != labels.size()) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("there are {} scores but {} labels", scores.size(), labels.size()));
  }
  for (std::size_t row = 0; row < scores.size(); ++row) {
    if (std::isnan(scores[row])) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("row {}: the score is not a number", row));
    }
    if (labels[row] > 1) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("row {}: label {} is neither 0 nor 1", row, labels[row]));
    }
  }
  const auto positives = static_cast<std::size_t>(std::count(labels.begin(), labels.end(), 1));
  if (positives == 0 || positives == labels.size()) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("an area under the ROC curve needs rows of both classes; {} of {} are positive",
                            positives, labels.size()));
  }
  return {};
}

Placements placements(std::span<const double> scores, std::span<const std::uint8_t> labels) {
  std::vector<double> of_class[2];
  for (std::size_t row = 0; row < scores.size(); ++row) of_class[labels[row]].push_back(scores[row]);
  const auto overall = mid_ranks(scores).ranks;
  const std::vector<double> within[2] = {mid_ranks(of_class[0]).ranks, mid_ranks(of_class[1]).ranks};
  const auto positives = static_cast<double>(of_class[1].size());
  const auto negatives = static_cast<double>(of_class[0].size());
  Placements result;
  for (std::size_t row = 0; row < scores.size(); ++row) {
    if (labels[row] == 1) {
      result.positives.push_back((overall[row] - within[1][result.positives.size()]) / negatives);
    } else {
      result.negatives.push_back(1 - (overall[row] - within[0][result.negatives.size()]) / positives);
    }
  }
  return result;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// Sample covariance; NaN for a single row.
double covariance(const std::vector<double>& a, const std::vector<double>& b) {
  const double mean_a = mean(a);
  const double mean_b = mean(b);
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - mean_a) * (b[i] - mean_b);
  return sum / (static_cast<double>(a.size()) - 1);
}

double auc_covariance(const Placements& a, const Placements& b) {
  return covariance(a.positives, b.positives) / static_cast<double>(a.positives.size()) +
         covariance(a.negatives, b.negatives) / static_cast<double>(a.negatives.size());
}

RocAuc auc_of(const Placements& rows) {
  return {.value = std::clamp(mean(rows.positives), 0.0, 1.0),
          .variance = auc_covariance(rows, rows),
          .positives = rows.positives.size(),
          .negatives = rows.negatives.size()};
}

// Where |area - estimate| = z sqrt(variance(area)), between `inside`, the estimate, and `outside`, 0 or 1.
double newcombe_limit(const RocAuc& auc, double z, double outside) {
  constexpr int kHalvings = 60;
  const auto m = static_cast<double>(auc.positives);
  const auto n = static_cast<double>(auc.negatives);
  const double half = (m + n) / 2 - 1;
  double inside = auc.value;
  for (int i = 0; i < kHalvings; ++i) {
    const double area = (inside + outside) / 2;
    const double variance =
        area * (1 - area) * (1 + half * (1 - area) / (2 - area) + half * area / (1 + area)) / (m * n);
    (std::abs(area - auc.value) > z * std::sqrt(variance) ? outside : inside) = area;
  }
  return inside;
}

}  // namespace

double AucComparison::standard_error() const {
  return std::sqrt(std::max(first.variance + second.variance - 2 * covariance, 0.0));
}

double AucComparison::p_value() const {
  const double error = standard_error();
  if (error > 0) return 2 * normal_upper_tail(std::abs(difference()) / error);
  return error == 0 && difference() == 0 ? 1 : std::numeric_limits<double>::quiet_NaN();
}

Result<RocAuc> roc_auc(std::span<const double> scores, std::span<const std::uint8_t> labels) {
  HF_CHECK(check(scores, labels));
  return auc_of(placements(scores, labels));
}

Result<AucComparison> compare_auc(std::span<const double> first, std::span<const double> second,
                                  std::span<const std::uint8_t> labels) {
  HF_CHECK(check(first, labels));
  HF_CHECK(check(second, labels));
  const Placements a = placements(first, labels);
  const Placements b = placements(second, labels);
  return AucComparison{.first = auc_of(a), .second = auc_of(b), .covariance = auc_covariance(a, b)};
}

Interval auc_interval(const RocAuc& auc, Confidence confidence) {
  const double z = normal_quantile(1 - confidence.tail());
  const double spread = auc.value * (1 - auc.value);
  if (!(auc.variance > 0 && spread > 0)) {
    return {.low = newcombe_limit(auc, z, 0), .high = newcombe_limit(auc, z, 1), .confidence = confidence};
  }
  const double logit = std::log(auc.value / (1 - auc.value));
  const double reach = z * std::sqrt(auc.variance) / spread;
  return {.low = 1 / (1 + std::exp(reach - logit)),
          .high = 1 / (1 + std::exp(-reach - logit)),
          .confidence = confidence};
}

Interval auc_difference_interval(const AucComparison& comparison, Confidence confidence) {
  const double error = comparison.standard_error();
  if (!(error > 0)) return unbounded(confidence);
  const double reach = normal_quantile(1 - confidence.tail()) * error;
  return {.low = std::max(-1.0, comparison.difference() - reach),
          .high = std::min(1.0, comparison.difference() + reach),
          .confidence = confidence};
}

}  // namespace holdfast::stats
