#include "model/engine_wire.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <array>

namespace holdfast::model {
namespace {

using base::Bytes;
using base::ErrorCode;
using base::Result;
using testing::HasSubstr;

std::vector<Tensor> some_tensors() {
  const std::array<float, 2> numbers{1.5F, -2};
  const std::array<std::string, 2> texts{"no", ""};
  return {make_tensor<float>("x", {1, 2}, numbers), make_string_tensor("s", {2}, texts),
          make_tensor<float>("none", {0, 7}, std::span<const float>())};
}

Signature some_signature() {
  return {.inputs = {{.name = "x", .datatype = Datatype::kFp32, .shape = {-1, 2}}},
          .outputs = {{.name = "x", .datatype = Datatype::kFp32, .shape = {-1, 2}},
                      {.name = "s", .datatype = Datatype::kString, .shape = {}, .open_rank = true},
                      {.name = "none", .datatype = Datatype::kFp32, .shape = {-1, -1}}}};
}

TEST(EngineWireTest, WhatIsWrittenReadsBack) {
  EXPECT_EQ(decode_request(encode_load_request()).value(), EngineRequest(LoadRequest{}));
  EXPECT_EQ(decode_request(encode_predict_request(some_tensors())).value(),
            EngineRequest(PredictRequest{some_tensors()}));
  EXPECT_EQ(decode_signature_answer(encode_answer(Result<Signature>(some_signature()))).value().value(),
            some_signature());
  const Bytes answer = encode_answer(Result<std::vector<Tensor>>(some_tensors()));
  EXPECT_EQ(decode_predict_answer(answer, some_signature().outputs).value().value(), some_tensors());
}

TEST(EngineWireTest, EveryTruncationAndEveryTailIsRefused) {
  const Bytes request = encode_predict_request(some_tensors());
  const Bytes answer = encode_answer(Result<std::vector<Tensor>>(some_tensors()));
  const Bytes signature = encode_answer(Result<Signature>(some_signature()));
  for (std::size_t size = 0; size < request.size(); ++size) {
    EXPECT_FALSE(decode_request(base::ByteView(request).first(size)).has_value());
  }
  for (std::size_t size = 0; size < answer.size(); ++size) {
    EXPECT_FALSE(
        decode_predict_answer(base::ByteView(answer).first(size), some_signature().outputs).has_value());
  }
  for (std::size_t size = 0; size < signature.size(); ++size) {
    EXPECT_FALSE(decode_signature_answer(base::ByteView(signature).first(size)).has_value());
  }
  Bytes longer = request;
  longer.push_back(0);
  EXPECT_EQ(decode_request(longer).error().code, ErrorCode::kDataCorrupt);
}

TEST(EngineWireTest, AnEngineCanOnlySayWhatItsModelDeclared) {
  const Bytes answer = encode_answer(Result<std::vector<Tensor>>(some_tensors()));
  auto outputs = some_signature().outputs;
  const auto refused = [&] { return !decode_predict_answer(answer, outputs).has_value(); };
  outputs[0].name = "y";
  EXPECT_TRUE(refused());
  outputs = some_signature().outputs;
  outputs[0].shape = {-1, 3};
  EXPECT_TRUE(refused());
  outputs = some_signature().outputs;
  outputs[0].datatype = Datatype::kInt32;
  EXPECT_TRUE(refused());
  outputs = some_signature().outputs;
  outputs.pop_back();
  EXPECT_TRUE(refused());
}

TEST(EngineWireTest, AnEnginesErrorIsPrintableAndBlamesNoCaller) {
  const Result<Signature> error =
      base::fail(ErrorCode::kUnauthenticated, "\x1b[31mgo away" + std::string(5000, 'x'));
  const auto read = decode_signature_answer(encode_answer(error)).value();
  EXPECT_EQ(read.error().code, ErrorCode::kInternal);
  EXPECT_THAT(read.error().message, HasSubstr("?[31mgo away"));
  EXPECT_EQ(read.error().message.size(), kMaxErrorBytes);

  Bytes forged = encode_answer(error);
  forged[1] = static_cast<std::uint8_t>(ErrorCode::kUnauthenticated);
  EXPECT_EQ(decode_signature_answer(forged).error().code, ErrorCode::kDataCorrupt);
}

TEST(EngineWireTest, NamesThatCouldForgeTextAreRefused) {
  for (const std::string& name :
       {std::string("a\nb"), std::string("\xff"), std::string(), std::string("a\0b", 3)}) {
    Signature signature = some_signature();
    signature.inputs[0].name = name;
    EXPECT_FALSE(decode_signature_answer(encode_answer(Result<Signature>(signature))).has_value());
  }
  Signature twice = some_signature();
  twice.outputs[1].name = "x";
  EXPECT_FALSE(decode_signature_answer(encode_answer(Result<Signature>(twice))).has_value());
}

TEST(EngineWireTest, BoundsAreKept) {
  std::vector<Tensor> many(kMaxTensors + 1, some_tensors()[0]);
  EXPECT_EQ(decode_request(encode_predict_request(many)).error().code, ErrorCode::kLimitExceeded);
  std::vector<Tensor> deep{some_tensors()[0]};
  deep[0].shape.assign(kMaxRank + 1, 1);
  EXPECT_EQ(decode_request(encode_predict_request(deep)).error().code, ErrorCode::kLimitExceeded);
  std::vector<Tensor> vast{some_tensors()[0]};
  vast[0].shape = {1L << 40, 1L << 40};
  EXPECT_EQ(decode_request(encode_predict_request(vast)).error().code, ErrorCode::kLimitExceeded);
}

}  // namespace
}  // namespace holdfast::model
