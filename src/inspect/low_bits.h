#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"

// The lowest bits of numbers, where data is hidden in weights: EvilModel (Wang et al., arXiv 2107.08590),
// which replaces whole low bytes; the packing of 1 to 8 bits a number that demonstrations and tools use
// (HiddenLayer, "Weaponizing Machine Learning Models with Ransomware"). Spread-spectrum hiding (MaleficNet,
// arXiv 2307.11643) and whatever is encrypted leave these bits as even as they are in honest weights: no
// count of bits sees them.

namespace holdfast::inspect {

// How bits of a number follow one another in what is put together from them.
enum class BitOrder : std::uint8_t {
  kHighFirst,  // the number's bits, highest first, fill bytes from their highest bit
  kLowFirst,   // the number's bits, lowest first, fill bytes from their lowest bit
  kMixed,      // the number's bits, lowest first, fill bytes from their highest bit (numpy.unpackbits)
};

struct Packing {
  unsigned bits = 1;  // of each number: 1 to 8, 16 or 24
  BitOrder order = BitOrder::kHighFirst;
};

// All packings of numbers with this many bits that may be given up: 10 of a float16, 7 of a bfloat16, 23 of a
// float32, of which EvilModel takes 24; for doubles 52.
std::span<const Packing> packings(unsigned mantissa_bits);

// Appends what the low bits of `numbers` (little-endian, `width` bytes each), from the one at `first` on,
// come to: at most `limit` bytes. Whole bytes only.
void unpack_low_bits(base::ByteView numbers, unsigned width, std::size_t first, Packing packing,
                     std::size_t limit, base::Bytes& out);

// How often each of the 8 lowest bits is set, by the number's index modulo 8. Whatever is packed 1 to 8 bits
// a number repeats its bytes' borders within 8 numbers, so that bytes that are not random show here.
class LowBitCounts {
 public:
  // `numbers` as above, of a `width` of 2, 4 or 8, at an index that is a multiple of 8; numbers beyond a
  // multiple of 8 are left out.
  void add(base::ByteView numbers, unsigned width);
  // The most standard deviations that any of the 64 counts is away from a half. Of even bits that is below 6
  // with a probability of 1 - 2e-7.
  [[nodiscard]] double oddness() const;
  // The share of numbers whose low byte is zero, which rounding to a coarser type makes.
  [[nodiscard]] double zero_share() const;
  [[nodiscard]] std::uint64_t groups() const { return groups_; }

 private:
  std::uint64_t groups_ = 0;  // of 8 numbers
  std::uint64_t zeros_ = 0;
  std::array<std::uint64_t, 64> ones_{};
};

}  // namespace holdfast::inspect
