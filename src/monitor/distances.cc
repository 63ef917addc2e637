#include "monitor/distances.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "stats/bootstrap.h"
#include "stats/distance.h"
#include "stats/distribution.h"
#include "stats/philox.h"

namespace holdfast::monitor {
namespace {

using base::Result;
using Counts = std::span<const std::uint64_t>;

constexpr std::size_t kLeastDraws = 199;  // for the threshold that chance stays under
constexpr std::size_t kMostDraws = 1999;
constexpr std::size_t kEnoughAsFar = 20;  // Besag and Clifford 1991
constexpr std::size_t kBootstrapDraws = 199;
constexpr double kChance = .95;
constexpr std::uint64_t kBootstrapStreams = 1ULL << 16;  // behind the draws of the same column

std::uint64_t rows_of(Counts counts) {
  std::uint64_t rows = 0;
  for (const std::uint64_t count : counts) rows += count;
  return rows;
}

// A multinomial draw of `rows` by the shares of `cells`: a chain of binomials.
void draw(Counts cells, std::uint64_t rows, stats::PhiloxStream& random, std::vector<std::uint64_t>& out) {
  std::uint64_t to_come = rows_of(cells);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    out[i] = cells[i] == 0
                 ? 0
                 : random.binomial(rows, static_cast<double>(cells[i]) / static_cast<double>(to_come));
    rows -= out[i];
    to_come -= cells[i];
  }
}

// The same quantile as a sorted sample's k-th of n, k = ceil(p (n + 1)), at most n.
double quantile(std::vector<double> values, double probability) {
  const double wanted = std::ceil(probability * static_cast<double>(values.size() + 1));
  const auto rank = std::clamp<std::size_t>(static_cast<std::size_t>(wanted), 1, values.size());
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(rank) - 1;
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

// Distances of pairs of draws from one distribution.
struct Null {
  std::vector<double> psi;
  std::vector<double> jensen_shannon;
};

std::size_t count_as_far(const std::vector<double>& draws, double observed) {
  return static_cast<std::size_t>(
      std::count_if(draws.begin(), draws.end(), [&](double draw) { return draw >= observed; }));
}

Result<Null> draw_null(Counts reference, Counts current, double observed, std::uint64_t seed,
                       std::uint64_t first_stream) {
  std::vector<std::uint64_t> both(reference.begin(), reference.end());
  for (std::size_t i = 0; i < both.size(); ++i) both[i] += current[i];
  const std::uint64_t reference_rows = rows_of(reference);
  const std::uint64_t current_rows = rows_of(current);
  std::vector<std::uint64_t> r(both.size());
  std::vector<std::uint64_t> c(both.size());
  Null null;
  std::size_t as_far = 0;
  for (std::size_t i = 0; i < kMostDraws && (i < kLeastDraws || as_far < kEnoughAsFar); ++i) {
    stats::PhiloxStream random(seed, first_stream + i);
    draw(both, reference_rows, random, r);
    draw(both, current_rows, random, c);
    HF_TRY(const double psi, stats::population_stability_index(r, c));
    HF_TRY(const double distance, stats::jensen_shannon_distance(r, c));
    null.psi.push_back(psi);
    null.jensen_shannon.push_back(distance);
    as_far += distance >= observed ? 1 : 0;
  }
  return null;
}

// (1 + draws as far) / (1 + draws). Where no draw was as far, that only says that the chance is small; the
// square of a Jensen-Shannon distance is then close to a scaled chi-squared one (its first term is Pearson's
// statistic), whose scale and degrees of freedom are taken from the draws' mean and variance.
double p_value_of(const std::vector<double>& draws, double observed) {
  const auto drawn = static_cast<double>(draws.size());
  const double counted = (1 + static_cast<double>(count_as_far(draws, observed))) / (1 + drawn);
  if (counted > 1 / drawn) return counted;
  double mean = 0;
  for (const double draw : draws) mean += draw * draw / drawn;
  double variance = 0;
  for (const double draw : draws) variance += (draw * draw - mean) * (draw * draw - mean) / (drawn - 1);
  const double tail =
      stats::chi_squared_upper_tail(2 * mean * observed * observed / variance, 2 * mean * mean / variance);
  return std::isnan(tail) ? counted : std::min(counted, tail);
}

// Both samples resampled: how far a resample lies from its sample, and the index between two resamples.
struct Resampled {
  std::vector<double> psi;
  std::vector<double> apart;
};

Result<Resampled> resample_both(Counts reference, Counts current, std::uint64_t seed,
                                std::uint64_t first_stream) {
  std::vector<std::uint64_t> r(reference.size());
  std::vector<std::uint64_t> c(current.size());
  Resampled result;
  for (std::size_t i = 0; i < kBootstrapDraws; ++i) {
    stats::PhiloxStream random(seed, first_stream + i);
    draw(reference, rows_of(reference), random, r);
    draw(current, rows_of(current), random, c);
    HF_TRY(const double psi, stats::population_stability_index(r, c));
    HF_TRY(const double of_reference, stats::jensen_shannon_distance(reference, r));
    HF_TRY(const double of_current, stats::jensen_shannon_distance(current, c));
    result.psi.push_back(psi);
    result.apart.push_back(of_reference + of_current);
  }
  return result;
}

// The resamples' quantiles less what their mean is too large by.
stats::Interval psi_interval(const std::vector<double>& resampled, double value,
                             stats::Confidence confidence) {
  double bias = -value;
  for (const double psi : resampled) bias += psi / static_cast<double>(resampled.size());
  const double low = quantile(resampled, confidence.tail()) - bias;
  const double high = quantile(resampled, 1 - confidence.tail()) - bias;
  return {.low = std::clamp(low, 0.0, value), .high = std::max(high, value), .confidence = confidence};
}

}  // namespace

Result<BinDistances> measure_bins(Counts reference, Counts current, stats::Confidence confidence,
                                  std::uint64_t seed, std::uint32_t stream) {
  HF_TRY(const double psi, stats::population_stability_index(reference, current));
  HF_TRY(const double distance, stats::jensen_shannon_distance(reference, current));
  const std::uint64_t first_stream = std::uint64_t{stream} << 32;
  HF_TRY(const Null null, draw_null(reference, current, distance, seed, first_stream));
  HF_TRY(const Resampled resampled,
         resample_both(reference, current, seed, first_stream + kBootstrapStreams));
  const double reach = quantile(resampled.apart, confidence.level());
  const std::uint64_t rows = rows_of(current);
  const double psi_p =
      (1 + static_cast<double>(count_as_far(null.psi, psi))) / (1 + static_cast<double>(null.psi.size()));
  return BinDistances{
      .psi = {.measurement = {.name = "psi",
                              .value = psi,
                              .interval = psi_interval(resampled.psi, psi, confidence),
                              .sample_size = rows,
                              .method = fmt::format("over {} bins; bootstrap of both samples, {} replicates, "
                                                    "less its bias",
                                                    reference.size(), kBootstrapDraws)},
              .chance = quantile(null.psi, kChance),
              .p_value = psi_p},
      .jensen_shannon = {
          .measurement = {.name = "jensen_shannon",
                          .value = distance,
                          .interval = {.low = std::max(0.0, distance - reach),
                                       .high = std::min(1.0, distance + reach),
                                       .confidence = confidence},
                          .sample_size = rows,
                          .method = fmt::format("base 2, over {} bins; by the triangle inequality from the "
                                                "distances of {} resamples to their samples",
                                                reference.size(), kBootstrapDraws)},
          .chance = quantile(null.jensen_shannon, kChance),
          .p_value = p_value_of(null.jensen_shannon, distance)}};
}

DriftFigure measure_kolmogorov_smirnov(const stats::LogLinearHistogram& reference,
                                       const stats::LogLinearHistogram& current,
                                       stats::Confidence confidence) {
  constexpr double kKolmogorov95 = 1.3580986393225505;  // P(K > x) = .05
  const auto first = reference.buckets();
  const auto second = current.buckets();
  const auto n = static_cast<double>(reference.count());
  const auto m = static_cast<double>(current.count());
  double below_first = 0;
  double below_second = 0;
  double distance = 0;
  // All histograms have the same buckets, which ascend.
  for (std::size_t i = 0, j = 0; i < first.size() || j < second.size();) {
    const bool take_first = i < first.size() && (j == second.size() || first[i].low <= second[j].low);
    const bool take_second = j < second.size() && (i == first.size() || second[j].low <= first[i].low);
    if (take_first) below_first += static_cast<double>(first[i++].count);
    if (take_second) below_second += static_cast<double>(second[j++].count);
    distance = std::max(distance, std::abs(below_first / n - below_second / m));
  }
  const double root = std::sqrt(n * m / (n + m));
  const double tail = std::log(4 / (1 - confidence.level())) / 2;
  const double reach = std::sqrt(tail / n) + std::sqrt(tail / m);
  return {.measurement = {.name = "kolmogorov_smirnov",
                          .value = distance,
                          .interval = {.low = std::max(0.0, distance - reach),
                                       .high = std::min(1.0, distance + reach),
                                       .confidence = confidence},
                          .sample_size = current.count(),
                          .method = "over buckets of 1/64 octave; Dvoretzky, Kiefer, Wolfowitz and Massart "
                                    "1990 for each sample"},
          .chance = std::min(1.0, kKolmogorov95 / root),
          .p_value = stats::kolmogorov_upper_tail(root * distance)};
}

}  // namespace holdfast::monitor
