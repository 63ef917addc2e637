#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace holdfast::stats {

// The distribution of a stream of numbers in buckets of equal width within each octave, 64 an octave: a value
// is known to within 1/128 (0.78%) of itself. Deterministic; merging adds counts, so shards give what one
// pass gives, bit for bit. Magnitudes below 2^-64 count as zero; those from 2^64 on, of each sign, share one
// bucket.
//
// A value of 512 bytes for each octave between the smallest and the largest magnitude seen of each sign, 128
// KB at most. Not thread-safe.
class LogLinearHistogram {
 public:
  static constexpr unsigned kBucketsPerOctave = 64;
  static constexpr double kRelativeError = 1.0 / 128;

  // A value that is not finite is counted in not_finite() and is otherwise left out.
  void add(double value);
  void merge(const LogLinearHistogram& other);

  [[nodiscard]] std::uint64_t count() const;  // finite values
  [[nodiscard]] std::uint64_t not_finite() const { return not_finite_; }
  [[nodiscard]] double min() const { return min_; }  // exact; plus infinity over no values
  [[nodiscard]] double max() const { return max_; }  // exact; minus infinity over no values

  // The value of rank ceil(probability * count), from 1, lies within [low, high]; `value` is its estimate.
  // For a probability in [0, 1], asserted; empty over no values.
  struct Quantile {
    double value;
    double low;
    double high;
  };
  [[nodiscard]] std::optional<Quantile> quantile(double probability) const;

  // The buckets that hold values, ascending. Values lie in [low, high) above zero, in (low, high] below.
  struct Bucket {
    double low;
    double high;
    std::uint64_t count;
  };
  [[nodiscard]] std::vector<Bucket> buckets() const;

  // Rows in the bins (-inf, edges[0]], (edges[0], edges[1]], ..., (edges.back(), inf), which ascend. A bucket
  // goes by its middle: any two histograms are binned alike, whatever the edges.
  [[nodiscard]] std::vector<std::uint64_t> counts_between(std::span<const double> edges) const;

  // Canonical: 'H' 1, not_finite and the count of zeros as varints, the smallest and largest value, and for
  // the negative and then the positive magnitudes: those beyond as a varint, the first octave plus one (0 for
  // none), and if there is one the number of octaves less one, and 64 counts for each octave, as varints.
  void append_to(base::Bytes& to) const;
  // kDataCorrupt for what append_to would not have written.
  static base::Result<LogLinearHistogram> parse(base::ByteView bytes);

  friend bool operator==(const LogLinearHistogram&, const LogLinearHistogram&) = default;

 private:
  static constexpr unsigned kOctaves = 128;
  static constexpr unsigned kFirstExponent = 1023 - 64;  // biased, of 2^-64

  // The magnitudes of one sign.
  struct Side {
    unsigned first_octave = 0;          // of counts[0]; 0 where there is none
    std::vector<std::uint64_t> counts;  // whole octaves; the first and the last hold values
    std::uint64_t beyond = 0;           // magnitudes from 2^64 on

    void cover(unsigned first, unsigned last);
    friend bool operator==(const Side&, const Side&) = default;
  };

  [[nodiscard]] bool extremes_fit() const;
  static base::Result<Side> parse_side(class SketchReader& reader);

  std::uint64_t not_finite_ = 0;
  std::uint64_t zeros_ = 0;
  double min_ = __builtin_inf();
  double max_ = -__builtin_inf();
  std::array<Side, 2> sides_;  // above zero, below zero
};

inline void LogLinearHistogram::add(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const auto exponent = static_cast<unsigned>(bits >> 52 & 0x7FF);
  if (exponent == 2047) {
    ++not_finite_;
    return;
  }
  value += 0.0;  // -0 becomes 0, so that the extremes do not tell the order of arrival
  if (value < min_) min_ = value;
  if (value > max_) max_ = value;
  if (exponent < kFirstExponent) {
    ++zeros_;
    return;
  }
  Side& side = sides_[bits >> 63];
  const unsigned octave = exponent - kFirstExponent;
  if (octave >= kOctaves) {
    ++side.beyond;
    return;
  }
  if ((octave - side.first_octave) * kBucketsPerOctave >= side.counts.size()) side.cover(octave, octave);
  ++side.counts[(octave - side.first_octave) * kBucketsPerOctave + (bits >> 46 & 63)];
}

}  // namespace holdfast::stats
