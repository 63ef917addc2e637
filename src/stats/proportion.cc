#include "stats/proportion.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/assert.h"
#include "stats/distribution.h"

namespace holdfast::stats {
namespace {

struct Counts {
  double successes;
  double trials;
};

Counts counts_of(Proportion proportion) {
  HF_ASSERT(proportion.successes <= proportion.trials);
  return {static_cast<double>(proportion.successes), static_cast<double>(proportion.trials)};
}

double square(double x) { return x * x; }

}  // namespace

Interval wilson(Proportion proportion, Confidence confidence) {
  const auto [x, n] = counts_of(proportion);
  if (n == 0) return {.low = 0, .high = 1, .confidence = confidence};
  const double z = normal_quantile(1 - confidence.tail());
  const double share = x / n;
  const double middle = (share + z * z / (2 * n)) / (1 + z * z / n);
  const double reach = z / (1 + z * z / n) * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  return {.low = x == 0 ? 0 : std::max(0.0, middle - reach),
          .high = x == n ? 1 : std::min(1.0, middle + reach),
          .confidence = confidence};
}

Interval clopper_pearson(Proportion proportion, Confidence confidence) {
  const auto [x, n] = counts_of(proportion);
  return {.low = x == 0 ? 0 : beta_quantile(confidence.tail(), x, n - x + 1),
          .high = x == n ? 1 : beta_quantile(1 - confidence.tail(), x + 1, n - x),
          .confidence = confidence};
}

Interval jeffreys(Proportion proportion, Confidence confidence) {
  const auto [x, n] = counts_of(proportion);
  return {.low = x == 0 ? 0 : beta_quantile(confidence.tail(), x + 0.5, n - x + 0.5),
          .high = x == n ? 1 : beta_quantile(1 - confidence.tail(), x + 0.5, n - x + 0.5),
          .confidence = confidence};
}

Interval newcombe_difference(Proportion first, Proportion second, Confidence confidence) {
  if (first.trials == 0 || second.trials == 0) return {.low = -1, .high = 1, .confidence = confidence};
  const Interval a = wilson(first, confidence);
  const Interval b = wilson(second, confidence);
  const double p = first.value();
  const double q = second.value();
  return {.low = p - q - std::sqrt(square(p - a.low) + square(b.high - q)),
          .high = p - q + std::sqrt(square(a.high - p) + square(q - b.low)),
          .confidence = confidence};
}

Measurement measure_proportion(std::string name, Proportion proportion, Confidence confidence) {
  return {.name = std::move(name),
          .value = proportion.value(),
          .interval = wilson(proportion, confidence),
          .sample_size = proportion.trials,
          .method = "Wilson score interval (Wilson 1927)"};
}

}  // namespace holdfast::stats
