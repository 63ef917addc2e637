#include "data/split.h"

#include <fmt/format.h>

#include "crypto/hmac.h"

namespace holdfast::data {
namespace {

constexpr std::uint64_t kWhole = 10'000;

// floor(hash * kWhole / 2^64), in halves of 32 bits: both products fit.
std::uint64_t scaled(std::uint64_t hash) {
  const std::uint64_t low = (hash & 0xFFFFFFFF) * kWhole;
  return ((hash >> 32) * kWhole + (low >> 32)) >> 32;
}

}  // namespace

std::string_view to_string(Part part) {
  switch (part) {
    case Part::kTrain:
      return "train";
    case Part::kValidation:
      return "validation";
    case Part::kTest:
      return "test";
  }
  return "test";
}

base::Result<Split> Split::create(const base::Digest& dataset, const Fractions& fractions) {
  if (std::uint64_t{fractions.train_of_10000} + fractions.validation_of_10000 > kWhole) {
    return base::fail(base::ErrorCode::kInvalidArgument,
                      fmt::format("{} and {} of 10000 rows for training and validation are more than all",
                                  fractions.train_of_10000, fractions.validation_of_10000));
  }
  return Split(dataset, fractions);
}

Part Split::part_of(std::uint64_t row) const {
  base::Bytes message;
  base::append(message, "holdfast split v1");
  base::append_le(message, row);
  const base::Digest code = crypto::hmac_sha256(dataset_.bytes(), message);
  const std::uint64_t place = scaled(base::load_le<std::uint64_t>(code.bytes()));
  if (place < fractions_.train_of_10000) return Part::kTrain;
  return place < std::uint64_t{fractions_.train_of_10000} + fractions_.validation_of_10000 ? Part::kValidation
                                                                                           : Part::kTest;
}

}  // namespace holdfast::data
