#include "stats/philox.h"

#include <algorithm>
#include <cmath>

#include "base/assert.h"
#include "stats/distribution.h"

namespace holdfast::stats {
namespace {

constexpr std::uint64_t kMultiplier0 = 0xD2511F53;
constexpr std::uint64_t kMultiplier1 = 0xCD9E8D57;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9;
constexpr std::uint32_t kWeyl1 = 0xBB67AE85;
constexpr int kRounds = 10;

std::uint32_t low(std::uint64_t word) { return static_cast<std::uint32_t>(word); }
std::uint32_t high(std::uint64_t word) { return static_cast<std::uint32_t>(word >> 32); }

// Inversion for a small mean, walking the probabilities up from zero successes (BINV: Kachitvichyanukul,
// Schmeiser 1988). Beyond kMaxWalk the walk starts again: what lies there has a probability under 1e-60.
std::uint64_t binomial_by_inversion(PhiloxStream& random, double n, double p) {
  constexpr double kMaxWalk = 110;
  const auto most = static_cast<std::uint64_t>(std::min(n, kMaxWalk));
  const double odds = p / (1 - p);
  const double at_zero = std::exp(n * std::log1p(-p));
  for (;;) {
    double rest = random.uniform();
    double probability = at_zero;
    for (std::uint64_t k = 0; k <= most; ++k) {
      if (rest < probability) return k;
      const auto x = static_cast<double>(k);
      rest -= probability;
      probability *= odds * (n - x) / (x + 1);
    }
  }
}

// log(k!) less Stirling's approximation of it.
double stirling_remainder(double k) {
  constexpr double kExact[] = {0.08106146679532726, 0.04134069595540929, 0.02767792568499834,
                               0.02079067210376509, 0.01664469118982119, 0.01387612882307075,
                               0.01189670994589177, 0.01041126526197209, 0.009255462182712733,
                               0.008330563433362871};
  if (k < std::size(kExact)) return kExact[static_cast<std::size_t>(k)];
  const double inverse_square = 1 / ((k + 1) * (k + 1));
  return (1.0 / 12 - (1.0 / 360 - inverse_square / 1260) * inverse_square) / (k + 1);
}

// Transformed rejection with a squeeze (BTRS: Hörmann 1993, "The generation of binomial random variates"),
// for n p >= 10 and p <= 1/2. It takes 1.2 tries on average.
std::uint64_t binomial_by_rejection(PhiloxStream& random, double n, double p) {
  const double deviation = std::sqrt(n * p * (1 - p));
  const double b = 1.15 + 2.53 * deviation;
  const double a = -0.0873 + 0.0248 * b + 0.01 * p;
  const double c = n * p + 0.5;
  const double v_r = 0.92 - 4.2 / b;
  const double odds = p / (1 - p);
  const double alpha = (2.83 + 5.1 / b) * deviation;
  const double mode = std::floor((n + 1) * p);
  for (;;) {
    const double u = random.uniform() - 0.5;
    double v = random.uniform();
    const double us = 0.5 - std::abs(u);
    const double k = std::floor((2 * a / us + b) * u + c);
    if (!(k >= 0 && k <= n)) continue;
    if (us >= 0.07 && v <= v_r) return static_cast<std::uint64_t>(k);
    v = std::log(v * alpha / (a / (us * us) + b));
    const double bound = (mode + 0.5) * std::log((mode + 1) / (odds * (n - mode + 1))) +
                         (n + 1) * std::log((n - mode + 1) / (n - k + 1)) +
                         (k + 0.5) * std::log(odds * (n - k + 1) / (k + 1)) + stirling_remainder(mode) +
                         stirling_remainder(n - mode) - stirling_remainder(k) - stirling_remainder(n - k);
    if (v <= bound) return static_cast<std::uint64_t>(k);
  }
}

}  // namespace

std::array<std::uint32_t, 4> philox4x32_10(std::array<std::uint32_t, 4> counter,
                                           std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t product0 = kMultiplier0 * counter[0];
    const std::uint64_t product1 = kMultiplier1 * counter[2];
    counter = {high(product1) ^ counter[1] ^ key[0], low(product1), high(product0) ^ counter[3] ^ key[1],
               low(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

std::uint64_t PhiloxStream::next() {
  if (left_ == 0) {
    const auto out =
        philox4x32_10({low(block_), high(block_), low(stream_), high(stream_)}, {low(seed_), high(seed_)});
    words_ = {std::uint64_t{out[1]} << 32 | out[0], std::uint64_t{out[3]} << 32 | out[2]};
    ++block_;
    left_ = 2;
  }
  return words_[2 - left_--];
}

double PhiloxStream::uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

double PhiloxStream::normal() { return normal_quantile(uniform() + 0x1p-54); }

std::uint64_t PhiloxStream::binomial(std::uint64_t trials, double probability) {
  HF_ASSERT(trials <= 1ULL << 53);
  if (trials == 0 || !(probability > 0)) return 0;
  if (probability >= 1) return trials;
  const double p = std::min(probability, 1 - probability);
  const auto n = static_cast<double>(trials);
  const std::uint64_t rarer =
      n * p < 10 ? binomial_by_inversion(*this, n, p) : binomial_by_rejection(*this, n, p);
  return probability <= 0.5 ? rarer : trials - rarer;
}

}  // namespace holdfast::stats
