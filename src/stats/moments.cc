#include "stats/moments.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <boost/multiprecision/cpp_int.hpp>

#include "stats/sketch_bytes.h"

namespace holdfast::stats {
namespace {

using base::Result;
using Integer = boost::multiprecision::cpp_int;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr int kUnitExponent =
    -1074;  // of one significand at biased exponent 1: the smallest subnormal number
constexpr unsigned kMaxExponent = 2046;

struct Sums {
  Integer values;   // in units of 2^kUnitExponent
  Integer squares;  // in units of 2^(2 kUnitExponent)
};

template <typename Octaves>
Sums sums_of(const Octaves& octaves, unsigned first_exponent) {
  __extension__ using Signed = __int128;
  Sums sums;
  unsigned shift = first_exponent - 1;
  for (const auto& octave : octaves) {
    sums.values += Integer(static_cast<Signed>(octave.sum)) << shift;
    sums.squares += ((Integer(octave.carries) << 128U) + Integer(octave.squares)) << (2 * shift);
    ++shift;
  }
  return sums;
}

// numerator / denominator * 2^exponent, rounded to nearest: 64 bits of the quotient, the last of which also
// stands for whatever is left, round once on their way to a double.
double rounded_ratio(const Integer& numerator, const Integer& denominator, int exponent) {
  if (numerator == 0) return 0;
  Integer dividend = abs(numerator);
  Integer divisor = denominator;
  const auto bits = [](const Integer& value) { return static_cast<int>(msb(value)); };
  const int shift = 64 - (bits(dividend) - bits(divisor));
  (shift > 0 ? dividend : divisor) <<= static_cast<unsigned>(std::abs(shift));
  Integer quotient;
  Integer rest;
  divide_qr(dividend, divisor, quotient, rest);
  const int dropped = std::max(0, bits(quotient) - 63);
  if (rest != 0 || (dropped > 0 && lsb(quotient) < static_cast<unsigned>(dropped))) {
    rest = 1;
  }
  quotient >>= static_cast<unsigned>(dropped);
  const auto digits = static_cast<std::uint64_t>(quotient) | (rest != 0 ? 1U : 0U);
  const double magnitude = std::ldexp(static_cast<double>(digits), exponent - shift + dropped);
  return numerator < 0 ? -magnitude : magnitude;
}

}  // namespace

bool Moments::holds_values(const Octave& octave) { return octave.squares != 0 || octave.carries != 0; }

// Makes room for the biased exponents from `first` to `last`.
void Moments::cover(unsigned first, unsigned last) {
  if (octaves_.empty()) {
    first_exponent_ = first;
    octaves_.resize(last - first + 1);
    return;
  }
  if (first < first_exponent_) {
    octaves_.insert(octaves_.begin(), first_exponent_ - first, Octave{});
    first_exponent_ = first;
  }
  octaves_.resize(std::max<std::size_t>(octaves_.size(), last - first_exponent_ + 1));
}

void Moments::merge(const Moments& other) {
  count_ += other.count_;
  not_finite_ += other.not_finite_;
  if (other.octaves_.empty()) return;
  const auto last = static_cast<unsigned>(other.first_exponent_ + other.octaves_.size() - 1);
  cover(other.first_exponent_, last);
  for (std::size_t i = 0; i < other.octaves_.size(); ++i) {
    Octave& octave = octaves_[other.first_exponent_ - first_exponent_ + i];
    octave.sum += other.octaves_[i].sum;
    octave.add_squares(other.octaves_[i].squares, other.octaves_[i].carries);
  }
}

double Moments::mean() const {
  if (count_ == 0) return kNan;
  return rounded_ratio(sums_of(octaves_, first_exponent_).values, count_, kUnitExponent);
}

double Moments::variance() const {
  if (count_ < 2) return kNan;
  const Sums sums = sums_of(octaves_, first_exponent_);
  const Integer spread =
      sums.squares * count_ - sums.values * sums.values;  // negative only if parsed from a forgery
  return spread < 0 ? kNan : rounded_ratio(spread, Integer(count_) * (count_ - 1), 2 * kUnitExponent);
}

void Moments::append_to(base::Bytes& to) const {
  append_head(to, 'M');
  append_varint(to, count_);
  append_varint(to, not_finite_);
  append_varint(to,
                static_cast<std::uint64_t>(std::count_if(octaves_.begin(), octaves_.end(), holds_values)));
  std::uint64_t next = 1;
  for (std::size_t i = 0; i < octaves_.size(); ++i) {
    const Octave& octave = octaves_[i];
    if (!holds_values(octave)) continue;
    append_varint(to, first_exponent_ + i - next);
    next = first_exponent_ + i + 1;
    for (const Wide half : {octave.sum, octave.squares}) {
      base::append_le(to, static_cast<std::uint64_t>(half));
      base::append_le(to, static_cast<std::uint64_t>(half >> 64));
    }
    base::append_le(to, octave.carries);
  }
}

Result<Moments> Moments::parse(base::ByteView bytes) {
  SketchReader reader(bytes, "sketch of moments");
  Moments moments;
  HF_CHECK(reader.head('M'));
  HF_TRY(moments.count_, reader.varint());
  HF_TRY(moments.not_finite_, reader.varint());
  HF_TRY(const std::uint64_t octaves, reader.varint(kMaxExponent));
  HF_CHECK(reader.require(octaves == 0 || moments.count_ > 0, "it has sums of no values"));
  std::uint64_t exponent = 0;
  for (std::uint64_t i = 0; i < octaves; ++i) {
    HF_TRY(const std::uint64_t gap, reader.varint(kMaxExponent));
    exponent += gap + 1;
    HF_CHECK(reader.require(exponent <= kMaxExponent, "an exponent is out of range"));
    std::uint64_t words[5];
    for (std::uint64_t& word : words) {
      HF_TRY(word, reader.integer<std::uint64_t>());
    }
    moments.cover(static_cast<unsigned>(exponent), static_cast<unsigned>(exponent));
    moments.octaves_.back() = {.sum = Wide{words[1]} << 64 | words[0],
                               .squares = Wide{words[3]} << 64 | words[2],
                               .carries = words[4]};
    HF_CHECK(reader.require(holds_values(moments.octaves_.back()), "an octave holds no values"));
  }
  HF_CHECK(reader.end());
  return moments;
}

}  // namespace holdfast::stats
