#include "stats/sequential.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "stats/distribution.h"

namespace holdfast::stats {
namespace {

// log of the integral over theta from w to 1 of theta^k (1 - theta)^(n - k) / (w^k (1 - w)^(n - k)) / (1 -
// w).
double log_mixture_over_chances(double w, double k, double n) {
  const double a = k + 1;
  const double b = n - k + 1;
  return log_beta(a, b) + std::log(beta_upper_tail(w, a, b)) - std::log1p(-w) - k * std::log(w) -
         (n - k) * std::log1p(-w);
}

}  // namespace

base::Result<CanaryErrorTest> CanaryErrorTest::create(double share, double alpha) {
  if (!(share > 0 && share < 1 && alpha > 0 && alpha < 1)) {
    return base::fail(
        base::ErrorCode::kInvalidArgument,
        fmt::format("the canary's share ({}) and alpha ({}) must lie between 0 and 1", share, alpha));
  }
  return CanaryErrorTest(share, alpha);
}

CanaryErrorTest::CanaryErrorTest(double share, double alpha) : share_(share), log_needed_(-std::log(alpha)) {}

void CanaryErrorTest::record(bool by_canary) {
  errors_ += 1;
  canary_errors_ += by_canary ? 1 : 0;
  log_evidence_peak_ = std::max(
      log_evidence_peak_,
      log_mixture_over_chances(share_, static_cast<double>(canary_errors_), static_cast<double>(errors_)));
}

double CanaryErrorTest::p_value() const { return std::exp(-log_evidence_peak_); }

double log_mixture_ratio(const MeanDifference& difference) {
  const auto [rows, d, v, t] = difference;
  const auto n = static_cast<double>(rows);
  const double sum = v + n * t;
  return (std::log(v / sum) + n * d / v * (n * d / sum) * t) / 2;
}

Interval confidence_sequence(const MeanDifference& difference, Confidence confidence) {
  if (difference.rows == 0) return unbounded(confidence);
  const auto [rows, d, v, t] = difference;
  const auto n = static_cast<double>(rows);
  const double sum = v + n * t;
  const double needed = -std::log(2 * confidence.tail());
  const double reach = std::sqrt(v * sum / t * (2 * needed + std::log(sum / v))) / n;
  return {.low = d - reach, .high = d + reach, .confidence = confidence};
}

}  // namespace holdfast::stats
