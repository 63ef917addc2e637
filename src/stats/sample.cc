#include "stats/sample.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace holdfast::stats {

using base::ErrorCode;
using base::fail;
using base::Result;

Result<> check_sample(std::span<const double> sample, std::string_view which) {
  if (sample.empty()) return fail(ErrorCode::kInvalidArgument, fmt::format("the {} sample is empty", which));
  const auto wrong =
      std::find_if(sample.begin(), sample.end(), [](double value) { return !std::isfinite(value); });
  if (wrong == sample.end()) return {};
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("value {} of the {} sample is {}; leave such values out and count them apart",
                          wrong - sample.begin(), which, *wrong));
}

Result<std::vector<double>> sorted_sample(std::span<const double> sample, std::string_view which) {
  HF_CHECK(check_sample(sample, which));
  std::vector<double> sorted(sample.begin(), sample.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

Result<> check_counts(std::span<const std::uint64_t> first, std::span<const std::uint64_t> second) {
  if (first.size() != second.size()) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("the samples have {} and {} categories; both must be counted over the same",
                            first.size(), second.size()));
  }
  const auto empty = [](std::span<const std::uint64_t> counts) {
    return std::all_of(counts.begin(), counts.end(), [](std::uint64_t count) { return count == 0; });
  };
  if (empty(first) || empty(second))
    return fail(ErrorCode::kInvalidArgument, "a sample of counts has no rows");
  return {};
}

}  // namespace holdfast::stats
