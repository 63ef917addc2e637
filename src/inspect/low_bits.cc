#include "inspect/low_bits.h"

#include <algorithm>
#include <cmath>

namespace holdfast::inspect {
namespace {

using base::ByteView;

constexpr std::array<Packing, 27> kPackings = [] {
  std::array<Packing, 27> all{};
  std::size_t i = 0;
  for (const unsigned bits : {1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U, 16U, 24U}) {
    for (const BitOrder order : {BitOrder::kHighFirst, BitOrder::kLowFirst, BitOrder::kMixed}) {
      // With one bit a number there is no order within it; nobody mixes whole bytes.
      if (order == BitOrder::kMixed && (bits == 1 || bits > 8)) continue;
      all[i++] = {.bits = bits, .order = order};
    }
  }
  return all;
}();

std::uint32_t reversed(std::uint32_t value, unsigned bits) {
  std::uint32_t out = 0;
  for (unsigned i = 0; i < bits; ++i) out = out << 1 | (value >> i & 1);
  return out;
}

}  // namespace

std::span<const Packing> packings(unsigned mantissa_bits) {
  const auto end = std::find_if(kPackings.begin(), kPackings.end(), [&](const Packing& packing) {
    return packing.bits > mantissa_bits + (mantissa_bits == 23 ? 1 : 0);
  });
  return {kPackings.data(), static_cast<std::size_t>(end - kPackings.begin())};
}

void unpack_low_bits(ByteView numbers, unsigned width, std::size_t first, Packing packing, std::size_t limit,
                     base::Bytes& out) {
  const std::uint32_t mask = (1U << packing.bits) - 1;
  const unsigned bytes = (packing.bits + 7) / 8;
  const std::size_t goal = out.size() + limit;
  std::uint32_t held = 0;
  unsigned count = 0;
  for (std::size_t at = first * width; at + width <= numbers.size() && out.size() < goal; at += width) {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < bytes; ++i) value |= static_cast<std::uint32_t>(numbers[at + i]) << (8 * i);
    value &= mask;
    if (packing.order == BitOrder::kLowFirst) {
      held |= value << count;
      for (count += packing.bits; count >= 8; count -= 8) {
        out.push_back(static_cast<std::uint8_t>(held));
        held >>= 8;
      }
    } else {
      if (packing.order == BitOrder::kMixed) value = reversed(value, packing.bits);
      held = held << packing.bits | value;
      for (count += packing.bits; count >= 8; count -= 8)
        out.push_back(static_cast<std::uint8_t>(held >> (count - 8)));
    }
  }
}

namespace {

constexpr std::uint64_t kEachByte = 0x0101'0101'0101'0101;

// Whether each of eight bytes is zero, as 1 in its place: Hacker's Delight, 6-1.
std::uint64_t zero_bytes(std::uint64_t bytes) {
  constexpr std::uint64_t kLow7 = 0x7F7F'7F7F'7F7F'7F7F;
  return (~(((bytes & kLow7) + kLow7) | bytes | kLow7)) >> 7;
}

struct Sums {
  std::array<std::uint64_t, 8> ones{};  // by bit; in each byte of it, by the number's place among 8
  std::uint64_t zeros = 0;
};

// The sums of at most 255 groups of eight numbers: each fits a byte.
template <unsigned kWidth>
Sums sum_groups(const std::uint8_t* at, std::size_t groups) {
  Sums sums;
  for (std::size_t g = 0; g < groups; ++g, at += std::size_t{8} * kWidth) {
    std::uint64_t low = 0;
    for (unsigned i = 0; i < 8; ++i) low |= static_cast<std::uint64_t>(at[i * kWidth]) << (8 * i);
    for (unsigned bit = 0; bit < 8; ++bit) sums.ones[bit] += low >> bit & kEachByte;
    sums.zeros += zero_bytes(low);
  }
  return sums;
}

}  // namespace

void LowBitCounts::add(ByteView numbers, unsigned width) {
  constexpr std::size_t kMaxGroups = 255;
  const std::size_t group = std::size_t{8} * width;
  while (numbers.size() >= group) {
    const std::size_t groups = std::min(kMaxGroups, numbers.size() / group);
    const Sums sums = width == 2   ? sum_groups<2>(numbers.data(), groups)
                      : width == 4 ? sum_groups<4>(numbers.data(), groups)
                                   : sum_groups<8>(numbers.data(), groups);
    for (unsigned i = 0; i < 64; ++i) ones_[i] += sums.ones[i / 8] >> (8 * (i % 8)) & 0xFF;
    for (unsigned i = 0; i < 8; ++i) zeros_ += sums.zeros >> (8 * i) & 0xFF;
    groups_ += groups;
    numbers = numbers.subspan(groups * group);
  }
}

double LowBitCounts::oddness() const {
  if (groups_ == 0) return 0;
  const auto n = static_cast<double>(groups_);
  double most = 0;
  for (const std::uint64_t ones : ones_)
    most = std::max(most, std::abs(2 * static_cast<double>(ones) - n) / std::sqrt(n));
  return most;
}

double LowBitCounts::zero_share() const {
  return groups_ == 0 ? 1 : static_cast<double>(zeros_) / (8 * static_cast<double>(groups_));
}

}  // namespace holdfast::inspect
