#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/source.h"

// What an ONNX model says of itself (onnx/onnx.proto, IR version 13 and before): by the wire format, without
// loading its weights or looking at any other file. Subgraphs, functions and training graphs are counted in.

namespace holdfast::formats {

// TensorProto.DataType by its numbers; a number that is not among these is kept.
enum class OnnxElement : std::int32_t {
  kUndefined = 0,
  kFloat = 1,
  kUint8 = 2,
  kInt8 = 3,
  kUint16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kFloat16 = 10,
  kDouble = 11,
  kUint32 = 12,
  kUint64 = 13,
  kComplex64 = 14,
  kComplex128 = 15,
  kBfloat16 = 16,
};

std::string to_string(
    OnnxElement element);  // "float", as ONNX writes it; "type 99" for a number without a name

struct OnnxOpset {
  std::string domain;  // "" is ONNX's own
  std::int64_t version = 0;
};

struct OnnxDimension {
  std::optional<std::int64_t> size;
  std::string symbol;  // e.g. "batch"; empty where the dimension has a size or nothing is said
};

struct OnnxValue {
  std::string name;
  std::string type;  // "tensor(float)", "seq(map(int64, tensor(float)))", "" where nothing is said
  OnnxElement element = OnnxElement::kUndefined;    // of a tensor
  std::optional<std::vector<OnnxDimension>> shape;  // of a tensor, absent where its rank is open
};

// Where a tensor's data lies outside the model, as the model says: not checked.
struct OnnxExternalData {
  std::string location;  // a path, relative to the model's folder if it is honest
  std::optional<std::uint64_t> offset;
  std::optional<std::uint64_t> length;
  bool in_use = false;  // data_location says EXTERNAL; otherwise loaders overlook the rest
};

struct OnnxTensor {
  std::string name;
  OnnxElement element = OnnxElement::kUndefined;
  std::vector<std::int64_t> shape;
  std::uint64_t stored_bytes = 0;  // of data within the model, as encoded
  // Where the raw data lies in the file; of no bytes where there is none.
  std::uint64_t raw_offset = 0;
  std::uint64_t raw_bytes = 0;
  std::optional<OnnxExternalData> external;
};

struct OnnxOperator {
  std::string domain;
  std::string type;
  friend auto operator<=>(const OnnxOperator&, const OnnxOperator&) = default;
};

struct OnnxModel {
  static constexpr std::size_t kMaxKeptBytes = 32UL << 20;  // of all below
  static constexpr std::size_t kMaxNameBytes = 64UL << 10;
  static constexpr std::size_t kMaxValueBytes = 1UL << 20;  // of a metadata value

  std::int64_t ir_version = 0;
  std::string producer_name;
  std::string producer_version;
  std::string domain;
  std::int64_t model_version = 0;
  std::vector<OnnxOpset> opsets;
  std::vector<std::pair<std::string, std::string>> metadata;  // keys may repeat

  std::string graph_name;
  std::vector<OnnxValue> inputs;  // of the main graph
  std::vector<OnnxValue> outputs;
  std::vector<OnnxTensor> initializers;  // of all graphs; of a sparse one its values and indices
  std::vector<OnnxTensor>
      constants;  // tensors in nodes' attributes, which only count where they are external
  std::map<OnnxOperator, std::uint64_t> operators;  // nodes of each kind, in all graphs and functions
  std::vector<OnnxOperator> functions;              // that the model defines, by domain and name
  std::uint64_t subgraphs = 0;
  std::uint64_t training_graphs = 0;

  // The domains of operators that are neither ONNX's own nor defined by a function of the model: a runtime
  // needs a library for them.
  [[nodiscard]] std::vector<std::string> custom_domains() const;
};

// kDataCorrupt where it is no ONNX model, kLimitExceeded over the bounds above or beyond
// WireReader::kMaxDepth.
base::Result<OnnxModel> read_onnx(const Source& source);

}  // namespace holdfast::formats
