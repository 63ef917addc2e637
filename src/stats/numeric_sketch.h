#pragma once

#include <span>

#include "stats/histogram.h"
#include "stats/hyperloglog.h"
#include "stats/moments.h"

namespace holdfast::stats {

// What one pass over a numeric column keeps: enough for its mean, spread, quantiles, drift and distinct
// values. Merging shards gives what one pass gives, bit for bit.
struct NumericSketch {
  Moments moments;
  LogLinearHistogram histogram;
  HyperLogLog distinct;

  void add(double value) {
    moments.add(value);
    histogram.add(value);
    distinct.add(value);
  }
  void add(std::span<const double> values) {
    for (const double value : values) add(value);
  }
  void merge(const NumericSketch& other) {
    moments.merge(other.moments);
    histogram.merge(other.histogram);
    distinct.merge(other.distinct);
  }
  friend bool operator==(const NumericSketch&, const NumericSketch&) = default;
};

}  // namespace holdfast::stats
