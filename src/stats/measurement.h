#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

// A figure with its uncertainty, and what may be concluded from it. Plain values.
//
// A figure that can't be computed (a rate over no rows) is NaN, and an interval that is not known has a NaN
// or infinite end: judge() then says that it could not tell.

namespace holdfast::stats {

// How often intervals made this way cover the true figure: above 0, below 1.
class Confidence {
 public:
  // Refused by the compiler outside of (0, 1).
  explicit consteval Confidence(double level)
      : level_(level > 0 && level < 1 ? level : throw "outside of (0, 1)") {}
  // kInvalidArgument outside of (0, 1).
  static base::Result<Confidence> create(double level);

  [[nodiscard]] constexpr double level() const { return level_; }
  // What a two-sided interval leaves out on each side.
  [[nodiscard]] constexpr double tail() const { return (1 - level_) / 2; }

  friend auto operator<=>(Confidence, Confidence) = default;

 private:
  struct Checked {
    double level;
  };
  explicit constexpr Confidence(Checked checked) : level_(checked.level) {}
  double level_;
};

inline constexpr Confidence kConfidence95{0.95};

struct Interval {
  double low;
  double high;
  Confidence confidence;
};

// Nothing is known: from minus to plus infinity.
Interval unbounded(Confidence confidence);

struct Measurement {
  std::string name;
  double value;
  Interval interval;
  std::uint64_t sample_size;
  std::string method;  // how the interval was made, with its source: "Wilson score interval (Wilson 1927)"
};

// The mean of `rows` independent values, and their sample variance (divisor rows - 1).
struct SampleMean {
  double mean;
  double variance;
  std::uint64_t rows;
};

// Student's t interval; unbounded below two rows.
Interval mean_interval(const SampleMean& sample, Confidence confidence);

enum class Bound { kAtLeast, kAtMost };

struct Requirement {
  Bound bound;
  double threshold;
};

enum class Outcome { kPasses, kFellShort, kCouldNotTell };

std::string_view to_string(Outcome outcome);  // "passes", "fell short", "could not tell"

struct Verdict {
  Outcome outcome;
  // With kCouldNotTell: a sample of how many rows would settle it; empty where no number would that we could
  // name (nothing measured, or the figure on the threshold itself).
  std::optional<std::uint64_t> rows_needed;
};

// Passes only if the whole interval satisfies the requirement, fell short only if no point of it does.
//
// rows_needed = ceil(n (h/d)^2 ((z + z80) / z)^2) with n the rows measured, d the distance from value to
// threshold, h the distance from value to the interval's end beyond the threshold, z the normal quantile of
// the interval's confidence and z80 = 0.8416: widths shrink with the square root of the rows, and if the true
// figure is the one measured, four of five samples of that size settle it.
Verdict judge(const Measurement& measurement, const Requirement& requirement);

}  // namespace holdfast::stats
