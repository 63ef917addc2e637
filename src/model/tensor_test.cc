#include "model/tensor.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace holdfast::model {
namespace {

using base::ErrorCode;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::array<float, 4> kFour{1, 2, 3, 4};

Signature two_inputs() {
  return {.inputs = {{.name = "x", .datatype = Datatype::kFp32, .shape = {-1, 2}},
                     {.name = "age", .datatype = Datatype::kInt64, .shape = {-1}}},
          .outputs = {}};
}

TEST(TensorTest, EveryDatatypeHasANameThatReadsBack) {
  for (std::uint8_t number = 1; number <= 12; ++number) {
    const auto type = static_cast<Datatype>(number);
    EXPECT_EQ(parse_datatype(to_string(type)).value(), type);
  }
  EXPECT_THAT(parse_datatype("FP128").error().message, HasSubstr("there are BOOL, INT8"));
}

TEST(TensorTest, CountsElementsWithoutOverflow) {
  EXPECT_EQ(element_count({}).value(), 1U);
  EXPECT_EQ(element_count(std::array<std::int64_t, 2>{3, 4}).value(), 12U);
  EXPECT_EQ(element_count(std::array<std::int64_t, 2>{0, std::numeric_limits<std::int64_t>::max()}).value(),
            0U);
  for (const std::array<std::int64_t, 3> shape : {std::array<std::int64_t, 3>{1L << 32, 1L << 32, 1},
                                                  {1L << 31, 1, 1},
                                                  {1L << 20, 1L << 20, 1L << 24},
                                                  {std::numeric_limits<std::int64_t>::max(), 2, 1}}) {
    EXPECT_EQ(element_count(shape).error().code, ErrorCode::kLimitExceeded);
  }
  EXPECT_EQ(element_count(std::array<std::int64_t, 2>{2, -1}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(element_count(std::vector<std::int64_t>(17, 1)).error().code, ErrorCode::kLimitExceeded);
}

TEST(TensorTest, DataMustFitTheShape) {
  Tensor tensor = make_tensor<float>("x", {2, 2}, kFour);
  EXPECT_TRUE(check_tensor(tensor).has_value());
  tensor.shape = {3, 2};
  EXPECT_THAT(check_tensor(tensor).error().message,
              HasSubstr("tensor \"x\" of FP32 and shape [3,2] takes 24 bytes of data, not 16"));
  tensor = {"flag", Datatype::kBool, {2}, {1, 2}};
  EXPECT_EQ(check_tensor(tensor).error().code, ErrorCode::kInvalidArgument);
  EXPECT_FALSE(check_tensor({"", Datatype::kBool, {1}, {1}}).has_value());
}

TEST(TensorTest, TextsAreCountedAndBounded) {
  const std::array<std::string, 2> texts{"a\0b", ""};
  Tensor tensor = make_string_tensor("s", {2}, texts);
  EXPECT_THAT(strings(tensor).value(), ElementsAre(texts[0], ""));
  EXPECT_FALSE(numbers(tensor).has_value());
  tensor.data[0] = 200;  // a length beyond the data
  EXPECT_FALSE(strings(tensor).has_value());
  tensor = make_string_tensor("s", {3}, texts);
  EXPECT_FALSE(check_tensor(tensor).has_value());
}

TEST(TensorTest, NumbersOfEveryWidth) {
  EXPECT_THAT(numbers(make_tensor<float>("x", {4}, kFour)).value(), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(numbers(make_tensor<std::int8_t>("x", {1}, std::array<std::int8_t, 1>{-5})).value(),
              ElementsAre(-5));
  EXPECT_THAT(numbers(make_tensor<std::uint16_t>("x", {1}, std::array<std::uint16_t, 1>{65535})).value(),
              ElementsAre(65535));
}

TEST(TensorTest, InputsMustBeTheSignatures) {
  const Signature signature = two_inputs();
  const std::array<std::int64_t, 2> ages{30, 40};
  const Tensor x = make_tensor<float>("x", {2, 2}, kFour);
  const Tensor age = make_tensor<std::int64_t>("age", {2}, ages);
  EXPECT_TRUE(check_inputs(signature, std::vector{age, x}).has_value());

  const auto message = [&](std::vector<Tensor> inputs) {
    return check_inputs(signature, inputs).error().message;
  };
  EXPECT_THAT(message({x}), HasSubstr("input \"age\" (INT64 [-1]) is missing"));
  EXPECT_THAT(message({x, x, age}), HasSubstr("\"x\" is given twice"));
  EXPECT_THAT(message({make_tensor<float>("y", {2, 2}, kFour)}),
              HasSubstr("no input \"y\"; it takes x, age"));
  EXPECT_THAT(message({make_tensor<float>("age", {2, 2}, kFour)}),
              HasSubstr("is FP32, and the model takes INT64"));
  EXPECT_THAT(message({make_tensor<float>("x", {4}, kFour)}),
              HasSubstr("has shape [4], and the model takes [-1,2]"));
  EXPECT_FALSE(check_inputs(signature, std::vector{make_tensor<float>("x", {3, 2}, kFour), age}).has_value());
}

}  // namespace
}  // namespace holdfast::model
