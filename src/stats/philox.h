#pragma once

#include <array>
#include <cstdint>

namespace holdfast::stats {

// Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"): ten rounds
// of a bijection of the counter, chosen by the key. For simulation only: nothing secret may rest on it.
std::array<std::uint32_t, 4> philox4x32_10(std::array<std::uint32_t, 4> counter,
                                           std::array<std::uint32_t, 2> key);

// Random numbers named by (seed, stream): the same numbers on any thread and in any order of streams. Streams
// of one seed do not overlap. Not thread-safe; make one for each thread's stream.
class PhiloxStream {
 public:
  PhiloxStream(std::uint64_t seed, std::uint64_t stream) : seed_(seed), stream_(stream) {}

  std::uint64_t next();  // uniform over 64 bits
  double uniform();      // uniform over the multiples of 2^-53 in [0, 1)
  double normal();       // standard normal, by the inverse of its distribution
  // Successes in `trials` (at most 2^53) of the given probability, which is clamped to [0, 1].
  std::uint64_t binomial(std::uint64_t trials, double probability);

 private:
  std::uint64_t seed_;
  std::uint64_t stream_;
  std::uint64_t block_ = 0;
  std::array<std::uint64_t, 2> words_{};
  unsigned left_ = 0;  // words not yet given
};

}  // namespace holdfast::stats
