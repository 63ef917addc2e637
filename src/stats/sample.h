#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"

// What tests and distances ask of their samples. Each fails with kInvalidArgument.

namespace holdfast::stats {

// At least one value, and none that is NaN or infinite. `which` names the sample in the message.
base::Result<> check_sample(std::span<const double> sample, std::string_view which);
base::Result<std::vector<double>> sorted_sample(std::span<const double> sample, std::string_view which);

// Counts over the same categories, with at least one row each.
base::Result<> check_counts(std::span<const std::uint64_t> first, std::span<const std::uint64_t> second);

}  // namespace holdfast::stats
