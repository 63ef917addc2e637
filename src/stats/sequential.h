#pragma once

#include <cstdint>

#include "base/result.h"
#include "stats/measurement.h"

// Tests that may be looked at after every observation and stopped at any look: the chance that one ever
// rejects a true hypothesis is at most alpha, by Ville's inequality for a mixture of likelihood ratios.

namespace holdfast::stats {

// Whether a canary errs more often than what it would replace. If the rates were equal, an error would be the
// canary's with probability `share`, its share of the traffic. The hypothesis is that the chance is at most
// `share`; the evidence against it is the likelihood ratio mixed uniformly over the chances above. Count one
// error a client, not a request: retries of one client are not independent.
class CanaryErrorTest {
 public:
  // kInvalidArgument unless both are above 0 and below 1.
  static base::Result<CanaryErrorTest> create(double share, double alpha);

  void record(bool by_canary);

  // True from the first look on at which the evidence reached 1 / alpha.
  [[nodiscard]] bool rejected() const { return log_evidence_peak_ >= log_needed_; }
  // Valid at any look: 1 over the largest evidence so far, at most 1.
  [[nodiscard]] double p_value() const;
  [[nodiscard]] std::uint64_t errors() const { return errors_; }
  [[nodiscard]] std::uint64_t canary_errors() const { return canary_errors_; }

 private:
  CanaryErrorTest(double share, double alpha);
  double share_;
  double log_needed_;
  double log_evidence_peak_ = 0;
  std::uint64_t errors_ = 0;
  std::uint64_t canary_errors_ = 0;
};

// The mean of differences that are normal, or averages of many, with a known variance: mSPRT of Johari,
// Pekelis and Walsh 2015 with a normal mixture of variance tau^2 over the true mean:
//   L = sqrt(V / (V + n tau^2)) exp(n^2 tau^2 d^2 / (2 V (V + n tau^2)))
struct MeanDifference {
  std::uint64_t rows;       // n
  double mean;              // d
  double variance;          // V, of one difference; above 0
  double mixture_variance;  // tau^2, chosen before the first look; above 0
};

// The logarithm of L; 0 before the first row.
double log_mixture_ratio(const MeanDifference& difference);

// The means that log_mixture_ratio would not reject at this look: covers the true mean at all looks at once
// with the given confidence. Unbounded before the first row.
Interval confidence_sequence(const MeanDifference& difference, Confidence confidence);

}  // namespace holdfast::stats
