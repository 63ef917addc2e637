#pragma once

#include <bit>
#include <cstdint>

#include "base/bytes.h"

namespace holdfast::stats {

// The constants and steps of XXH64, by the names of its specification where it has them.
struct Xxh64 {
  static constexpr std::uint64_t kPrime1 = 0x9E3779B185EBCA87;
  static constexpr std::uint64_t kPrime2 = 0xC2B2AE3D27D4EB4F;
  static constexpr std::uint64_t kPrime3 = 0x165667B19E3779F9;
  static constexpr std::uint64_t kPrime4 = 0x85EBCA77C2B2AE63;
  static constexpr std::uint64_t kPrime5 = 0x27D4EB2F165667C5;

  static std::uint64_t round(std::uint64_t lane, std::uint64_t word) {
    return std::rotl(lane + word * kPrime2, 31) * kPrime1;
  }
  static std::uint64_t add_word(std::uint64_t hash, std::uint64_t word) {
    return std::rotl(hash ^ round(0, word), 27) * kPrime1 + kPrime4;
  }
  static std::uint64_t avalanche(std::uint64_t hash) {
    hash = (hash ^ hash >> 33) * kPrime2;
    hash = (hash ^ hash >> 29) * kPrime3;
    return hash ^ hash >> 32;
  }
};

// XXH64 with seed 0 (xxHash specification 0.1.1): what sketches hash values with, so that anyone can
// recompute them. Not for adversaries: whoever chooses the values can make them collide.
std::uint64_t hash64(base::ByteView bytes);

// The same for the eight bytes of a number, little-endian.
inline std::uint64_t hash64(std::uint64_t value) {
  return Xxh64::avalanche(Xxh64::add_word(Xxh64::kPrime5 + 8, value));
}

}  // namespace holdfast::stats
