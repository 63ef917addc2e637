#pragma once

#include <cstdint>
#include <span>

#include "monitor/drift.h"
#include "stats/histogram.h"

// Distances of two samples, each with what chance makes of it at their sizes.

namespace holdfast::monitor {

struct BinDistances {
  DriftFigure psi;
  DriftFigure jensen_shannon;
};

// Over the same bins, each with at least one row. `stream` names the random numbers beside the seed.
base::Result<BinDistances> measure_bins(std::span<const std::uint64_t> reference,
                                        std::span<const std::uint64_t> current, stats::Confidence confidence,
                                        std::uint64_t seed, std::uint32_t stream);

// Each with at least one value.
DriftFigure measure_kolmogorov_smirnov(const stats::LogLinearHistogram& reference,
                                       const stats::LogLinearHistogram& current,
                                       stats::Confidence confidence);

}  // namespace holdfast::monitor
