#include "intake/model_wire.h"

#include <gtest/gtest.h>

namespace holdfast::intake {
namespace {

using supply::ModelDescription;

TEST(ModelWire, CarriesADescription) {
  const ModelDescription description{.format = "ONNX",
                                     .producer = "pytorch \"2.1\"",
                                     .inputs = {{"x", "tensor(float) [batch, 20]"}},
                                     .outputs = {},
                                     .tensors = {{"w", "float [20, 1]"}},
                                     .tensors_in_all = 3,
                                     .parameters = ~0ULL};
  EXPECT_EQ(
      decode_description(base::as_bytes(encode(base::Result<supply::ModelDescription>(description)))).value(),
      description);
}

TEST(ModelWire, CarriesWhyThereIsNone) {
  const base::Result<ModelDescription> none(base::fail(base::ErrorCode::kUnsupported, "it is text"));
  const auto decoded = decode_description(base::as_bytes(encode(none)));
  EXPECT_EQ(decoded.error().code, base::ErrorCode::kUnsupported);
  EXPECT_EQ(decoded.error().message, "it is text");
  const base::Result<ModelDescription> denied(base::fail(base::ErrorCode::kPermissionDenied, "go away"));
  EXPECT_EQ(decode_description(base::as_bytes(encode(denied))).error().code, base::ErrorCode::kDataCorrupt);
}

TEST(ModelWire, RefusesWhatMakesNoSense) {
  const std::string good = encode(base::Result<supply::ModelDescription>(ModelDescription{.format = "f"}));
  EXPECT_TRUE(decode_description(base::as_bytes(good)));
  std::string negative = good;
  negative.replace(negative.find("\"parameters\":0"), 14, "\"parameters\":-1");
  std::string pair = good;
  pair.replace(pair.find("\"inputs\":[]"), 11, "\"inputs\":[[1,\"\"]]");
  const std::string longer =
      encode(base::Result<supply::ModelDescription>(ModelDescription{.format = std::string(9999, 'a')}));
  std::string many = "[";
  for (int i = 0; i < 3000; ++i) many += R"(["a","b"],)";
  many.back() = ']';
  std::string more = good;
  more.replace(more.find("\"inputs\":[]") + 9, 2, many);
  for (const std::string& frame : {std::string(), std::string("[]"), std::string("{}"), negative, pair,
                                   longer, more, std::string(R"({"is":"model","format":"f"})"),
                                   std::string(R"({"is":"no model","code":1,"message":""})")}) {
    EXPECT_FALSE(decode_description(base::as_bytes(frame))) << frame.substr(0, 80);
  }
}

}  // namespace
}  // namespace holdfast::intake
