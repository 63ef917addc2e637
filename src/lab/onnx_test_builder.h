#pragma once

#include <bit>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

// Writes small ONNX models that write_onnx would not, for the tests.

namespace holdfast::lab::onnx_builder {

// Protobuf by hand: enough to write models that write_onnx would not.
inline base::Bytes field(std::uint32_t number, const base::Bytes& payload) {
  base::Bytes bytes{static_cast<std::uint8_t>(number << 3 | 2)};
  for (std::size_t size = payload.size();; size >>= 7) {
    bytes.push_back(static_cast<std::uint8_t>(size >= 0x80 ? (size & 0x7F) | 0x80 : size));
    if (size < 0x80) break;
  }
  base::append(bytes, payload);
  return bytes;
}
inline base::Bytes field(std::uint32_t number, std::string_view text) {
  return field(number, base::Bytes(text.begin(), text.end()));
}
inline base::Bytes number(std::uint32_t field, std::uint8_t value) {
  return {static_cast<std::uint8_t>(field << 3), value};
}
inline base::Bytes minus_one(std::uint32_t field) {
  base::Bytes bytes{static_cast<std::uint8_t>(field << 3)};
  bytes.resize(10, 0xFF);
  bytes.push_back(0x01);
  return bytes;
}
inline base::Bytes join(const std::vector<base::Bytes>& parts) {
  base::Bytes whole;
  for (const auto& part : parts) base::append(whole, part);
  return whole;
}
inline base::Bytes real(std::uint32_t number, float value) {
  base::Bytes bytes{static_cast<std::uint8_t>(number << 3 | 5)};
  base::append_le(bytes, std::bit_cast<std::uint32_t>(value));
  return bytes;
}

inline base::Bytes node(std::string_view operation, const std::vector<std::string>& inputs,
                        std::string_view output, const std::vector<base::Bytes>& attributes = {}) {
  std::vector<base::Bytes> parts;
  for (const auto& input : inputs) parts.push_back(field(1, input));
  parts.push_back(field(2, output));
  parts.push_back(field(4, operation));
  for (const auto& attribute : attributes) parts.push_back(field(5, attribute));
  return field(1, join(parts));
}
inline base::Bytes attribute(std::string_view name, const base::Bytes& value) {
  // AttributeProto.type by the field that holds the value: FLOAT, INT or TENSOR.
  const int type = value[0] >> 3 == 2 ? 1 : value[0] >> 3 == 3 ? 2 : 4;
  return join({field(1, name), value, {0xA0, 0x01, static_cast<std::uint8_t>(type)}});
}

inline base::Bytes tensor(std::string_view name, const std::vector<std::uint8_t>& shape,
                          const std::vector<float>& values) {
  std::vector<base::Bytes> parts;
  for (const auto size : shape) parts.push_back(number(1, size));
  base::Bytes raw;
  for (const float value : values) base::append_le(raw, std::bit_cast<std::uint32_t>(value));
  parts.insert(parts.end(), {number(2, 1), field(8, name), field(9, raw)});
  return join(parts);
}
inline base::Bytes initializer(std::string_view name, const std::vector<std::uint8_t>& shape,
                               const std::vector<float>& values) {
  return field(5, tensor(name, shape, values));
}

inline base::Bytes table(std::uint32_t number_in_graph, std::string_view name, std::uint8_t columns) {
  const base::Bytes shape = join({field(1, field(2, "n")), field(1, number(1, columns))});
  return field(number_in_graph,
               join({field(1, name), field(2, field(1, join({number(1, 1), field(2, shape)})))}));
}

// A model from "x" [n, 2] to "y".
inline base::Bytes onnx_model(const std::vector<base::Bytes>& parts, std::uint8_t opset = 13) {
  const base::Bytes graph = join({join(parts), field(2, "graph"), table(11, "x", 2), table(12, "y", 2)});
  return join({number(1, 7), field(7, graph), field(8, number(2, opset))});
}

}  // namespace holdfast::lab::onnx_builder
