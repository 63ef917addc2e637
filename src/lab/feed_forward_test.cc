#include "lab/feed_forward.h"

#include <gmock/gmock-matchers.h>

#include <bit>

#include "formats/onnx.h"
#include "lab/onnx_test_builder.h"
#include "lab/reference_forward.h"

namespace holdfast::lab {
namespace {

using base::Bytes;
using base::ErrorCode;
using formats::MemorySource;
using onnx_builder::attribute;
using onnx_builder::field;
using onnx_builder::initializer;
using onnx_builder::join;
using onnx_builder::minus_one;
using onnx_builder::node;
using onnx_builder::number;
using onnx_builder::onnx_model;
using onnx_builder::real;
using onnx_builder::tensor;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pointwise;

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
  EXPECT_THAT(answer(onnx_model({two, node("Add", {"x", "c"}, "y")}), {1, 1}), ElementsAre(3, 5));
  EXPECT_THAT(answer(onnx_model({two, node("Sub", {"x", "c"}, "y")}), {1, 1}), ElementsAre(-1, -3));
  EXPECT_THAT(answer(onnx_model({two, node("Sub", {"c", "x"}, "y")}), {1, 1}), ElementsAre(1, 3));
  EXPECT_THAT(answer(onnx_model({two, node("Mul", {"x", "c"}, "y")}), {3, 1}), ElementsAre(6, 4));
  EXPECT_THAT(answer(onnx_model({two, node("Div", {"c", "x"}, "y")}), {1, 2}), ElementsAre(2, 2));
  EXPECT_THAT(answer(onnx_model({node("Mul", {"x", "x"}, "y")}), {3, -2}), ElementsAre(9, 4));
  EXPECT_THAT(answer(onnx_model({initializer("c", {}, {5}), node("Add", {"c", "x"}, "y")}), {1, 2}),
              ElementsAre(6, 7));
  EXPECT_THAT(answer(onnx_model({node("Relu", {"x"}, "y")}), {3, -2}), ElementsAre(3, 0));
  EXPECT_THAT(answer(onnx_model({node("Sigmoid", {"x"}, "y")}), {0, 0}), ElementsAre(0.5F, 0.5F));
  EXPECT_THAT(answer(onnx_model({node("Tanh", {"x"}, "y")}), {0, 0}), ElementsAre(0, 0));
  EXPECT_THAT(answer(onnx_model({node("Softmax", {"x"}, "y", {attribute("axis", minus_one(3))})}), {7, 7}),
              ElementsAre(0.5F, 0.5F));
  EXPECT_THAT(answer(onnx_model({node("Flatten", {"x"}, "f"), node("Dropout", {"f"}, "d"),
                                 node("Identity", {"d"}, "y")}),
                     {1, 2}),
              ElementsAre(1, 2));
}

TEST(FeedForward, UnderstandsMatrices) {
  const Bytes matrix = initializer("w", {2, 2}, {1, 2, 3, 4});
  EXPECT_THAT(answer(onnx_model({matrix, node("MatMul", {"x", "w"}, "y")}), {1, 1}), ElementsAre(4, 6));
  EXPECT_THAT(answer(onnx_model({matrix, node("Gemm", {"x", "w"}, "y", {attribute("transB", number(3, 1))})}),
                     {1, 1}),
              ElementsAre(3, 7));
  EXPECT_THAT(answer(onnx_model({matrix, initializer("b", {1, 2}, {10, 20}),
                                 node("Gemm", {"x", "w", "b"}, "y",
                                      {attribute("alpha", real(2, 2)), attribute("beta", real(2, 0.5F))})}),
                     {1, 1}),
              ElementsAre(13, 22));
  const Bytes constant =
      node("Constant", {}, "k", {attribute("value", field(5, tensor("", {2, 2}, {1, 0, 0, 1})))});
  EXPECT_THAT(
      answer(onnx_model({constant, node("Identity", {"k"}, "w"), node("MatMul", {"x", "w"}, "y")}), {8, 9}),
      ElementsAre(8, 9));
}

// As skl2onnx writes a network for two classes.
TEST(FeedForward, UnderstandsTwoClassesFromOneSigmoid) {
  const Bytes onnx =
      onnx_model({initializer("w", {2, 1}, {1, -1}), initializer("one", {1}, {1}),
                  node("Cast", {"x"}, "f", {attribute("to", number(3, 1))}), node("MatMul", {"f", "w"}, "z"),
                  node("Sigmoid", {"z"}, "p"), node("Sub", {"one", "p"}, "q"),
                  node("Concat", {"q", "p"}, "y", {attribute("axis", number(3, 1))})});
  EXPECT_THAT(answer(onnx, {3, 3}), ElementsAre(0.5F, 0.5F));
  EXPECT_THAT(answer(onnx, {3, 1}), Pointwise(::testing::FloatNear(1e-6F), {0.119203F, 0.880797F}));
  expect_refused(onnx_model({node("Cast", {"x"}, "y", {attribute("to", number(3, 7))})}),
                 ErrorCode::kUnsupported, "casts to int64");
  expect_refused(onnx_model({node("Concat", {"x", "x"}, "y", {attribute("axis", number(3, 0))})}),
                 ErrorCode::kUnsupported, "axis is 0");
  expect_refused(onnx_model({node("Concat", {}, "y", {attribute("axis", number(3, 1))})}),
                 ErrorCode::kDataCorrupt, "missing");
}

TEST(FeedForward, OverlooksWhatTheOutputDoesNotNeed) {
  EXPECT_THAT(answer(onnx_model({node("ArgMax", {"x"}, "label"), node("Relu", {"x"}, "y")}), {1, 2}),
              ElementsAre(1, 2));
}

TEST(FeedForward, NamesTheOperatorThatItDoesNotKnow) {
  expect_refused(onnx_model({node("Conv", {"x", "x"}, "y")}), ErrorCode::kUnsupported,
                 "the operator Conv: it has no gradient here");
  Bytes foreign = join({field(1, "x"), field(2, "y"), field(4, "Relu"), field(7, "com.evil")});
  expect_refused(onnx_model({field(1, foreign)}), ErrorCode::kUnsupported, "com.evil.Relu");
}

TEST(FeedForward, RefusesWhatItWouldComputeWrongly) {
  const Bytes matrix = initializer("w", {2, 2}, {1, 2, 3, 4});
  expect_refused(onnx_model({matrix, node("Gemm", {"x", "w"}, "y", {attribute("transA", number(3, 1))})}),
                 ErrorCode::kUnsupported, "transposes its input");
  expect_refused(onnx_model({node("Softmax", {"x"}, "y", {attribute("axis", number(3, 0))})}),
                 ErrorCode::kUnsupported, "axis is 0");
  expect_refused(onnx_model({initializer("c", {2, 1}, {1, 2}), node("Add", {"x", "c"}, "y")}),
                 ErrorCode::kUnsupported, "does not fit 2 columns");
  expect_refused(onnx_model({initializer("w", {3, 1}, {1, 2, 3}), node("MatMul", {"x", "w"}, "y")}),
                 ErrorCode::kDataCorrupt, "take 3 columns, and its input has 2");
  expect_refused(onnx_model({node("MatMul", {"x", "x"}, "y")}), ErrorCode::kUnsupported, "no constant");
  expect_refused(
      onnx_model({initializer("c", {1}, {std::bit_cast<float>(0x7F800000U)}), node("Add", {"x", "c"}, "y")}),
      ErrorCode::kUnsupported, "not finite");
  expect_refused(onnx_model({node("Relu", {"x"}, "y")}, 6), ErrorCode::kUnsupported, "opset 6");
  expect_refused(onnx_model({node("Relu", {"x"}, "y")}, 99), ErrorCode::kUnsupported, "opset 99");
}

TEST(FeedForward, RefusesGraphsThatAreNone) {
  expect_refused(onnx_model({}), ErrorCode::kUnsupported, "does not follow");
  expect_refused(onnx_model({node("Relu", {"nowhere"}, "y")}), ErrorCode::kUnsupported, "does not follow");
  expect_refused(onnx_model({node("Relu", {"z"}, "y"), node("Relu", {"x"}, "z")}), ErrorCode::kUnsupported,
                 "does not follow");
  expect_refused(onnx_model({node("Relu", {"x"}, "x"), node("Relu", {"x"}, "y")}), ErrorCode::kDataCorrupt,
                 "exists before it");
  expect_refused(onnx_model({node("Add", {"x"}, "y")}), ErrorCode::kDataCorrupt, "two operands");
  expect_refused(onnx_model({node("Relu", {}, "y")}), ErrorCode::kDataCorrupt, "missing");
  const Bytes twice = initializer("c", {2}, {1, 2});
  expect_refused(onnx_model({twice, twice, node("Add", {"x", "c"}, "y")}), ErrorCode::kDataCorrupt,
                 "two initializers");
  expect_refused(onnx_model({initializer("c", {2}, {1}), node("Add", {"x", "c"}, "y")}),
                 ErrorCode::kDataCorrupt, "4 bytes for 2 values");
  const Bytes whole = onnx_model({node("Relu", {"x"}, "y")});
  expect_refused(join({whole, whole}), ErrorCode::kUnsupported, "more than one");
  EXPECT_FALSE(read({}));
}

TEST(FeedForward, RefusesDataOutsideOfTheModel) {
  const Bytes outside = join({number(1, 2), number(2, 1), field(8, "c"), number(14, 1),
                              field(13, join({field(1, "location"), field(2, "../../etc/shadow")}))});
  expect_refused(onnx_model({field(5, outside), node("Add", {"x", "c"}, "y")}), ErrorCode::kUnsupported,
                 "lies outside");
}

TEST(FeedForward, BoundsWhatItAllocates) {
  Bytes huge = {0x08};  // dims: 2^40
  base::append(huge, Bytes{0x80, 0x80, 0x80, 0x80, 0x80, 0x20});
  base::append(huge, join({number(2, 1), field(8, "c")}));
  expect_refused(onnx_model({field(5, huge), node("Add", {"x", "c"}, "y")}), ErrorCode::kLimitExceeded,
                 "too many values");
  std::vector<Bytes> nodes(9000, node("Relu", {"x"}, "z"));
  expect_refused(onnx_model(nodes), ErrorCode::kLimitExceeded, "more than 8192 nodes");
}

TEST(FeedForward, EveryTruncationIsRefusedOrNoModel) {
  const Bytes onnx = write_onnx(classifier());
  for (std::size_t size = 0; size < onnx.size(); ++size) {
    EXPECT_FALSE(read(Bytes(onnx.begin(), onnx.begin() + static_cast<std::ptrdiff_t>(size)))) << size;
  }
}

}  // namespace
}  // namespace holdfast::lab
