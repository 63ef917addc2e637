#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/result.h"
#include "stats/measurement.h"

// The bootstrap over the cells of a table of counts (group x label x prediction, say) rather than over its
// rows: a resample of the rows is a multinomial draw over the cells, at a cost that does not grow with the
// rows.
//
// Replicate r of a seed depends on nothing but the cells, the seed and r: the same on any machine whose log()
// rounds alike, and on any number of threads (call resample() from each).

namespace holdfast::stats {

// A figure of a table of counts that has the shape of the cells given to bootstrap(); NaN where it is
// undefined. Called with the counts of resamples, and with those of the table less one row.
using Statistic = std::function<double(std::span<const std::uint64_t>)>;

// Draws as many rows as `cells` hold, at most 2^53, into `out`, which has as many cells.
void resample(std::span<const std::uint64_t> cells, std::uint64_t seed, std::uint64_t replicate,
              std::span<std::uint64_t> out);

struct Bootstrap {
  double value;  // the statistic of the cells themselves
  std::uint64_t rows;
  std::vector<double> replicates;  // where defined, ascending
  std::size_t undefined;           // replicates for which the statistic is NaN
  double acceleration;             // from the jackknife; NaN where that is undefined
};

inline constexpr std::size_t kMinReplicates = 100;
inline constexpr std::size_t kMaxReplicates = 1'000'000;

// kInvalidArgument where the cells hold no row or more than 2^53, or `replicates` is outside of its bounds.
base::Result<Bootstrap> bootstrap(std::span<const std::uint64_t> cells, const Statistic& statistic,
                                  std::size_t replicates, std::uint64_t seed);

// Both intervals are honest about what resampling can't show. An undefined replicate could have been
// anything: it counts as below all others for the low end and above all others for the high end. Replicates
// that do not vary (a rate of exactly 0 or 1) say nothing about the uncertainty: the interval is unbounded.

// Efron 1981, with quantiles interpolated linearly between replicates.
Interval percentile_interval(const Bootstrap& bootstrap, Confidence confidence);

// Bias-corrected and accelerated (Efron 1987); unbounded where the acceleration is undefined or every
// replicate lies on one side of the value.
Interval bca_interval(const Bootstrap& bootstrap, Confidence confidence);

}  // namespace holdfast::stats
