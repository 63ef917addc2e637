#include "lab/feed_forward.h"

#include <gmock/gmock.h>

#include <bit>

#include "formats/onnx.h"
#include "lab/reference_forward.h"

namespace holdfast::lab {
namespace {

using base::Bytes;
using base::ErrorCode;
using formats::MemorySource;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pointwise;

// Protobuf by hand: enough to write models that write_onnx would not.
Bytes field(std::uint32_t number, const Bytes& payload) {
  Bytes bytes{static_cast<std::uint8_t>(number << 3 | 2)};
  for (std::size_t size = payload.size();; size >>= 7) {
    bytes.push_back(static_cast<std::uint8_t>(size >= 0x80 ? (size & 0x7F) | 0x80 : size));
    if (size < 0x80) break;
  }
  base::append(bytes, payload);
  return bytes;
}
Bytes field(std::uint32_t number, std::string_view text) {
  return field(number, Bytes(text.begin(), text.end()));
}
Bytes number(std::uint32_t field, std::uint8_t value) {
  return {static_cast<std::uint8_t>(field << 3), value};
}
Bytes minus_one(std::uint32_t field) {
  Bytes bytes{static_cast<std::uint8_t>(field << 3)};
  bytes.resize(10, 0xFF);
  bytes.push_back(0x01);
  return bytes;
}
Bytes join(const std::vector<Bytes>& parts) {
  Bytes whole;
  for (const auto& part : parts) base::append(whole, part);
  return whole;
}
Bytes real(std::uint32_t number, float value) {
  Bytes bytes{static_cast<std::uint8_t>(number << 3 | 5)};
  base::append_le(bytes, std::bit_cast<std::uint32_t>(value));
  return bytes;
}

Bytes node(std::string_view operation, const std::vector<std::string>& inputs, std::string_view output,
           const std::vector<Bytes>& attributes = {}) {
  std::vector<Bytes> parts;
  for (const auto& input : inputs) parts.push_back(field(1, input));
  parts.push_back(field(2, output));
  parts.push_back(field(4, operation));
  for (const auto& attribute : attributes) parts.push_back(field(5, attribute));
  return field(1, join(parts));
}
Bytes attribute(std::string_view name, const Bytes& value) { return join({field(1, name), value}); }

Bytes tensor(std::string_view name, const std::vector<std::uint8_t>& shape,
             const std::vector<float>& values) {
  std::vector<Bytes> parts;
  for (const auto size : shape) parts.push_back(number(1, size));
  Bytes raw;
  for (const float value : values) base::append_le(raw, std::bit_cast<std::uint32_t>(value));
  parts.insert(parts.end(), {number(2, 1), field(8, name), field(9, raw)});
  return join(parts);
}
Bytes initializer(std::string_view name, const std::vector<std::uint8_t>& shape,
                  const std::vector<float>& values) {
  return field(5, tensor(name, shape, values));
}

Bytes table(std::uint32_t number_in_graph, std::string_view name, std::uint8_t columns) {
  const Bytes shape = join({field(1, field(2, "n")), field(1, number(1, columns))});
  return field(number_in_graph,
               join({field(1, name), field(2, field(1, join({number(1, 1), field(2, shape)})))}));
}

// A model from "x" [n, 2] to "y".
Bytes model(const std::vector<Bytes>& parts, std::uint8_t opset = 13) {
  const Bytes graph = join({join(parts), table(11, "x", 2), table(12, "y", 2)});
  return join({number(1, 7), field(7, graph), field(8, number(2, opset))});
}

base::Result<FeedForward> read(const Bytes& bytes) { return read_feed_forward(MemorySource(bytes)); }

std::vector<float> answer(const Bytes& bytes, const std::vector<float>& row) {
  const auto graph = read(bytes);
  if (!graph) {
    ADD_FAILURE() << graph.error().message;
    return {};
  }
  return forward(*graph, row);
}

void expect_refused(const Bytes& bytes, ErrorCode code, const std::string& words) {
  const auto graph = read(bytes);
  ASSERT_FALSE(graph.has_value()) << words;
  EXPECT_EQ(graph.error().code, code) << graph.error().message;
  EXPECT_THAT(graph.error().message, HasSubstr(words));
}

MlpClassifier classifier() {
  return {.mean = {1, 2},
          .scale = {2, 4},
          .layers = {{.inputs = 2, .outputs = 3, .weights = {1, 2, -1, 0.5F, 0, 1}, .bias = {0, 1, -2}},
                     {.inputs = 3, .outputs = 2, .weights = {1, 0, 2, -1, 1, 0}, .bias = {0.5F, 0}}}};
}

TEST(FeedForward, WhatIsWrittenReadsBack) {
  const Bytes onnx = write_onnx(classifier());
  EXPECT_EQ(onnx, write_onnx(classifier()));
  const auto graph = read(onnx);
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(graph->columns, 2U);
  EXPECT_EQ(graph->width(), 2U);
  // (3 - 1) / 2 = 1, (6 - 2) / 4 = 1; hidden 3, 0.5, -1 -> 0; logits 3.5, -2.5.
  EXPECT_THAT(forward(*graph, {3, 6}), Pointwise(::testing::FloatNear(1e-6F), {0.997527F, 0.002473F}));
}

TEST(FeedForward, WhatIsWrittenSaysWhatItTakesAndGives) {
  const Bytes onnx = write_onnx(classifier());
  const auto said = formats::read_onnx(MemorySource(onnx));
  ASSERT_TRUE(said) << said.error().message;
  EXPECT_EQ(said->producer_name, "holdfast-lab");
  ASSERT_EQ(said->inputs.size(), 1U);
  EXPECT_EQ(said->inputs[0].name, "input");
  EXPECT_EQ(said->inputs[0].type, "tensor(float)");
  EXPECT_EQ(said->inputs[0].shape->at(1).size, 2);
  ASSERT_EQ(said->outputs.size(), 1U);
  EXPECT_EQ(said->outputs[0].name, "probabilities");
  EXPECT_EQ(said->opsets.at(0).version, 13);
  EXPECT_TRUE(said->custom_domains().empty());
  EXPECT_EQ(said->operators.at({"", "Gemm"}), 2U);
}

TEST(FeedForward, UnderstandsEachOperator) {
  const Bytes two = initializer("c", {2}, {2, 4});
  EXPECT_THAT(answer(model({two, node("Add", {"x", "c"}, "y")}), {1, 1}), ElementsAre(3, 5));
  EXPECT_THAT(answer(model({two, node("Sub", {"x", "c"}, "y")}), {1, 1}), ElementsAre(-1, -3));
  EXPECT_THAT(answer(model({two, node("Sub", {"c", "x"}, "y")}), {1, 1}), ElementsAre(1, 3));
  EXPECT_THAT(answer(model({two, node("Mul", {"x", "c"}, "y")}), {3, 1}), ElementsAre(6, 4));
  EXPECT_THAT(answer(model({two, node("Div", {"c", "x"}, "y")}), {1, 2}), ElementsAre(2, 2));
  EXPECT_THAT(answer(model({node("Mul", {"x", "x"}, "y")}), {3, -2}), ElementsAre(9, 4));
  EXPECT_THAT(answer(model({initializer("c", {}, {5}), node("Add", {"c", "x"}, "y")}), {1, 2}),
              ElementsAre(6, 7));
  EXPECT_THAT(answer(model({node("Relu", {"x"}, "y")}), {3, -2}), ElementsAre(3, 0));
  EXPECT_THAT(answer(model({node("Sigmoid", {"x"}, "y")}), {0, 0}), ElementsAre(0.5F, 0.5F));
  EXPECT_THAT(answer(model({node("Tanh", {"x"}, "y")}), {0, 0}), ElementsAre(0, 0));
  EXPECT_THAT(answer(model({node("Softmax", {"x"}, "y", {attribute("axis", minus_one(3))})}), {7, 7}),
              ElementsAre(0.5F, 0.5F));
  EXPECT_THAT(
      answer(model({node("Flatten", {"x"}, "f"), node("Dropout", {"f"}, "d"), node("Identity", {"d"}, "y")}),
             {1, 2}),
      ElementsAre(1, 2));
}

TEST(FeedForward, UnderstandsMatrices) {
  const Bytes matrix = initializer("w", {2, 2}, {1, 2, 3, 4});
  EXPECT_THAT(answer(model({matrix, node("MatMul", {"x", "w"}, "y")}), {1, 1}), ElementsAre(4, 6));
  EXPECT_THAT(
      answer(model({matrix, node("Gemm", {"x", "w"}, "y", {attribute("transB", number(3, 1))})}), {1, 1}),
      ElementsAre(3, 7));
  EXPECT_THAT(answer(model({matrix, initializer("b", {1, 2}, {10, 20}),
                            node("Gemm", {"x", "w", "b"}, "y",
                                 {attribute("alpha", real(2, 2)), attribute("beta", real(2, 0.5F))})}),
                     {1, 1}),
              ElementsAre(13, 22));
  const Bytes constant =
      node("Constant", {}, "k", {attribute("value", field(5, tensor("", {2, 2}, {1, 0, 0, 1})))});
  EXPECT_THAT(
      answer(model({constant, node("Identity", {"k"}, "w"), node("MatMul", {"x", "w"}, "y")}), {8, 9}),
      ElementsAre(8, 9));
}

TEST(FeedForward, OverlooksWhatTheOutputDoesNotNeed) {
  EXPECT_THAT(answer(model({node("ArgMax", {"x"}, "label"), node("Relu", {"x"}, "y")}), {1, 2}),
              ElementsAre(1, 2));
}

TEST(FeedForward, NamesTheOperatorThatItDoesNotKnow) {
  expect_refused(model({node("Conv", {"x", "x"}, "y")}), ErrorCode::kUnsupported,
                 "the operator Conv: it has no gradient here");
  Bytes foreign = join({field(1, "x"), field(2, "y"), field(4, "Relu"), field(7, "com.evil")});
  expect_refused(model({field(1, foreign)}), ErrorCode::kUnsupported, "com.evil.Relu");
}

TEST(FeedForward, RefusesWhatItWouldComputeWrongly) {
  const Bytes matrix = initializer("w", {2, 2}, {1, 2, 3, 4});
  expect_refused(model({matrix, node("Gemm", {"x", "w"}, "y", {attribute("transA", number(3, 1))})}),
                 ErrorCode::kUnsupported, "transposes its input");
  expect_refused(model({node("Softmax", {"x"}, "y", {attribute("axis", number(3, 0))})}),
                 ErrorCode::kUnsupported, "axis is 0");
  expect_refused(model({initializer("c", {2, 1}, {1, 2}), node("Add", {"x", "c"}, "y")}),
                 ErrorCode::kUnsupported, "does not fit 2 columns");
  expect_refused(model({initializer("w", {3, 1}, {1, 2, 3}), node("MatMul", {"x", "w"}, "y")}),
                 ErrorCode::kDataCorrupt, "take 3 columns, and its input has 2");
  expect_refused(model({node("MatMul", {"x", "x"}, "y")}), ErrorCode::kUnsupported, "no constant");
  expect_refused(
      model({initializer("c", {1}, {std::bit_cast<float>(0x7F800000U)}), node("Add", {"x", "c"}, "y")}),
      ErrorCode::kUnsupported, "not finite");
  expect_refused(model({node("Relu", {"x"}, "y")}, 6), ErrorCode::kUnsupported, "opset 6");
  expect_refused(model({node("Relu", {"x"}, "y")}, 99), ErrorCode::kUnsupported, "opset 99");
}

TEST(FeedForward, RefusesGraphsThatAreNone) {
  expect_refused(model({}), ErrorCode::kUnsupported, "does not follow");
  expect_refused(model({node("Relu", {"nowhere"}, "y")}), ErrorCode::kUnsupported, "does not follow");
  expect_refused(model({node("Relu", {"z"}, "y"), node("Relu", {"x"}, "z")}), ErrorCode::kUnsupported,
                 "does not follow");
  expect_refused(model({node("Relu", {"x"}, "x"), node("Relu", {"x"}, "y")}), ErrorCode::kDataCorrupt,
                 "exists before it");
  expect_refused(model({node("Add", {"x"}, "y")}), ErrorCode::kDataCorrupt, "two operands");
  expect_refused(model({node("Relu", {}, "y")}), ErrorCode::kDataCorrupt, "missing");
  const Bytes twice = initializer("c", {2}, {1, 2});
  expect_refused(model({twice, twice, node("Add", {"x", "c"}, "y")}), ErrorCode::kDataCorrupt,
                 "two initializers");
  expect_refused(model({initializer("c", {2}, {1}), node("Add", {"x", "c"}, "y")}), ErrorCode::kDataCorrupt,
                 "4 bytes for 2 values");
  const Bytes whole = model({node("Relu", {"x"}, "y")});
  expect_refused(join({whole, whole}), ErrorCode::kUnsupported, "more than one");
  EXPECT_FALSE(read({}));
}

TEST(FeedForward, RefusesDataOutsideOfTheModel) {
  const Bytes outside = join({number(1, 2), number(2, 1), field(8, "c"), number(14, 1),
                              field(13, join({field(1, "location"), field(2, "../../etc/shadow")}))});
  expect_refused(model({field(5, outside), node("Add", {"x", "c"}, "y")}), ErrorCode::kUnsupported,
                 "lies outside");
}

TEST(FeedForward, BoundsWhatItAllocates) {
  Bytes huge = {0x08};  // dims: 2^40
  base::append(huge, Bytes{0x80, 0x80, 0x80, 0x80, 0x80, 0x20});
  base::append(huge, join({number(2, 1), field(8, "c")}));
  expect_refused(model({field(5, huge), node("Add", {"x", "c"}, "y")}), ErrorCode::kLimitExceeded,
                 "too many values");
  std::vector<Bytes> nodes(9000, node("Relu", {"x"}, "z"));
  expect_refused(model(nodes), ErrorCode::kLimitExceeded, "more than 8192 nodes");
}

TEST(FeedForward, EveryTruncationIsRefusedOrNoModel) {
  const Bytes onnx = write_onnx(classifier());
  for (std::size_t size = 0; size < onnx.size(); ++size) {
    EXPECT_FALSE(read(Bytes(onnx.begin(), onnx.begin() + static_cast<std::ptrdiff_t>(size)))) << size;
  }
}

}  // namespace
}  // namespace holdfast::lab
