#include <fmt/format.h>

#include <bit>

#include "base/assert.h"
#include "lab/feed_forward.h"

// The wire format of onnx/onnx.proto: what write_onnx needs of it.

namespace holdfast::lab {

using base::Bytes;

namespace {

constexpr std::uint64_t kIrVersion = 7;
constexpr std::uint64_t kOpset = 13;
constexpr std::uint64_t kFloat = 1;      // TensorProto.DataType
constexpr std::uint64_t kInteger = 2;    // AttributeProto.AttributeType
constexpr std::uint32_t kBytesType = 2;  // of the wire format

class Message {
 public:
  Message& integer(std::uint32_t number, std::uint64_t value) {
    varint(std::uint64_t{number} << 3);
    varint(value);
    return *this;
  }
  Message& text(std::uint32_t number, std::string_view value) {
    return payload(number, base::as_bytes(value));
  }
  Message& message(std::uint32_t number, const Message& value) { return payload(number, value.bytes_); }
  Message& payload(std::uint32_t number, base::ByteView value) {
    varint(std::uint64_t{number} << 3 | kBytesType);
    varint(value.size());
    base::append(bytes_, value);
    return *this;
  }
  [[nodiscard]] Bytes take() { return std::move(bytes_); }

 private:
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<std::uint8_t>(value | 0x80));
    bytes_.push_back(static_cast<std::uint8_t>(value));
  }

  Bytes bytes_;
};

Message tensor(std::string_view name, std::initializer_list<std::size_t> shape,
               const std::vector<float>& values) {
  Bytes raw;
  raw.reserve(values.size() * sizeof(float));
  for (const float value : values) base::append_le(raw, std::bit_cast<std::uint32_t>(value));
  Message message;
  for (const std::size_t size : shape) message.integer(1, size);
  return message.integer(2, kFloat).text(8, name).payload(9, raw);
}

Message node(std::string_view operation, std::initializer_list<std::string_view> inputs,
             std::string_view output) {
  Message message;
  for (const auto input : inputs) message.text(1, input);
  return message.text(2, output).text(3, output).text(4, operation);
}

Message integer_attribute(std::string_view name, std::uint64_t value) {
  return Message().text(1, name).integer(3, value).integer(20, kInteger);
}

// ValueInfoProto of a table of float with any number of rows.
Message table(std::string_view name, std::size_t columns) {
  const Message shape =
      Message().message(1, Message().text(2, "batch")).message(1, Message().integer(1, columns));
  const Message type = Message().message(1, Message().integer(1, kFloat).message(2, shape));
  return Message().text(1, name).message(2, type);
}

void append_layer(Message& graph, const DenseLayer& layer, std::size_t index, bool last) {
  HF_ASSERT(layer.weights.size() == layer.inputs * layer.outputs && layer.bias.size() == layer.outputs);
  const std::string input = index == 0 ? "standardised" : fmt::format("hidden_{}", index);
  const std::string output = last ? "logits" : fmt::format("dense_{}", index + 1);
  const std::string weights = fmt::format("weights_{}", index + 1);
  const std::string bias = fmt::format("bias_{}", index + 1);
  graph.message(1, node("Gemm", {input, weights, bias}, output).message(5, integer_attribute("transB", 1)));
  if (!last) graph.message(1, node("Relu", {output}, fmt::format("hidden_{}", index + 1)));
}

}  // namespace

Bytes write_onnx(const MlpClassifier& classifier) {
  const auto& layers = classifier.layers;
  HF_ASSERT(!layers.empty() && classifier.mean.size() == layers.front().inputs &&
            classifier.scale.size() == layers.front().inputs);
  const std::size_t columns = layers.front().inputs;
  Message graph;
  graph.message(1, node("Sub", {"input", "mean"}, "centred"));
  graph.message(1, node("Div", {"centred", "scale"}, "standardised"));
  for (std::size_t i = 0; i < layers.size(); ++i) append_layer(graph, layers[i], i, i + 1 == layers.size());
  graph.message(1, node("Softmax", {"logits"}, "probabilities").message(5, integer_attribute("axis", 1)));
  graph.text(2, "classifier");
  graph.message(5, tensor("mean", {columns}, classifier.mean));
  graph.message(5, tensor("scale", {columns}, classifier.scale));
  for (std::size_t i = 0; i < layers.size(); ++i) {
    HF_ASSERT(i == 0 || layers[i].inputs == layers[i - 1].outputs);
    graph.message(5, tensor(fmt::format("weights_{}", i + 1), {layers[i].outputs, layers[i].inputs},
                            layers[i].weights));
    graph.message(5, tensor(fmt::format("bias_{}", i + 1), {layers[i].outputs}, layers[i].bias));
  }
  graph.message(11, table("input", columns));
  graph.message(12, table("probabilities", layers.back().outputs));
  return Message()
      .integer(1, kIrVersion)
      .text(2, "holdfast-lab")
      .message(7, graph)
      .message(8, Message().integer(2, kOpset))
      .take();
}

}  // namespace holdfast::lab
