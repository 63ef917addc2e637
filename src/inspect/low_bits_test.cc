#include "inspect/low_bits.h"

#include <gtest/gtest.h>

#include <random>

namespace holdfast::inspect {
namespace {

using base::Bytes;

Bytes noise(std::size_t size) {
  std::mt19937_64 random(11);
  Bytes bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

// The opposite of unpack_low_bits, bit by bit.
Bytes pack(base::ByteView data, Bytes numbers, unsigned width, Packing packing) {
  std::size_t next = 0;
  const auto bit = [&](std::size_t i) {
    const unsigned within = static_cast<unsigned>(i % 8);
    return data[i / 8] >> (packing.order == BitOrder::kLowFirst ? within : 7 - within) & 1;
  };
  for (std::size_t number = 0; next < data.size() * 8; ++number) {
    for (unsigned i = 0; i < packing.bits && next < data.size() * 8; ++i, ++next) {
      const unsigned place = packing.order == BitOrder::kHighFirst ? packing.bits - 1 - i : i;
      auto& byte = numbers[number * width + place / 8];
      byte = static_cast<std::uint8_t>((byte & ~(1U << place % 8)) | static_cast<unsigned>(bit(next))
                                                                         << place % 8);
    }
  }
  return numbers;
}

TEST(LowBits, AreUnpackedAsTheyWerePacked) {
  const Bytes data = noise(300);
  for (const unsigned width : {4U, 8U}) {
    for (const Packing& packing : packings(23)) {
      const Bytes numbers = pack(data, noise(std::size_t{3000} * width), width, packing);
      Bytes out;
      unpack_low_bits(numbers, width, 0, packing, data.size(), out);
      EXPECT_EQ(out, data) << packing.bits << ' ' << static_cast<int>(packing.order);
    }
  }
}

TEST(LowBits, AreNoMoreThanANumberHas) {
  EXPECT_EQ(packings(7).back().bits, 7U);
  EXPECT_EQ(packings(10).back().bits, 8U);
  EXPECT_EQ(packings(23).back().bits, 24U);
  EXPECT_EQ(packings(52).back().bits, 24U);
  EXPECT_TRUE(packings(0).empty());
}

TEST(LowBits, OfNoiseAreEven) {
  LowBitCounts counts;
  counts.add(noise(1UL << 20), 4);
  EXPECT_LT(counts.oddness(), 6);
  EXPECT_LT(counts.zero_share(), 0.01);
  EXPECT_EQ(counts.groups(), (1UL << 20) / 32);
}

TEST(LowBits, OfTextAreOddHoweverItIsPacked) {
  Bytes data(4096);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::uint8_t>('a' + i * i % 26);
  for (const Packing& packing : packings(23)) {
    LowBitCounts counts;
    const std::size_t numbers = data.size() * 8 / packing.bits;
    counts.add(pack(data, noise(numbers * 4 + 4), 4, packing), 4);
    EXPECT_GT(counts.oddness(), 12) << packing.bits << ' ' << static_cast<int>(packing.order);
  }
}

TEST(LowBits, AreCountedInWholeGroupsOnly) {
  LowBitCounts counts;
  counts.add(noise(31), 4);
  EXPECT_EQ(counts.groups(), 0U);
  EXPECT_EQ(counts.oddness(), 0);
}

}  // namespace
}  // namespace holdfast::inspect
