#include "stats/tests.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "stats/distribution.h"
#include "stats/ranks.h"
#include "stats/sample.h"

namespace holdfast::stats {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;

// The largest |i n - j m|, i of the m sorted first and j of the n sorted second values being at most x, over
// all x: the statistic times m n, exactly.
std::uint64_t largest_gap(const std::vector<double>& first, const std::vector<double>& second) {
  const std::uint64_t m = first.size();
  const std::uint64_t n = second.size();
  std::uint64_t gap = 0;
  for (std::size_t i = 0, j = 0; i < m && j < n;) {
    const double x = std::min(first[i], second[j]);
    while (i < m && first[i] == x) ++i;
    while (j < n && second[j] == x) ++j;
    gap = std::max(gap, i * n > j * m ? i * n - j * m : j * m - i * n);
  }
  return gap;
}

// The chance that a random path of m steps right and n steps up meets a point with |i n - j m| >= gap. The
// last step to (i, j) came from the left with probability i / (i + j), so that
//   outside(i, j) = (i outside(i - 1, j) + j outside(i, j - 1)) / (i + j), and 1 where the point itself is
//   beyond.
// Every term is positive: no digits cancel, however small the result. Points that are beyond need no work, so
// that the cost is the band's area.
double chance_outside(std::uint64_t m, std::uint64_t n, std::uint64_t gap) {
  std::vector<double> column(n + 1, 1.0);  // outside(i, .) for the last i
  for (std::uint64_t i = 0; i <= m; ++i) {
    const std::uint64_t lowest = i * n >= gap ? (i * n - gap) / m + 1 : 0;
    const std::uint64_t highest = std::min(n, (i * n + gap - 1) / m);
    for (std::uint64_t j = lowest; j <= highest; ++j) {
      const auto x = static_cast<double>(i);
      const auto y = static_cast<double>(j);
      const double from_below = j == 0 ? 0 : j == lowest ? 1 : column[j - 1];
      column[j] = i + j == 0 ? 0 : ((i == 0 ? 0 : x * column[j]) + y * from_below) / (x + y);
    }
  }
  return column[n];
}

// P(U <= u) for samples of m and n without ties: counts by p(u; m, n) = m/(m+n) p(u - n; m - 1, n)
// + n/(m+n) p(u; m, n - 1), which adds positive terms only.
double mann_whitney_cdf(std::size_t m, std::size_t n, std::size_t u) {
  std::vector<std::vector<double>> of_first(m + 1,
                                            std::vector<double>(u + 1));  // at the current size of the second
  for (auto& chances : of_first) chances[0] = 1;
  for (std::size_t b = 1; b <= n; ++b) {
    for (std::size_t a = 1; a <= m; ++a) {
      const double from_first = static_cast<double>(a) / static_cast<double>(a + b);
      for (std::size_t k = 0; k <= u; ++k) {
        const double less = k >= b ? of_first[a - 1][k - b] : 0;
        of_first[a][k] = from_first * less + (1 - from_first) * of_first[a][k];
      }
    }
  }
  return std::accumulate(of_first[m].begin(), of_first[m].end(), 0.0);
}

// Sum (observed - expected)^2 / expected over both rows of the table.
double two_sample_statistic(std::span<const std::uint64_t> first, std::span<const std::uint64_t> second,
                            double m, double n) {
  double statistic = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const auto a = static_cast<double>(first[i]);
    const auto b = static_cast<double>(second[i]);
    if (a + b == 0) continue;
    const double gap = a * n - b * m;
    statistic += gap / (m * n) * gap / (a + b);
  }
  return statistic;
}

double total(std::span<const std::uint64_t> counts) {
  double sum = 0;
  for (const std::uint64_t count : counts) sum += static_cast<double>(count);
  return sum;
}

std::vector<std::size_t> ascending(std::span<const double> p_values) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < p_values.size(); ++i) {
    if (!std::isnan(p_values[i])) order.push_back(i);
  }
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return p_values[a] < p_values[b]; });
  return order;
}

}  // namespace

