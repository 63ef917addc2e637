#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

// Tests of whether two samples come from one distribution, and what remains of p-values when there are many.
//
// Samples: kInvalidArgument for an empty one, or one with a value that is not finite, naming its index.

namespace holdfast::stats {

struct TestResult {
  double statistic;
  double p_value;  // two-sided
  bool exact;      // false: by the limiting distribution
};

// Kolmogorov-Smirnov: the largest distance of the two empirical distribution functions. Its p-value is exact
// where neither sample is over kKsExactRows and there are no ties across the samples (with ties it is
// conservative), by the chance that a random lattice path leaves the band (Hodges 1958); else by Kolmogorov's
// limit.
inline constexpr std::size_t kKsExactRows = 10'000;
base::Result<TestResult> kolmogorov_smirnov(std::span<const double> first, std::span<const double> second);

// Mann-Whitney: the statistic is U of the first sample. Exact where there are no ties, a sample has at most
// kMannWhitneyExactRows and the product of the sizes is at most kMannWhitneyExactProduct; else normal with
// the corrections for ties and continuity.
inline constexpr std::size_t kMannWhitneyExactRows = 8;
inline constexpr std::size_t kMannWhitneyExactProduct = 2'000;
base::Result<TestResult> mann_whitney(std::span<const double> first, std::span<const double> second);

// Pearson's test of two samples of counts over the same categories, as a 2 x k table: both samples vary.
// Categories empty in both are left out. kInvalidArgument where the lengths differ or a sample is empty. One
// category alone gives p = 1.
base::Result<TestResult> chi_squared_two_sample(std::span<const std::uint64_t> first,
                                                std::span<const std::uint64_t> second);

// Pearson's goodness of fit of `current` to the shares of `reference`, as if those were known exactly: what
// Evidently calls chisquare. It alarms too often unless the reference is much larger. A category that the
// reference lacks gives p = 0.
base::Result<TestResult> chi_squared_to_reference(std::span<const std::uint64_t> reference,
                                                  std::span<const std::uint64_t> current);

// Adjusted p-values, in the order given: compare each with the level wanted for all. Holm 1979 bounds the
// chance of any false alarm; Benjamini and Hochberg 1995 the expected share of false ones among the alarms
// (independent or positively dependent tests). A NaN stays NaN and counts as a test.
std::vector<double> holm(std::span<const double> p_values);
std::vector<double> benjamini_hochberg(std::span<const double> p_values);

}  // namespace holdfast::stats
