#include "stats/bootstrap.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "base/assert.h"
#include "stats/distribution.h"
#include "stats/philox.h"

namespace holdfast::stats {
namespace {

using base::ErrorCode;
using base::fail;
using Cells = std::span<const std::uint64_t>;

constexpr std::uint64_t kMaxRows = 1ULL << 53;  // counts stay exact as doubles
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The sum, or nothing where it is over kMaxRows.
std::optional<std::uint64_t> rows_of(Cells cells) {
  std::uint64_t rows = 0;
  for (const std::uint64_t count : cells) {
    if (count > kMaxRows - rows) return std::nullopt;
    rows += count;
  }
  return rows;
}

// Sum d^3 / (6 (sum d^2)^1.5) over the rows, d being the jackknife mean less the statistic without that row
// (Efron 1987, equation 6.6). The rows of one cell are alike: one evaluation does for all of them.
double jackknife_acceleration(Cells cells, const Statistic& statistic, std::uint64_t rows) {
  std::vector<std::uint64_t> counts(cells.begin(), cells.end());
  std::vector<double> without(cells.size());
  double mean = 0;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i] == 0) continue;
    --counts[i];
    without[i] = statistic(counts);
    ++counts[i];
    mean += without[i] * static_cast<double>(cells[i]) / static_cast<double>(rows);
  }
  double squares = 0;
  double cubes = 0;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i] == 0) continue;
    const double d = mean - without[i];
    squares += static_cast<double>(cells[i]) * d * d;
    cubes += static_cast<double>(cells[i]) * d * d * d;
  }
  return cubes / (6 * std::pow(squares, 1.5));
}

// The quantile among the replicates with `below` more at minus infinity and `above` more at plus infinity,
// linear between neighbours (type 7 of Hyndman and Fan 1996).
double quantile_among(const std::vector<double>& sorted, std::size_t below, std::size_t above,
                      double probability) {
  const auto at = [&](std::size_t rank) {
    if (rank < below) return -kInfinity;
    return rank < below + sorted.size() ? sorted[rank - below] : kInfinity;
  };
  const double position = probability * static_cast<double>(below + sorted.size() + above - 1);
  const auto rank = static_cast<std::size_t>(position);
  const double fraction = position - static_cast<double>(rank);
  const double lower = at(rank);
  if (fraction == 0 || !std::isfinite(lower)) return lower;
  return lower + fraction * (at(rank + 1) - lower);
}

Interval interval_between(const Bootstrap& bootstrap, double low, double high, Confidence confidence) {
  const auto& sorted = bootstrap.replicates;
  if (sorted.empty() || sorted.front() == sorted.back()) return unbounded(confidence);
  return {.low = quantile_among(sorted, bootstrap.undefined, 0, low),
          .high = quantile_among(sorted, 0, bootstrap.undefined, high),
          .confidence = confidence};
}

}  // namespace

void resample(Cells cells, std::uint64_t seed, std::uint64_t replicate, std::span<std::uint64_t> out) {
  HF_ASSERT(out.size() == cells.size());
  const auto rows = rows_of(cells);
  HF_ASSERT(rows.has_value());
  PhiloxStream random(seed, replicate);
  // A multinomial is a chain of binomials, each of what the cells before have left.
  std::uint64_t to_draw = *rows;
  std::uint64_t to_come = *rows;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    out[i] = cells[i] == 0
                 ? 0
                 : random.binomial(to_draw, static_cast<double>(cells[i]) / static_cast<double>(to_come));
    to_draw -= out[i];
    to_come -= cells[i];
  }
}

base::Result<Bootstrap> bootstrap(Cells cells, const Statistic& statistic, std::size_t replicates,
                                  std::uint64_t seed) {
  if (replicates < kMinReplicates || replicates > kMaxReplicates) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("a bootstrap takes {} to {} replicates, not {}",
                                                         kMinReplicates, kMaxReplicates, replicates));
  }
  const auto rows = rows_of(cells);
  if (!rows || *rows == 0) {
    return fail(ErrorCode::kInvalidArgument, "a bootstrap needs at least one row, and at most 2^53");
  }
  Bootstrap result{.value = statistic(cells),
                   .rows = *rows,
                   .replicates = {},
                   .undefined = 0,
                   .acceleration = jackknife_acceleration(cells, statistic, *rows)};
  result.replicates.reserve(replicates);
  std::vector<std::uint64_t> drawn(cells.size());
  for (std::size_t replicate = 0; replicate < replicates; ++replicate) {
    resample(cells, seed, replicate, drawn);
    const double value = statistic(drawn);
    if (std::isnan(value)) {
      ++result.undefined;
    } else {
      result.replicates.push_back(value);
    }
  }
  std::sort(result.replicates.begin(), result.replicates.end());
  return result;
}

Interval percentile_interval(const Bootstrap& bootstrap, Confidence confidence) {
  return interval_between(bootstrap, confidence.tail(), 1 - confidence.tail(), confidence);
}

Interval bca_interval(const Bootstrap& bootstrap, Confidence confidence) {
  const auto& sorted = bootstrap.replicates;
  const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), bootstrap.value);
  const double below = static_cast<double>(first - sorted.begin()) + static_cast<double>(last - first) / 2;
  const double bias = normal_quantile(below / static_cast<double>(sorted.size()));
  const auto corrected = [&](double probability) {
    const double z = bias + normal_quantile(probability);
    return normal_cdf(bias + z / (1 - bootstrap.acceleration * z));
  };
  const double low = corrected(confidence.tail());
  const double high = corrected(1 - confidence.tail());
  if (!std::isfinite(bias) || !(low < high)) return unbounded(confidence);
  return interval_between(bootstrap, low, high, confidence);
}

}  // namespace holdfast::stats
