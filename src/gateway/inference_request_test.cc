#include "gateway/inference_request.h"

#include <fmt/format.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <cmath>

namespace holdfast::gateway {
namespace {

using base::ErrorCode;
using base::Result;
using model::Datatype;
using testing::ElementsAre;
using testing::HasSubstr;

Result<InferenceRequest> parse(std::string_view json, const RequestLimits& limits = {}) {
  return parse_inference_request(base::as_bytes(json), std::nullopt, limits);
}

std::string message_of(std::string_view json) {
  const auto parsed = parse(json);
  return parsed ? "it was taken" : parsed.error().message;
}

std::string input(std::string_view shape, std::string_view datatype, std::string_view data) {
  return fmt::format(R"({{"inputs":[{{"name":"x","shape":{},"datatype":"{}","data":{}}}]}})", shape, datatype,
                     data);
}

std::vector<double> numbers_of(std::string_view json) {
  const auto parsed = parse(json);
  if (!parsed) return {};
  return model::numbers(parsed->inputs[0]).value();
}

TEST(InferenceRequestTest, DataComeFlatOrNested) {
  EXPECT_THAT(numbers_of(input("[2,2]", "FP32", "[1,2.5,-3,4e2]")), ElementsAre(1, 2.5, -3, 400));
  EXPECT_THAT(numbers_of(input("[2,2]", "FP32", "[[1,2.5],[-3,4e2]]")), ElementsAre(1, 2.5, -3, 400));
  EXPECT_THAT(numbers_of(input("[1,2,1]", "INT8", "[[[-128],[127]]]")), ElementsAre(-128, 127));
  EXPECT_THAT(numbers_of(input("[2]", "UINT64", "[0,18446744073709551615]")),
              ElementsAre(0, 18446744073709551615.0));
  EXPECT_THAT(numbers_of(input("[2]", "BOOL", "[true,false]")), ElementsAre(1, 0));
  EXPECT_TRUE(parse(input("[0,3]", "FP64", "[]")).has_value());
  EXPECT_THAT(numbers_of(input("[]", "FP64", "[7]")), ElementsAre(7));
  const auto texts = parse(input("[2]", "BYTES", R"(["a\u0000b","é"])")).value();
  EXPECT_THAT(model::strings(texts.inputs[0]).value(), ElementsAre(std::string("a\0b", 3), "é"));
}

TEST(InferenceRequestTest, ANullIsAMissingRealNumberAndNothingElse) {
  EXPECT_TRUE(std::isnan(numbers_of(input("[1]", "FP32", "[null]")).at(0)));
  EXPECT_THAT(message_of(input("[1]", "INT64", "[null]")), HasSubstr("element 0 is not an integer"));
  EXPECT_THAT(message_of(input("[1]", "BYTES", "[null]")), HasSubstr("is not a text"));
}

TEST(InferenceRequestTest, IdParametersAndOutputsAreRead) {
  const auto request = parse(R"({"id":"a1","parameters":{"binary_data_output":true,"other":3},
      "inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}],
      "outputs":[{"name":"p"},{"name":"q","parameters":{"binary_data":false}}],"unknown":{}})")
                           .value();
  EXPECT_EQ(request.id, "a1");
  EXPECT_TRUE(request.binary_outputs);
  ASSERT_EQ(request.outputs.size(), 2U);
  EXPECT_TRUE(request.outputs[0].binary);
  EXPECT_FALSE(request.outputs[1].binary);
}

TEST(InferenceRequestTest, BinaryDataFollowTheJson) {
  const std::string json =
      R"({"inputs":[{"name":"x","shape":[2],"datatype":"INT16","parameters":{"binary_data_size":4}}]})";
  const std::string body = json + std::string("\x01\x00\xff\xff", 4);
  const auto read = [](std::string_view text, std::size_t json_bytes) {
    return parse_inference_request(base::as_bytes(text), json_bytes, {});
  };
  EXPECT_THAT(model::numbers(read(body, json.size())->inputs[0]).value(), ElementsAre(1, -1));
  EXPECT_THAT(read(body + "x", json.size()).error().message, HasSubstr("more binary data"));
  EXPECT_THAT(read(std::string_view(body).substr(0, body.size() - 1), json.size()).error().message,
              HasSubstr("not all there"));
  EXPECT_THAT(read(body, body.size() + 1).error().message, HasSubstr("larger than the request"));
  EXPECT_FALSE(read(body, 0).has_value());
  EXPECT_THAT(message_of(json), HasSubstr("not all there"));
  const std::string vast =
      R"({"inputs":[{"name":"x","shape":[2],"datatype":"INT16","parameters":{"binary_data_size":18446744073709551615}}]})";
  EXPECT_THAT(message_of(vast), HasSubstr("not all there"));
  // The length within a text reaches beyond the data.
  const std::string text =
      R"({"inputs":[{"name":"x","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":5}}]})";
  EXPECT_FALSE(read(text + std::string("\xff\xff\xff\xff"
                                       "a",
                                       5),
                    text.size())
                   .has_value());
  EXPECT_TRUE(read(text + std::string("\x01\x00\x00\x00"
                                      "a",
                                      5),
                   text.size())
                  .has_value());
}

TEST(InferenceRequestTest, ShapesThatOverflowAreRefused) {
  for (const auto* shape : {"[2147483648,1]", "[4294967296,4294967296]", "[9223372036854775807,2]",
                            "[1048577]", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]"}) {
    const auto parsed = parse(input(shape, "FP32", "[]"));
    ASSERT_FALSE(parsed.has_value()) << shape;
    EXPECT_EQ(parsed.error().code, ErrorCode::kLimitExceeded) << shape;
  }
  for (const auto* shape : {"[-1]", "[1.5]", "[\"1\"]", "[18446744073709551615]", "3", "null", "[[1]]"}) {
    EXPECT_EQ(parse(input(shape, "FP32", "[1]")).error().code, ErrorCode::kInvalidArgument) << shape;
  }
}

TEST(InferenceRequestTest, ElementsAreCountedOverAllInputs) {
  const std::string json = R"({"inputs":[{"name":"x","shape":[3],"datatype":"FP32","data":[1,2,3]},
                                         {"name":"y","shape":[2],"datatype":"FP32","data":[1,2]}]})";
  EXPECT_TRUE(parse(json, {.max_elements = 5}).has_value());
  EXPECT_EQ(parse(json, {.max_elements = 4}).error().code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(parse(json, {.max_tensors = 1}).error().code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(parse(json, {.max_bytes = 100}).error().code, ErrorCode::kLimitExceeded);
}

TEST(InferenceRequestTest, WrongCountsAndWrongNestingAreRefused) {
  for (const auto* data :
       {"[1,2,3]", "[1,2,3,4,5]", "[[1,2],[3]]", "[[1,2,3],[4]]", "[[1,2],[3,4],[5,6]]", "[[1,2],3,4]",
        "[1,[2],3,4]", "[[[1,2],[3,4]]]", "[]", "[[],[]]", "4", "null", "{}"}) {
    EXPECT_FALSE(parse(input("[2,2]", "FP32", data)).has_value()) << data;
  }
}

TEST(InferenceRequestTest, NumbersMustFitTheirDatatype) {
  const auto wrong = [](std::string_view type, std::string_view data) {
    return message_of(input("[1]", type, data));
  };
  EXPECT_THAT(wrong("INT8", "[128]"), HasSubstr("element 0 does not fit its datatype"));
  EXPECT_THAT(wrong("UINT8", "[-1]"), HasSubstr("element 0"));
  EXPECT_THAT(wrong("INT64", "[1.0]"), HasSubstr("is not an integer"));
  EXPECT_THAT(wrong("INT64", "[99999999999999999999]"), HasSubstr("not"));
  EXPECT_THAT(wrong("FP32", "[1e39]"), HasSubstr("too large"));
  EXPECT_THAT(wrong("FP64", "[1e999]"), HasSubstr("not JSON"));
  EXPECT_THAT(wrong("FP64", "[NaN]"), HasSubstr("not JSON"));
  EXPECT_THAT(wrong("FP64", "[true]"), HasSubstr("is not a number"));
  EXPECT_THAT(wrong("FP64", "[\"1\"]"), HasSubstr("is not a number"));
  EXPECT_THAT(wrong("BOOL", "[1]"), HasSubstr("neither true nor false"));
  EXPECT_THAT(wrong("FP128", "[1]"), HasSubstr("input \"x\": there is no such datatype; there are BOOL"));
}

TEST(InferenceRequestTest, NamesThatStandTwiceAreRefused) {
  const std::string x = R"({"name":"x","shape":[1],"datatype":"FP32","data":[1]})";
  EXPECT_THAT(message_of(fmt::format(R"({{"inputs":[{0},{0}]}})", x)),
              HasSubstr("input \"x\" is given twice"));
  EXPECT_THAT(message_of(fmt::format(R"({{"inputs":[{0}],"inputs":[{0}]}})", x)),
              HasSubstr("the request has two members \"inputs\""));
  EXPECT_THAT(message_of(R"({"inputs":[{"name":"x","shape":[1],"shape":[2],"datatype":"FP32","data":[1]}]})"),
              HasSubstr("two members \"shape\""));
  EXPECT_THAT(message_of(fmt::format(R"({{"inputs":[{0}],"outputs":[{{"name":"p"}},{{"name":"p"}}]}})", x)),
              HasSubstr("output \"p\" is asked for twice"));
}

TEST(InferenceRequestTest, DeepNestingIsRefusedWithoutRecursion) {
  const std::string deep = std::string(10'000, '[') + std::string(10'000, ']');
  EXPECT_THAT(message_of(deep), HasSubstr("nested deeper than 32"));
  EXPECT_THAT(message_of(input("[1]", "FP32", deep)), HasSubstr("nested deeper than 32"));
  EXPECT_FALSE(parse(std::string(100'000, '[')).has_value());
  std::string objects;
  for (int i = 0; i < 10'000; ++i) objects += R"({"a":)";
  EXPECT_FALSE(parse(objects).has_value());
}

TEST(InferenceRequestTest, WhatIsNoRequestIsRefused) {
  for (const auto* json :
       {"", " ", "null", "[]", "3", "\"x\"", "{", "{}", R"({"inputs":{}})", R"({"inputs":[3]})",
        R"({"inputs":[{}]})", R"({"inputs":[{"name":"","shape":[1],"datatype":"FP32","data":[1]}]})",
        R"({"inputs":[{"name":3,"shape":[1],"datatype":"FP32","data":[1]}]})", R"({"inputs":[],"id":3})",
        R"({"inputs":[],"parameters":[]})", R"({"inputs":[],"outputs":{}})", "{\"inputs\":[]} x",
        "{\"inputs\":[],\"id\":\"\xff\"}"}) {
    EXPECT_FALSE(parse(json).has_value()) << json;
  }
  EXPECT_FALSE(parse(fmt::format(R"({{"inputs":[],"id":"{}"}})", std::string(257, 'a'))).has_value());
}

TEST(InferenceRequestTest, ALargeRequestIsReadAsASmallOne) {
  std::string data = "[0";
  for (int i = 1; i < 50'000; ++i) data += fmt::format(",{}", i);
  const auto numbers = numbers_of(input("[50000]", "FP64", data + "]"));
  ASSERT_EQ(numbers.size(), 50'000U);
  EXPECT_EQ(numbers.back(), 49'999);
  EXPECT_THAT(numbers_of(input("[1]", "FP64", "[1]")), ElementsAre(1));
}

}  // namespace
}  // namespace holdfast::gateway
