#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/source.h"

// What a TensorFlow Lite model says (tensorflow/compiler/mlir/lite/schema/schema.fbs), with every reference
// between its parts and every buffer checked. No weight is read.

namespace holdfast::formats {

struct TfliteOperator {
  std::uint32_t builtin = 0;  // BuiltinOperator; 32 is a custom one
  std::string custom;         // its name
  std::uint64_t uses = 0;
};

struct TfliteModel {
  static constexpr std::uint32_t kCustom = 32;
  static constexpr std::uint64_t kMaxParts = 1UL << 22;  // tables in all
  static constexpr std::size_t kMaxNameBytes = 4096;

  std::uint32_t version = 0;
  std::string description;
  std::vector<TfliteOperator> operators;
  std::uint64_t subgraphs = 0;
  std::uint64_t tensors = 0;
  std::uint64_t buffers = 0;
};

// kDataCorrupt where an offset, a buffer or an index leads outside, kLimitExceeded over the bounds above.
base::Result<TfliteModel> read_tflite(const Source& source);

}  // namespace holdfast::formats
