#include "stats/distance.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "stats/moments.h"
#include "stats/sample.h"

namespace holdfast::stats {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using Counts = std::span<const std::uint64_t>;

// The sum of term(share in the reference, share in the current sample) over the categories.
template <typename Term>
Result<double> sum_over_shares(Counts reference, Counts current, Term term) {
  HF_CHECK(check_counts(reference, current));
  double reference_rows = 0;
  double current_rows = 0;
  for (const std::uint64_t count : reference) reference_rows += static_cast<double>(count);
  for (const std::uint64_t count : current) current_rows += static_cast<double>(count);
  double sum = 0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    sum += term(static_cast<double>(reference[i]) / reference_rows,
                static_cast<double>(current[i]) / current_rows);
  }
  return sum;
}

double deviation_of(std::span<const double> values) {
  Moments moments;
  for (const double value : values) moments.add(value);
  const auto rows = static_cast<double>(values.size());
  return values.size() < 2 ? 0 : std::sqrt(moments.variance() * (rows - 1) / rows);
}

// The area between the two empirical distribution functions.
double area_between(const std::vector<double>& first, const std::vector<double>& second) {
  double area = 0;
  double last = std::min(first.front(), second.front());
  for (std::size_t i = 0, j = 0; i < first.size() || j < second.size();) {
    const bool from_first = j == second.size() || (i < first.size() && first[i] <= second[j]);
    const double next = from_first ? first[i] : second[j];
    const double gap = static_cast<double>(i) / static_cast<double>(first.size()) -
                       static_cast<double>(j) / static_cast<double>(second.size());
    area += std::abs(gap) * (next - last);
    last = next;
    ++(from_first ? i : j);
  }
  return area;
}

}  // namespace

Result<double> population_stability_index(Counts reference, Counts current, double floor) {
  if (!(floor > 0 && floor < 1)) {
    return fail(
        ErrorCode::kInvalidArgument,
        fmt::format("the share that stands for an empty category lies between 0 and 1, not at {}", floor));
  }
  return sum_over_shares(reference, current, [&](double r, double c) {
    if (r == 0 && c == 0) return 0.0;
    r = r == 0 ? floor : r;
    c = c == 0 ? floor : c;
    return (r - c) * std::log(r / c);
  });
}

Result<double> jensen_shannon_distance(Counts reference, Counts current) {
  HF_TRY(const double divergence, sum_over_shares(reference, current, [](double r, double c) {
           const double m = (r + c) / 2;
           return ((r == 0 ? 0 : r * std::log2(r / m)) + (c == 0 ? 0 : c * std::log2(c / m))) / 2;
         }));
  return std::sqrt(std::clamp(divergence, 0.0, 1.0));
}

Result<double> hellinger_distance(Counts reference, Counts current) {
  HF_TRY(const double overlap,
         sum_over_shares(reference, current, [](double r, double c) { return std::sqrt(r * c); }));
  return std::sqrt(std::clamp(1 - overlap, 0.0, 1.0));
}

Result<double> wasserstein_normed(std::span<const double> reference, std::span<const double> current) {
  constexpr double kSmallestDeviation = 0.001;
  HF_TRY(const std::vector<double> first, sorted_sample(reference, "reference"));
  HF_TRY(const std::vector<double> second, sorted_sample(current, "current"));
  return area_between(first, second) / std::max(deviation_of(first), kSmallestDeviation);
}

}  // namespace holdfast::stats
