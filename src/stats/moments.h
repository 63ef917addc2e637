#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace holdfast::stats {

// Count, mean and variance of a stream of numbers, without rounding error: for each power of two it keeps the
// integer sums of the significands and of their squares (a superaccumulator; Neal 2015, arXiv:1505.05571). So
// the same values give the same state, bytes and answers whatever their order and however they were spread
// over merged shards, and nothing cancels: mean() and variance() are the exact results rounded once, for up
// to 2^63 values.
//
// A value, 40 bytes for each octave from the smallest to the largest magnitude seen, 80 KB at most. Not
// thread-safe.
class Moments {
 public:
  // A value that is not finite is counted in not_finite() and is otherwise left out.
  void add(double value);
  void merge(const Moments& other);

  [[nodiscard]] std::uint64_t count() const { return count_; }  // finite values
  [[nodiscard]] std::uint64_t not_finite() const { return not_finite_; }
  [[nodiscard]] double mean() const;      // NaN over no values
  [[nodiscard]] double variance() const;  // divisor count - 1; NaN below two values

  // Canonical: 'M' 1, as varints count, not_finite and the number of octaves that hold values, and for each
  // the distance of its biased exponent to the one before (at first to 0), less one, as a varint, its sum (16
  // bytes, two's complement) and its sum of squares (24 bytes).
  void append_to(base::Bytes& to) const;
  // kDataCorrupt for what append_to would not have written.
  static base::Result<Moments> parse(base::ByteView bytes);

  friend bool operator==(const Moments&, const Moments&) = default;

 private:
  __extension__ using Wide = unsigned __int128;

  // The values with one biased exponent.
  struct Octave {
    Wide sum = 0;               // of signed significands, two's complement
    Wide squares = 0;           // of their squares, low 128 bits
    std::uint64_t carries = 0;  // and the bits above

    void add_squares(Wide low, std::uint64_t high) {
      squares += low;
      carries += high + (squares < low ? 1 : 0);
    }
    friend bool operator==(const Octave&, const Octave&) = default;
  };

  static constexpr unsigned kNotFinite = 2047;  // the biased exponent of infinities and NaN

  static bool holds_values(const Octave& octave);
  void cover(unsigned first, unsigned last);

  std::uint64_t count_ = 0;
  std::uint64_t not_finite_ = 0;
  unsigned first_exponent_ = 0;  // of octaves_.front(); 0 where there is none
  std::vector<Octave> octaves_;  // the first and the last hold values
};

inline void Moments::add(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const auto field = static_cast<unsigned>(bits >> 52 & 0x7FF);
  if (field == kNotFinite) {
    ++not_finite_;
    return;
  }
  ++count_;
  // A subnormal number has the scale of exponent 1, without the leading bit.
  const std::uint64_t significand = (bits & ((1ULL << 52) - 1)) | (field == 0 ? 0 : 1ULL << 52);
  const unsigned exponent = field == 0 ? 1 : field;
  if (significand == 0) return;
  if (exponent - first_exponent_ >= octaves_.size()) cover(exponent, exponent);
  Octave& octave = octaves_[exponent - first_exponent_];
  const Wide negative = Wide{0} - (bits >> 63);  // all ones below zero
  octave.sum += (Wide{significand} ^ negative) - negative;
  octave.add_squares(Wide{significand} * significand, 0);
}

}  // namespace holdfast::stats