Result<TestResult> kolmogorov_smirnov(std::span<const double> first, std::span<const double> second) {
  HF_TRY(const std::vector<double> a, sorted_sample(first, "first"));
  HF_TRY(const std::vector<double> b, sorted_sample(second, "second"));
  const std::uint64_t gap = largest_gap(a, b);
  const auto m = static_cast<double>(a.size());
  const auto n = static_cast<double>(b.size());
  const double distance = static_cast<double>(gap) / (m * n);
  if (gap == 0) return TestResult{.statistic = 0, .p_value = 1, .exact = true};
  if (std::max(a.size(), b.size()) <= kKsExactRows) {
    return TestResult{
        .statistic = distance, .p_value = chance_outside(a.size(), b.size(), gap), .exact = true};
  }
  const double scaled = std::sqrt(m / (m + n) * n) * distance;
  return TestResult{.statistic = distance, .p_value = kolmogorov_upper_tail(scaled), .exact = false};
}

Result<TestResult> mann_whitney(std::span<const double> first, std::span<const double> second) {
  HF_CHECK(check_sample(first, "first"));
  HF_CHECK(check_sample(second, "second"));
  std::vector<double> both(first.begin(), first.end());
  both.insert(both.end(), second.begin(), second.end());
  const MidRanks ranks = mid_ranks(both);
  const auto m = static_cast<double>(first.size());
  const auto n = static_cast<double>(second.size());
  const double rank_sum = std::accumulate(ranks.ranks.begin(), ranks.ranks.begin() + std::ssize(first), 0.0);
  const double u = rank_sum - m * (m + 1) / 2;
  const std::size_t smaller = std::min(first.size(), second.size());
  const std::size_t larger = std::max(first.size(), second.size());
  if (ranks.tie_term == 0 && smaller <= kMannWhitneyExactRows &&
      larger <= kMannWhitneyExactProduct / smaller) {
    const double p = 2 * mann_whitney_cdf(smaller, larger, static_cast<std::size_t>(std::min(u, m * n - u)));
    return TestResult{.statistic = u, .p_value = std::min(1.0, p), .exact = true};
  }
  const double rows = m + n;
  const double variance = m * n / 12 * (rows + 1 - ranks.tie_term / (rows * (rows - 1)));
  const double distance = std::abs(u - m * n / 2) - 0.5;
  const double p = variance > 0 ? 2 * normal_upper_tail(distance / std::sqrt(variance)) : 1;
  return TestResult{.statistic = u, .p_value = std::min(1.0, p), .exact = false};
}

Result<TestResult> chi_squared_two_sample(std::span<const std::uint64_t> first,
                                          std::span<const std::uint64_t> second) {
  HF_CHECK(check_counts(first, second));
  const double statistic = two_sample_statistic(first, second, total(first), total(second));
  double categories = 0;
  for (std::size_t i = 0; i < first.size(); ++i) categories += first[i] + second[i] > 0 ? 1 : 0;
  const double p = categories < 2 ? 1 : chi_squared_upper_tail(statistic, categories - 1);
  return TestResult{.statistic = statistic, .p_value = p, .exact = false};
}

Result<TestResult> chi_squared_to_reference(std::span<const std::uint64_t> reference,
                                            std::span<const std::uint64_t> current) {
  HF_CHECK(check_counts(reference, current));
  const double scale = total(current) / total(reference);
  double statistic = 0;
  double categories = 0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    if (reference[i] == 0 && current[i] == 0) continue;
    const double expected = scale * static_cast<double>(reference[i]);
    const double gap = static_cast<double>(current[i]) - expected;
    statistic += gap * gap / expected;  // infinite where the reference has none
    categories += 1;
  }
  const double p = categories < 2          ? 1
                   : std::isinf(statistic) ? 0
                                           : chi_squared_upper_tail(statistic, categories - 1);
  return TestResult{.statistic = statistic, .p_value = p, .exact = false};
}

std::vector<double> holm(std::span<const double> p_values) {
  std::vector<double> adjusted(p_values.begin(), p_values.end());
  auto left = static_cast<double>(p_values.size());
  double largest = 0;
  for (const std::size_t i : ascending(p_values)) {
    largest = std::max(largest, std::min(1.0, left * p_values[i]));
    adjusted[i] = largest;
    left -= 1;
  }
  return adjusted;
}

std::vector<double> benjamini_hochberg(std::span<const double> p_values) {
  std::vector<double> adjusted(p_values.begin(), p_values.end());
  const std::vector<std::size_t> order = ascending(p_values);
  double smallest = 1;
  for (std::size_t rank = order.size(); rank > 0; --rank) {
    const std::size_t i = order[rank - 1];
    smallest =
        std::min(smallest, p_values[i] * static_cast<double>(p_values.size()) / static_cast<double>(rank));
    adjusted[i] = smallest;
  }
  return adjusted;
}

}  // namespace holdfast::stats
