#include "stats/measurement.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "stats/distribution.h"

namespace holdfast::stats {
namespace {

constexpr double kMaxRowsNeeded = 1e12;  // beyond it, a number of rows is no advice
constexpr double kNormalQuantile80 = 0.8416212335729143;

std::optional<std::uint64_t> rows_to_settle(const Measurement& measurement, double threshold) {
  const Interval& interval = measurement.interval;
  const double distance = std::abs(measurement.value - threshold);
  const double half_width =
      measurement.value < threshold ? interval.high - measurement.value : measurement.value - interval.low;
  const double z = normal_quantile(1 - interval.confidence.tail());
  const double ratio = half_width / distance * (z + kNormalQuantile80) / z;
  const double rows = std::ceil(static_cast<double>(measurement.sample_size) * ratio * ratio);
  if (!(rows >= 1 && rows <= kMaxRowsNeeded)) return std::nullopt;  // also where it is NaN
  return static_cast<std::uint64_t>(rows);
}

}  // namespace

base::Result<Confidence> Confidence::create(double level) {
  if (!(level > 0 && level < 1)) {
    return base::fail(base::ErrorCode::kInvalidArgument,
                      fmt::format("a confidence level lies between 0 and 1, not at {}", level));
  }
  return Confidence(Checked{level});
}

Interval unbounded(Confidence confidence) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return {.low = -kInfinity, .high = kInfinity, .confidence = confidence};
}

Interval mean_interval(const SampleMean& sample, Confidence confidence) {
  if (sample.rows < 2) return unbounded(confidence);
  const auto rows = static_cast<double>(sample.rows);
  const double reach = student_quantile(1 - confidence.tail(), rows - 1) * std::sqrt(sample.variance / rows);
  return {.low = sample.mean - reach, .high = sample.mean + reach, .confidence = confidence};
}

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPasses:
      return "passes";
    case Outcome::kFellShort:
      return "fell short";
    case Outcome::kCouldNotTell:
      return "could not tell";
  }
  return "could not tell";
}

Verdict judge(const Measurement& measurement, const Requirement& requirement) {
  const auto [low, high, confidence] = measurement.interval;
  const double threshold = requirement.threshold;
  const bool at_least = requirement.bound == Bound::kAtLeast;
  if (!(low <= high) || measurement.sample_size == 0) return {Outcome::kCouldNotTell, std::nullopt};
  if (at_least ? low >= threshold : high <= threshold) return {Outcome::kPasses, std::nullopt};
  if (at_least ? high < threshold : low > threshold) return {Outcome::kFellShort, std::nullopt};
  return {Outcome::kCouldNotTell, rows_to_settle(measurement, threshold)};
}

}  // namespace holdfast::stats
