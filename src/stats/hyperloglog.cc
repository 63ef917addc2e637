#include "stats/hyperloglog.h"

#include <cmath>
#include <limits>
#include <numbers>

#include "stats/distribution.h"
#include "stats/sketch_bytes.h"

namespace holdfast::stats {
namespace {

using base::Result;

constexpr std::size_t kSparseBelow = 1024;  // registers in use; beyond, two bytes each save little

// x + sum over k >= 1 of x^(2^k) 2^(k-1) (Ertl 2017, equation 13).
double sigma(double x) {
  if (x == 1) return std::numeric_limits<double>::infinity();
  double weight = 1;
  double sum = x;
  for (double last = -1; sum != last;) {
    x *= x;
    last = sum;
    sum += x * weight;
    weight *= 2;
  }
  return sum;
}

// (1 - x - sum over k >= 1 of (1 - x^(2^-k))^2 2^-k) / 3 (Ertl 2017, equation 18).
double tau(double x) {
  if (x == 0 || x == 1) return 0;
  double weight = 1;
  double sum = 1 - x;
  for (double last = -1; sum != last;) {
    x = std::sqrt(x);
    last = sum;
    weight /= 2;
    sum -= (1 - x) * (1 - x) * weight;
  }
  return sum / 3;
}

}  // namespace

void HyperLogLog::merge(const HyperLogLog& other) {
  for (std::size_t i = 0; i < kRegisters; ++i) registers_[i] = std::max(registers_[i], other.registers_[i]);
}

double HyperLogLog::estimate() const {
  std::array<double, kMaxRank + 1> with_value{};  // registers that hold each value
  for (const std::uint8_t held : registers_) with_value[held] += 1;
  constexpr auto m = static_cast<double>(kRegisters);
  double z = m * tau(1 - with_value[kMaxRank] / m);
  for (unsigned value = kMaxRank - 1; value >= 1; --value) z = (z + with_value[value]) / 2;
  z += m * sigma(with_value[0] / m);
  return m * m / (2 * std::numbers::ln2 * z);
}

Interval HyperLogLog::interval(Confidence confidence) const {
  const double value = estimate();
  const double reach = normal_quantile(1 - confidence.tail()) * kRelativeStandardError * value;
  return {.low = std::max(0.0, value - reach), .high = value + reach, .confidence = confidence};
}

void HyperLogLog::append_to(base::Bytes& to) const {
  const auto used =
      kRegisters - static_cast<std::size_t>(std::count(registers_.begin(), registers_.end(), 0));
  append_head(to, 'D');
  append_varint(to, used);
  if (used >= kSparseBelow) {
    base::append(to, base::ByteView(registers_));
    return;
  }
  for (std::size_t i = 0, next = 0; i < kRegisters; ++i) {
    if (registers_[i] == 0) continue;
    append_varint(to, i - next);
    to.push_back(registers_[i]);
    next = i + 1;
  }
}

Result<HyperLogLog> HyperLogLog::parse(base::ByteView bytes) {
  SketchReader reader(bytes, "count of distinct values");
  HyperLogLog sketch;
  HF_CHECK(reader.head('D'));
  HF_TRY(const std::uint64_t used, reader.varint(kRegisters));
  std::uint64_t seen = 0;
  if (used >= kSparseBelow) {
    HF_TRY(const base::ByteView registers, reader.take(kRegisters));
    std::copy(registers.begin(), registers.end(), sketch.registers_.begin());
  } else {
    for (std::size_t next = 0; seen < used; ++seen, ++next) {
      HF_TRY(const std::uint64_t gap, reader.varint(kRegisters));
      next += gap;
      HF_CHECK(reader.require(next < kRegisters, "a register's index is out of range"));
      HF_TRY(sketch.registers_[next], reader.integer<std::uint8_t>());
    }
  }
  const auto zeros =
      static_cast<std::size_t>(std::count(sketch.registers_.begin(), sketch.registers_.end(), 0));
  const std::uint8_t largest = *std::max_element(sketch.registers_.begin(), sketch.registers_.end());
  HF_CHECK(
      reader.require(kRegisters - zeros == used && largest <= kMaxRank, "its registers are out of range"));
  HF_CHECK(reader.end());
  return sketch;
}

}  // namespace holdfast::stats
