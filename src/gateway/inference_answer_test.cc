#include "gateway/inference_answer.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <array>
#include <limits>

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace holdfast::gateway {
namespace {

using model::Datatype;
using model::Tensor;
using testing::HasSubstr;

EncodedAnswer encode(const Tensor& tensor, const InferenceRequest& request = {}) {
  const std::array<const Tensor*, 1> outputs{&tensor};
  const std::array<Parameter, 1> parameters{{{"prediction_id", "p1"}}};
  return encode_answer({.model_name = "credit",
                        .model_version = "3",
                        .id = "a\"b",
                        .parameters = parameters,
                        .outputs = outputs,
                        .request = &request})
      .value();
}

TEST(InferenceAnswerTest, IsJsonAsTheProtocolSays) {
  const std::array<float, 3> values{0.1F, std::numeric_limits<float>::quiet_NaN(), -1e30F};
  const auto json = base::parse_json(encode(model::make_tensor<float>("y", {3, 1}, values)).body).value();
  EXPECT_EQ(json.dump(),
            R"({"id":"a\"b","model_name":"credit","model_version":"3",)"
            R"("outputs":[{"data":[0.1,null,-1e+30],"datatype":"FP32","name":"y","shape":[3,1]}],)"
            R"("parameters":{"prediction_id":"p1"}})");
}

TEST(InferenceAnswerTest, EveryDatatypeReadsBackAsARequest) {
  const std::array<std::int8_t, 2> small{-128, 127};
  const std::array<std::uint64_t, 2> large{0, std::numeric_limits<std::uint64_t>::max()};
  const std::array<double, 2> reals{1.0 / 3, 5e-324};
  const std::array<std::string, 2> texts{"\x01\"\\\n", "é"};
  for (const Tensor& tensor :
       {model::make_tensor<std::int8_t>("x", {2}, small), model::make_tensor<std::uint64_t>("x", {2}, large),
        model::make_tensor<double>("x", {2}, reals), model::make_string_tensor("x", {2}, texts),
        Tensor{"x", Datatype::kBool, {2}, {1, 0}}, Tensor{"x", Datatype::kFp32, {0}, {}}}) {
    std::string body = encode(tensor).body;
    body.replace(body.find("\"outputs\""), 9, "\"inputs\"");
    const auto parsed = parse_inference_request(base::as_bytes(body), std::nullopt, {});
    ASSERT_TRUE(parsed.has_value()) << parsed.error().message << " in " << body;
    EXPECT_EQ(parsed->inputs[0], tensor) << body;
  }
}

TEST(InferenceAnswerTest, BinaryDataFollowTheJson) {
  const std::array<std::int16_t, 2> values{1, -1};
  const Tensor tensor = model::make_tensor<std::int16_t>("y", {2}, values);
  InferenceRequest request;
  request.binary_outputs = true;
  const auto encoded = encode(tensor, request);
  ASSERT_TRUE(encoded.json_bytes.has_value());
  EXPECT_EQ(encoded.body.substr(*encoded.json_bytes), std::string("\x01\x00\xff\xff", 4));
  EXPECT_THAT(encoded.body, HasSubstr("\"parameters\":{\"binary_data_size\":4}"));
  request.outputs = {{.name = "y", .binary = false}};
  EXPECT_FALSE(encode(tensor, request).json_bytes.has_value());
}

TEST(InferenceAnswerTest, BytesThatAreNoTextAreNotMadeOne) {
  const std::array<std::string, 1> bytes{"\xff\xfe"};
  const Tensor tensor = model::make_string_tensor("y", {1}, bytes);
  const std::array<const Tensor*, 1> outputs{&tensor};
  EXPECT_THAT(encode_answer({.parameters = {}, .outputs = outputs}).error().message,
              HasSubstr("binary data"));
  EXPECT_EQ(encode_error("a\xff\n"), "{\"error\":\"a\xef\xbf\xbd\\u000a\"}");
}

TEST(InferenceAnswerTest, MetadataAreAsTheProtocolSays) {
  const std::vector<model::TensorSpec> inputs{{.name = "x", .datatype = Datatype::kString, .shape = {-1, 2}}};
  const std::vector<model::TensorSpec> outputs{{.name = "y", .shape = {}, .open_rank = true}};
  EXPECT_EQ(encode_model_metadata("credit", std::vector<std::string>{"1", "2"}, "onnxruntime_onnx", inputs,
                                  outputs),
            R"({"name":"credit","versions":["1","2"],"platform":"onnxruntime_onnx",)"
            R"("inputs":[{"name":"x","datatype":"BYTES","shape":[-1,2]}],)"
            R"("outputs":[{"name":"y","datatype":"FP32","shape":[-1]}]})");
}

}  // namespace
}  // namespace holdfast::gateway
