#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

// What goes into a model and comes out of it. Values.

namespace holdfast::model {

// The numbers are those of the engine's wire: never change one.
enum class Datatype : std::uint8_t {
  kBool = 1,
  kInt8 = 2,
  kInt16 = 3,
  kInt32 = 4,
  kInt64 = 5,
  kUint8 = 6,
  kUint16 = 7,
  kUint32 = 8,
  kUint64 = 9,
  kFp32 = 10,
  kFp64 = 11,
  kString = 12,
};

// As the Open Inference Protocol writes it: "BOOL", "INT8", ..., "FP32", "FP64", "BYTES" for kString.
std::string_view to_string(Datatype type);
// kInvalidArgument, with those that there are.
base::Result<Datatype> parse_datatype(std::string_view text);
// Of one element; 0 for kString.
std::size_t element_bytes(Datatype type);

// Bounds on what this program looks at, in a request as in an answer.
inline constexpr std::size_t kMaxTensors = 512;
inline constexpr std::size_t kMaxRank = 16;
inline constexpr std::size_t kMaxTensorNameBytes = 1024;
inline constexpr std::uint64_t kMaxElements = 1UL << 24;       // of one tensor
inline constexpr std::uint64_t kMaxTensorBytes = 256UL << 20;  // likewise

struct Tensor {
  std::string name;
  Datatype datatype = Datatype::kFp32;
  std::vector<std::int64_t> shape;  // none negative; empty for a scalar
  // Row-major, little-endian, without gaps; a bool is one byte, 0 or 1. For kString each element is its
  // length as 32 bits and that many bytes.
  base::Bytes data;

  friend bool operator==(const Tensor&, const Tensor&) = default;
};

// The product of a shape. kInvalidArgument for a negative dimension, kLimitExceeded over kMaxRank or
// kMaxElements: it never overflows.
base::Result<std::uint64_t> element_count(std::span<const std::int64_t> shape);

// That name, shape and data are within the bounds and fit each other. kInvalidArgument or kLimitExceeded,
// naming the tensor.
base::Result<> check_tensor(const Tensor& tensor);

// The Datatype of a C++ type.
template <typename T>
constexpr Datatype datatype_of() {
  if constexpr (std::is_same_v<T, bool>) return Datatype::kBool;
  if constexpr (std::is_same_v<T, std::int8_t>) return Datatype::kInt8;
  if constexpr (std::is_same_v<T, std::int16_t>) return Datatype::kInt16;
  if constexpr (std::is_same_v<T, std::int32_t>) return Datatype::kInt32;
  if constexpr (std::is_same_v<T, std::int64_t>) return Datatype::kInt64;
  if constexpr (std::is_same_v<T, std::uint8_t>) return Datatype::kUint8;
  if constexpr (std::is_same_v<T, std::uint16_t>) return Datatype::kUint16;
  if constexpr (std::is_same_v<T, std::uint32_t>) return Datatype::kUint32;
  if constexpr (std::is_same_v<T, std::uint64_t>) return Datatype::kUint64;
  if constexpr (std::is_same_v<T, float>) return Datatype::kFp32;
  if constexpr (std::is_same_v<T, double>) return Datatype::kFp64;
}

// A tensor of these values, of any numeric type of datatype_of(); their number must fit the shape (see
// check_tensor).
template <typename T>
Tensor make_tensor(std::string name, std::vector<std::int64_t> shape, std::span<const T> values) {
  Tensor tensor{std::move(name), datatype_of<T>(), std::move(shape), base::Bytes(values.size_bytes())};
  if (!values.empty()) std::memcpy(tensor.data.data(), values.data(), values.size_bytes());
  return tensor;
}

Tensor make_string_tensor(std::string name, std::vector<std::int64_t> shape,
                          std::span<const std::string> values);

// The elements as doubles; integers beyond 2^53 are rounded. kInvalidArgument for strings and for data that
// do not fit the shape.
base::Result<std::vector<double>> numbers(const Tensor& tensor);

// The elements of a kString tensor, as views into it. kInvalidArgument for another datatype and for data that
// do not fit the shape.
base::Result<std::vector<std::string_view>> strings(const Tensor& tensor);

// What a model says of one input or output.
struct TensorSpec {
  std::string name;
  Datatype datatype = Datatype::kFp32;
  std::vector<std::int64_t> shape;  // -1 where a dimension varies
  bool open_rank = false;           // any shape at all; `shape` is then empty

  // Whether a tensor of this shape would do.
  [[nodiscard]] bool accepts(std::span<const std::int64_t> other) const;
  friend bool operator==(const TensorSpec&, const TensorSpec&) = default;
};

struct Signature {
  std::vector<TensorSpec> inputs;
  std::vector<TensorSpec> outputs;

  // Null where there is none of this name.
  [[nodiscard]] const TensorSpec* find_input(std::string_view name) const;
  [[nodiscard]] const TensorSpec* find_output(std::string_view name) const;
  friend bool operator==(const Signature&, const Signature&) = default;
};

// "[-1,4]".
std::string shape_text(std::span<const std::int64_t> shape);

// That `inputs` are the signature's, each once, in any order, with its datatype and a shape that it accepts.
// kInvalidArgument, naming the tensor, what it is, and what is wanted.
base::Result<> check_inputs(const Signature& signature, std::span<const Tensor> inputs);

}  // namespace holdfast::model
