#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

// For tests: small ONNX models, written by the wire format (onnx/onnx.proto).

namespace holdfast::model {

inline void put_varint(std::string& to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) to.push_back(static_cast<char>((value & 0x7F) | 0x80));
  to.push_back(static_cast<char>(value));
}

inline std::string number_field(std::uint32_t field, std::uint64_t value) {
  std::string out;
  put_varint(out, field << 3U);
  put_varint(out, value);
  return out;
}

inline std::string bytes_field(std::uint32_t field, std::string_view value) {
  std::string out;
  put_varint(out, (field << 3U) | 2U);
  put_varint(out, value.size());
  return out.append(value);
}

// TensorProto.DataType.
inline constexpr std::uint64_t kOnnxFloat = 1;
inline constexpr std::uint64_t kOnnxInt64 = 7;
inline constexpr std::uint64_t kOnnxString = 8;
inline constexpr std::uint64_t kOnnxBool = 9;
inline constexpr std::uint64_t kOnnxFloat16 = 10;

// A ValueInfoProto of a tensor of any shape.
inline std::string onnx_open_value(std::string_view name, std::uint64_t element) {
  return bytes_field(1, name) + bytes_field(2, bytes_field(1, number_field(1, element)));
}

// A ValueInfoProto of a tensor; -1 for a dimension that varies.
inline std::string onnx_value(std::string_view name, std::uint64_t element,
                              std::initializer_list<std::int64_t> shape) {
  std::string dimensions;
  for (const std::int64_t size : shape) {
    dimensions += bytes_field(
        1, size < 0 ? bytes_field(2, "batch") : number_field(1, static_cast<std::uint64_t>(size)));
  }
  const std::string tensor = number_field(1, element) + bytes_field(2, dimensions);
  return bytes_field(1, name) + bytes_field(2, bytes_field(1, tensor));
}

// A NodeProto.
inline std::string onnx_node(std::string_view op, std::initializer_list<std::string_view> inputs,
                             std::initializer_list<std::string_view> outputs, std::string_view domain = "") {
  std::string out;
  for (const auto name : inputs) out += bytes_field(1, name);
  for (const auto name : outputs) out += bytes_field(2, name);
  out += bytes_field(4, op);
  if (!domain.empty()) out += bytes_field(7, domain);
  return out;
}

// A GraphProto's parts, each a whole field: bytes_field(1, onnx_node(...)), 5 an initializer, 11 an input, 12
// an output.
inline std::string onnx_model(std::string_view graph_parts, std::string_view domain = "") {
  std::string opsets = bytes_field(8, bytes_field(1, "") + number_field(2, 13));
  if (!domain.empty()) opsets += bytes_field(8, bytes_field(1, domain) + number_field(2, 1));
  return number_field(1, 8) + opsets + bytes_field(7, bytes_field(2, "test").append(graph_parts));
}

// total[batch] = x[batch,2] . (1, 10).
inline std::string weighted_sum_model() {
  std::string weights;
  for (const float weight : {1.0F, 10.0F}) {
    weights.append(reinterpret_cast<const char*>(&weight), sizeof(weight));
  }
  const std::string initializer =
      number_field(1, 2) + number_field(2, kOnnxFloat) + bytes_field(8, "w") + bytes_field(9, weights);
  return onnx_model(bytes_field(1, onnx_node("MatMul", {"x", "w"}, {"total"})) + bytes_field(5, initializer) +
                    bytes_field(11, onnx_value("x", kOnnxFloat, {-1, 2})) +
                    bytes_field(12, onnx_value("total", kOnnxFloat, {-1})));
}

// y, of the shape that x says, is all zeros.
inline std::string zeros_model() {
  return onnx_model(bytes_field(1, onnx_node("ConstantOfShape", {"x"}, {"y"})) +
                    bytes_field(11, onnx_value("x", kOnnxInt64, {-1})) +
                    bytes_field(12, onnx_open_value("y", kOnnxFloat)));
}

// Never answers: a Loop whose condition stays true.
inline std::string endless_model() {
  const std::string body = bytes_field(1, onnx_node("Identity", {"go_in"}, {"go_out"})) +
                           bytes_field(1, onnx_node("Identity", {"v_in"}, {"v_out"})) +
                           bytes_field(2, "body") + bytes_field(11, onnx_value("i", kOnnxInt64, {})) +
                           bytes_field(11, onnx_value("go_in", kOnnxBool, {})) +
                           bytes_field(11, onnx_value("v_in", kOnnxFloat, {1})) +
                           bytes_field(12, onnx_value("go_out", kOnnxBool, {})) +
                           bytes_field(12, onnx_value("v_out", kOnnxFloat, {1}));
  const std::string attribute = bytes_field(1, "body") + bytes_field(6, body) + number_field(20, 5);
  const std::string go = number_field(2, kOnnxBool) + bytes_field(8, "go") + bytes_field(9, "\x01");
  return onnx_model(bytes_field(1, onnx_node("Loop", {"", "go", "x"}, {"y"}) + bytes_field(5, attribute)) +
                    bytes_field(5, go) + bytes_field(11, onnx_value("x", kOnnxFloat, {1})) +
                    bytes_field(12, onnx_value("y", kOnnxFloat, {1})));
}

// x[batch,2] as a list of maps from the labels 7 and 5, as sklearn's exporter gives probabilities.
inline std::string zip_map_model() {
  const std::string labels =
      bytes_field(1, "classlabels_int64s") + number_field(8, 7) + number_field(8, 5) + number_field(20, 7);
  const std::string number = bytes_field(1, number_field(1, kOnnxFloat) + bytes_field(2, ""));
  const std::string map = bytes_field(5, number_field(1, kOnnxInt64) + bytes_field(2, number));
  const std::string output = bytes_field(1, "y") + bytes_field(2, bytes_field(4, bytes_field(1, map)));
  return onnx_model(bytes_field(1, onnx_node("ZipMap", {"x"}, {"y"}, "ai.onnx.ml") + bytes_field(5, labels)) +
                        bytes_field(11, onnx_value("x", kOnnxFloat, {-1, 2})) + bytes_field(12, output),
                    "ai.onnx.ml");
}

// y = x, of any datatype.
inline std::string identity_model(std::uint64_t element, std::initializer_list<std::int64_t> shape) {
  return onnx_model(bytes_field(1, onnx_node("Identity", {"x"}, {"y"})) +
                    bytes_field(11, onnx_value("x", element, shape)) +
                    bytes_field(12, onnx_value("y", element, shape)));
}

}  // namespace holdfast::model
