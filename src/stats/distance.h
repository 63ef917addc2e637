#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"

// How far apart a reference and a current sample are: what drift detectors put thresholds on. None of them
// says whether the distance is more than chance; tests.h does.
//
// Over counts of the same categories or bins (keep the reference's bin edges: scores of edges taken from both
// windows can't be compared): kInvalidArgument where the lengths differ or a sample is empty.

namespace holdfast::stats {

inline constexpr double kPsiFloor = 1e-4;

// Population stability index, sum (r - c) ln(r / c) over shares. A share of zero is taken as `floor`, above 0
// and below 1, and the others are left as they are.
base::Result<double> population_stability_index(std::span<const std::uint64_t> reference,
                                                std::span<const std::uint64_t> current,
                                                double floor = kPsiFloor);

// sqrt(KL(r || m) / 2 + KL(c || m) / 2), m being the mean of both, with logarithms to base 2: from 0 to 1.
// Times sqrt(ln 2) it is the distance with natural logarithms (scipy's default).
base::Result<double> jensen_shannon_distance(std::span<const std::uint64_t> reference,
                                             std::span<const std::uint64_t> current);

// sqrt(1 - sum sqrt(r c)): from 0 to 1.
base::Result<double> hellinger_distance(std::span<const std::uint64_t> reference,
                                        std::span<const std::uint64_t> current);

// The first Wasserstein distance of two samples, in units of the reference's standard deviation (divisor n),
// which is taken as at least .001. kInvalidArgument for an empty sample or one with a value that is not
// finite.
base::Result<double> wasserstein_normed(std::span<const double> reference, std::span<const double> current);

}  // namespace holdfast::stats
