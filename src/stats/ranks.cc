#include "stats/ranks.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace holdfast::stats {

MidRanks mid_ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  MidRanks result{.ranks = std::vector<double>(values.size()), .tie_term = 0};
  for (std::size_t first = 0; first < order.size();) {
    std::size_t end = first + 1;
    while (end < order.size() && values[order[end]] == values[order[first]]) ++end;
    const double rank = static_cast<double>(first + 1 + end) / 2;
    for (std::size_t i = first; i < end; ++i) result.ranks[order[i]] = rank;
    const auto ties = static_cast<double>(end - first);
    result.tie_term += ties * ties * ties - ties;
    first = end;
  }
  return result;
}

}  // namespace holdfast::stats
