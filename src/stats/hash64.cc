#include "stats/hash64.h"

namespace holdfast::stats {
namespace {

constexpr std::size_t kStripe = 32;

// Consumes whole stripes from the front of `bytes`.
std::uint64_t hash_stripes(base::ByteView& bytes) {
  std::uint64_t lanes[4] = {Xxh64::kPrime1 + Xxh64::kPrime2, Xxh64::kPrime2, 0, 0 - Xxh64::kPrime1};
  for (; bytes.size() >= kStripe; bytes = bytes.subspan(kStripe)) {
    for (std::size_t i = 0; i < 4; ++i) {
      lanes[i] = Xxh64::round(lanes[i], base::load_le<std::uint64_t>(bytes.subspan(8 * i)));
    }
  }
  std::uint64_t hash =
      std::rotl(lanes[0], 1) + std::rotl(lanes[1], 7) + std::rotl(lanes[2], 12) + std::rotl(lanes[3], 18);
  for (const std::uint64_t lane : lanes)
    hash = (hash ^ Xxh64::round(0, lane)) * Xxh64::kPrime1 + Xxh64::kPrime4;
  return hash;
}

}  // namespace

std::uint64_t hash64(base::ByteView bytes) {
  const std::size_t size = bytes.size();
  std::uint64_t hash = (size >= kStripe ? hash_stripes(bytes) : Xxh64::kPrime5) + size;
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
    hash = Xxh64::add_word(hash, base::load_le<std::uint64_t>(bytes));
  }
  if (bytes.size() >= 4) {
    hash = std::rotl(hash ^ (base::load_le<std::uint32_t>(bytes) * Xxh64::kPrime1), 23) * Xxh64::kPrime2 +
           Xxh64::kPrime3;
    bytes = bytes.subspan(4);
  }
  for (const std::uint8_t byte : bytes) hash = std::rotl(hash ^ (byte * Xxh64::kPrime5), 11) * Xxh64::kPrime1;
  return Xxh64::avalanche(hash);
}

}  // namespace holdfast::stats
