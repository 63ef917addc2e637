#pragma once

#include <cstdint>
#include <string>

#include "stats/measurement.h"

// Intervals for a share of rows, from counts. Over no trials each is [0, 1].

namespace holdfast::stats {

// `successes` out of `trials`, at most as many.
struct Proportion {
  std::uint64_t successes;
  std::uint64_t trials;

  [[nodiscard]] double value() const {  // NaN over no trials
    return static_cast<double>(successes) / static_cast<double>(trials);
  }
};

// Wilson 1927; covers about its confidence on average. The usual choice.
Interval wilson(Proportion proportion, Confidence confidence);

// Clopper and Pearson 1934; covers at least its confidence whatever the truth.
Interval clopper_pearson(Proportion proportion, Confidence confidence);

// The equal-tailed posterior under Beta(1/2, 1/2), with the ends 0 and 1 kept (Brown, Cai, DasGupta 2001).
Interval jeffreys(Proportion proportion, Confidence confidence);

// first - second of independent samples: method 10 of Newcombe 1998, from Wilson's intervals.
Interval newcombe_difference(Proportion first, Proportion second, Confidence confidence);

// A share measured with Wilson's interval.
Measurement measure_proportion(std::string name, Proportion proportion, Confidence confidence);

}  // namespace holdfast::stats
