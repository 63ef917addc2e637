#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "stats/hash64.h"
#include "stats/measurement.h"

namespace holdfast::stats {

// How many different values a stream has, from 4096 registers (Flajolet et al. 2007) by Ertl's improved raw
// estimator (2017, arXiv:1702.01284, algorithm 6): standard error 1.04 / sqrt(4096) = 1.6%. Merging takes the
// larger registers, so shards give what one pass gives, bit for bit. Not for adversaries: see hash64.h.
//
// A value of 4 KB. Not thread-safe.
class HyperLogLog {
 public:
  static constexpr unsigned kLogRegisters = 12;
  static constexpr std::size_t kRegisters = 1U << kLogRegisters;
  static constexpr double kRelativeStandardError = 1.04 / 64;

  void add(base::ByteView value) { add_hash(hash64(value)); }
  // Both zeros are one value; so are all that is not a number.
  void add(double value);
  void merge(const HyperLogLog& other);

  [[nodiscard]] double estimate() const;
  // Normal, with the standard error above.
  [[nodiscard]] Interval interval(Confidence confidence) const;

  // Canonical: 'D' 1, then the count of registers that are not zero as a varint; below 1024 of them, for each
  // the difference of its index to the one before, less one, as a varint, and its value; else all registers.
  void append_to(base::Bytes& to) const;
  // kDataCorrupt for what append_to would not have written.
  static base::Result<HyperLogLog> parse(base::ByteView bytes);

  friend bool operator==(const HyperLogLog&, const HyperLogLog&) = default;

 private:
  static constexpr unsigned kMaxRank = 64 - kLogRegisters + 1;

  // The register named by the first bits keeps the longest run of zeros seen in the others, plus one.
  void add_hash(std::uint64_t hash) {
    const std::uint64_t others = hash << kLogRegisters | 1ULL << (kLogRegisters - 1);
    std::uint8_t& held = registers_[hash >> (64 - kLogRegisters)];
    held = std::max(held, static_cast<std::uint8_t>(std::countl_zero(others) + 1));
  }

  std::array<std::uint8_t, kRegisters> registers_{};
};

inline void HyperLogLog::add(double value) {
  constexpr std::uint64_t kNan = 0x7FF8ULL << 48;
  add_hash(hash64(std::isnan(value) ? kNan : std::bit_cast<std::uint64_t>(value + 0.0)));
}

}  // namespace holdfast::stats
