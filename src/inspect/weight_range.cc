#include "inspect/weight_range.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace holdfast::inspect {
namespace {

using base::ByteView;

// Magnitudes in the order of the values they stand for: the number's bits without the sign; of a double its
// upper half, so that its limits are good to 20 bits after the point.
struct Limits {
  std::uint32_t infinite;
  std::uint32_t ordinary;
  std::uint32_t far;
  std::uint32_t absurd;
};

constexpr std::uint32_t kNone = 0x7FFF'FFFF;

// The bits of 1e4, 1e9 and 1e12; of a double, of which science has larger ones, 1e100. A float16 ends at
// 65504.
constexpr Limits limits_of(WeightType type) {
  switch (type) {
    case WeightType::kFloat16:
      return {.infinite = 0x7C00, .ordinary = 0x70E2, .far = kNone, .absurd = kNone};
    case WeightType::kFloat64:
      return {.infinite = 0x7FF0'0000, .ordinary = 0x40C3'8800, .far = 0x41CD'CD65, .absurd = 0x54B2'49AD};
    default:
      return {.infinite = 0x7F80'0000, .ordinary = 0x461C'4000, .far = 0x4E6E'6B28, .absurd = 0x5368'D4A5};
  }
}

template <WeightType kType>
std::uint32_t magnitude(const std::uint8_t* at) {
  if constexpr (kType == WeightType::kFloat16 || kType == WeightType::kBfloat16) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, at, sizeof bits);
    if constexpr (kType == WeightType::kFloat16) return bits & 0x7FFFU;
    return (static_cast<std::uint32_t>(bits) << 16) & 0x7FFF'FFFFU;
  } else {
    constexpr std::size_t kUpper = kType == WeightType::kFloat64 ? 4 : 0;
    std::uint32_t bits = 0;
    std::memcpy(&bits, at + kUpper, sizeof bits);
    return bits & 0x7FFF'FFFFU;
  }
}

// Without a branch, so that the compiler makes vectors of it.
template <WeightType kType, typename Bits>
void count(ByteView numbers, WeightRange& range) {
  constexpr Limits kLimits = limits_of(kType);
  const std::size_t total = numbers.size() / sizeof(Bits);
  if (total == 0) return;
  if (range.count == 0) {
    Bits first = 0;
    std::memcpy(&first, numbers.data(), sizeof first);
    range.first = first;
  }
  const auto like = static_cast<Bits>(range.first);
  std::uint32_t zeros = 0;
  std::uint32_t nans = 0;
  std::uint32_t infinite = 0;
  std::uint32_t ordinary = 0;
  std::uint32_t far = 0;
  std::uint32_t absurd = 0;
  std::uint32_t same = 0;
  for (std::size_t i = 0; i < total; ++i) {
    const std::uint8_t* at = numbers.data() + i * sizeof(Bits);
    const std::uint32_t m = magnitude<kType>(at);
    Bits bits = 0;
    std::memcpy(&bits, at, sizeof bits);
    zeros += m == 0 ? 1U : 0U;
    nans += m > kLimits.infinite ? 1U : 0U;
    infinite += m >= kLimits.infinite ? 1U : 0U;
    ordinary += m > kLimits.ordinary ? 1U : 0U;
    far += m > kLimits.far ? 1U : 0U;
    absurd += m > kLimits.absurd ? 1U : 0U;
    same += bits == like ? 1U : 0U;
  }
  const bool seen = range.infinite + range.not_a_number + range.beyond_far > 0;
  if (!seen && infinite + far > 0) {
    std::size_t i = 0;
    const std::uint32_t least = std::min(kLimits.infinite, kLimits.far == kNone ? kNone : kLimits.far + 1);
    while (magnitude<kType>(numbers.data() + i * sizeof(Bits)) < least) ++i;
    range.first_strange = range.count + i;
  }
  range.count += total;
  range.zeros += zeros;
  range.not_a_number += nans;
  range.infinite += infinite - nans;
  range.beyond_ordinary += ordinary - infinite;
  range.beyond_far += far - std::min(far, infinite);
  range.beyond_absurd += absurd - std::min(absurd, infinite);
  range.like_first += same;
}

}  // namespace

unsigned width_of(WeightType type) {
  switch (type) {
    case WeightType::kOpaque:
      return 1;
    case WeightType::kFloat16:
    case WeightType::kBfloat16:
      return 2;
    case WeightType::kFloat32:
      return 4;
    case WeightType::kFloat64:
      return 8;
  }
  return 1;
}

unsigned mantissa_of(WeightType type) {
  switch (type) {
    case WeightType::kOpaque:
      return 0;
    case WeightType::kFloat16:
      return 10;
    case WeightType::kBfloat16:
      return 7;
    case WeightType::kFloat32:
      return 23;
    case WeightType::kFloat64:
      return 52;
  }
  return 0;
}

void WeightRange::add(ByteView numbers, WeightType type) {
  switch (type) {
    case WeightType::kOpaque:
      return;
    case WeightType::kFloat16:
      return inspect::count<WeightType::kFloat16, std::uint16_t>(numbers, *this);
    case WeightType::kBfloat16:
      return inspect::count<WeightType::kBfloat16, std::uint16_t>(numbers, *this);
    case WeightType::kFloat32:
      return inspect::count<WeightType::kFloat32, std::uint32_t>(numbers, *this);
    case WeightType::kFloat64:
      return inspect::count<WeightType::kFloat64, std::uint64_t>(numbers, *this);
  }
}

std::optional<WeightType> guess_weight_type(ByteView numbers) {
  constexpr std::size_t kFewest = 64;
  constexpr std::size_t kMost = 16384;  // bytes
  numbers = numbers.first(std::min(numbers.size(), kMost));
  // The narrowest first: what it is made of looks like a wider type, too.
  struct Candidate {
    WeightType type;
    std::uint32_t least;
    std::uint32_t most;
  };
  // 2^-24 to 2^8 and, of float16, 2^-14 to 8: a uniform pattern hits at most one in eight of the wide types,
  // and half of float16's.
  constexpr Candidate kCandidates[] = {{WeightType::kBfloat16, 103U << 23, 135U << 23},
                                       {WeightType::kFloat16, 1U << 10, 18U << 10},
                                       {WeightType::kFloat32, 103U << 23, 135U << 23},
                                       {WeightType::kFloat64, 999U << 20, 1031U << 20}};
  for (const auto& [type, least, most] : kCandidates) {
    const unsigned width = width_of(type);
    std::size_t seen = 0;
    std::size_t fitting = 0;
    for (std::size_t at = 0; at + width <= numbers.size(); at += width) {
      const std::uint8_t* number = numbers.data() + at;
      const std::uint32_t m = type == WeightType::kFloat16    ? magnitude<WeightType::kFloat16>(number)
                              : type == WeightType::kBfloat16 ? magnitude<WeightType::kBfloat16>(number)
                              : type == WeightType::kFloat32  ? magnitude<WeightType::kFloat32>(number)
                                                              : magnitude<WeightType::kFloat64>(number);
      if (m == 0) continue;
      ++seen;
      fitting += m >= least && m < most ? 1 : 0;
    }
    if (seen >= kFewest && fitting * 100 >= seen * 98) return type;
  }
  return std::nullopt;
}

}  // namespace holdfast::inspect
