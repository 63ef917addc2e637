#pragma once

#include <cstdint>

#include "base/digest.h"
#include "base/result.h"

namespace holdfast::data {

enum class Part { kTrain, kValidation, kTest };

std::string_view to_string(Part part);  // "train", "validation", "test"

// Which part of a dataset a row belongs to, fixed by the dataset's digest and the row's index alone: the same
// for everyone and for ever, so that nobody draws again until the test set suits. Thread-safe.
//
// The first eight bytes of HMAC-SHA-256 (key: the digest's 32 bytes; message: "holdfast split v1" and the
// index as eight bytes, little-endian), taken as a little-endian integer h, choose floor(h * 10000 / 2^64):
// below train_of_10000 train, below that and validation_of_10000 validation, else test.
class Split {
 public:
  struct Fractions {
    std::uint32_t train_of_10000 = 7000;
    std::uint32_t validation_of_10000 = 1500;
  };

  // kInvalidArgument where the two are over 10000 together.
  static base::Result<Split> create(const base::Digest& dataset, const Fractions& fractions);

  [[nodiscard]] Part part_of(std::uint64_t row) const;

 private:
  Split(const base::Digest& dataset, const Fractions& fractions) : dataset_(dataset), fractions_(fractions) {}
  base::Digest dataset_;
  Fractions fractions_;
};

}  // namespace holdfast::data
