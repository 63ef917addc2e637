#include "stats/moments.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "stats/sketch_bytes.h"

namespace holdfast::stats {
namespace {

using base::Result;
__extension__ using Product = unsigned __int128;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr int kUnitExponent =
    -1074;  // of one significand at biased exponent 1: the smallest subnormal number
constexpr unsigned kMaxExponent = 2046;
constexpr int kSpareBits = 128;  // below a dividend, so that a quotient keeps its digits

// A natural number below 2^4608: room for the sum of 2^64 squares of doubles, in units of the smallest, times
// 2^64.
class Natural {
 public:
  // Adds word * 2^shift.
  void add(std::uint64_t word, unsigned shift) {
    const Product wide = Product{word} << (shift % 64);
    add_limb(shift / 64, static_cast<std::uint64_t>(wide));
    add_limb(shift / 64 + 1, static_cast<std::uint64_t>(wide >> 64));
  }

  // At most this number.
  void subtract(const Natural& other) {
    bool borrow = false;
    for (std::size_t i = 0; i < kLimbs; ++i) {
      const Product difference = Product{limbs_[i]} - other.limbs_[i] - (borrow ? 1 : 0);
      limbs_[i] = static_cast<std::uint64_t>(difference);
      borrow = difference >> 64 != 0;
    }
  }

  [[nodiscard]] Natural times(const Natural& other) const {
    Natural product;
    for (std::size_t i = 0; i < kLimbs; ++i) {
      if (limbs_[i] == 0) continue;
      for (std::size_t j = 0; i + j < kLimbs; ++j) {
        const Product partial = Product{limbs_[i]} * other.limbs_[j];
        product.add_limb(i + j, static_cast<std::uint64_t>(partial));
        product.add_limb(i + j + 1, static_cast<std::uint64_t>(partial >> 64));
      }
    }
    return product;
  }

  // Times 2^kSpareBits.
  [[nodiscard]] Natural shifted() const {
    Natural result;
    std::copy(limbs_.begin(), limbs_.end() - kSpareBits / 64, result.limbs_.begin() + kSpareBits / 64);
    return result;
  }

  // Leaves the quotient; true where something was left over.
  bool divide(std::uint64_t divisor) {
    Product rest = 0;
    for (std::size_t i = kLimbs; i-- > 0;) {
      const Product part = rest << 64 | limbs_[i];
      limbs_[i] = static_cast<std::uint64_t>(part / divisor);
      rest = part % divisor;
    }
    return rest != 0;
  }

  // This number, and something below one more where `inexact`, times 2^exponent, rounded to nearest: its
  // first 64 bits, the last of which also stands for all that follow, round once on their way to a double.
  [[nodiscard]] double rounded(int exponent, bool inexact) const {
    std::size_t top = kLimbs - 1;
    while (top > 0 && limbs_[top] == 0) --top;
    if (top == 0) return std::ldexp(static_cast<double>(limbs_[0] | (inexact ? 1U : 0U)), exponent);
    const int gap = std::countl_zero(limbs_[top]);
    const Product pair = (Product{limbs_[top]} << 64 | limbs_[top - 1]) << gap;
    inexact = inexact || static_cast<std::uint64_t>(pair) != 0 ||
              std::any_of(limbs_.begin(), limbs_.begin() + static_cast<std::ptrdiff_t>(top - 1),
                          [](std::uint64_t limb) { return limb != 0; });
    const auto digits = static_cast<std::uint64_t>(pair >> 64) | (inexact ? 1U : 0U);
    return std::ldexp(static_cast<double>(digits), exponent + static_cast<int>(top) * 64 - gap);
  }

  friend bool operator<(const Natural& a, const Natural& b) {
    return std::lexicographical_compare(a.limbs_.rbegin(), a.limbs_.rend(), b.limbs_.rbegin(),
                                        b.limbs_.rend());
  }

 private:
  static constexpr std::size_t kLimbs = 72;

  void add_limb(std::size_t at, std::uint64_t limb) {
    for (; limb != 0 && at < kLimbs; ++at) {
      limbs_[at] += limb;
      limb = limbs_[at] < limb ? 1 : 0;
    }
  }

  std::array<std::uint64_t, kLimbs> limbs_{};
};

Natural natural(std::uint64_t value) {
  Natural result;
  result.add(value, 0);
  return result;
}

struct Sums {
  Natural values;  // the absolute value of their sum, in units of 2^kUnitExponent
  bool negative;
  Natural squares;  // in units of 2^(2 kUnitExponent)
};

template <typename Octaves>
Sums sums_of(const Octaves& octaves, unsigned first_exponent) {
  Natural above;
  Natural below;
  Natural squares;
  unsigned shift = first_exponent - 1;
  for (const auto& octave : octaves) {
    const bool negative = octave.sum >> 127 != 0;
    const Product magnitude = negative ? 0 - octave.sum : octave.sum;
    Natural& side = negative ? below : above;
    side.add(static_cast<std::uint64_t>(magnitude), shift);
    side.add(static_cast<std::uint64_t>(magnitude >> 64), shift + 64);
    squares.add(static_cast<std::uint64_t>(octave.squares), 2 * shift);
    squares.add(static_cast<std::uint64_t>(octave.squares >> 64), 2 * shift + 64);
    squares.add(octave.carries, 2 * shift + 128);
    ++shift;
  }
  const bool negative = above < below;
  (negative ? below : above).subtract(negative ? above : below);
  return {.values = negative ? below : above, .negative = negative, .squares = squares};
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
  const Sums sums = sums_of(octaves_, first_exponent_);
  Natural quotient = sums.values.shifted();
  const bool inexact = quotient.divide(count_);
  const double magnitude = quotient.rounded(kUnitExponent - kSpareBits, inexact);
  return sums.negative ? -magnitude : magnitude;
}

double Moments::variance() const {
  if (count_ < 2) return kNan;
  const Sums sums = sums_of(octaves_, first_exponent_);
  const Natural all_squares = sums.squares.times(natural(count_));
  const Natural square = sums.values.times(sums.values);
  if (all_squares < square) return kNan;  // by Cauchy and Schwarz only if parsed from a forgery
  Natural spread = all_squares;
  spread.subtract(square);
  Natural quotient = spread.shifted();
  bool inexact = quotient.divide(count_);
  inexact = quotient.divide(count_ - 1) || inexact;
  return quotient.rounded(2 * kUnitExponent - kSpareBits, inexact);
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
