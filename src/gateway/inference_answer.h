#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gateway/inference_request.h"
#include "model/tensor.h"

// What the Open Inference Protocol answers, as JSON.

namespace holdfast::gateway {

// `text` as a JSON string, with its quotes; what is not UTF-8 is replaced by U+FFFD.
std::string json_string(std::string_view text);

struct Parameter {
  std::string name;
  std::string value;
};

struct InferenceAnswer {
  std::string_view model_name;
  std::string_view model_version;
  std::string_view id;
  std::span<const Parameter> parameters;
  std::span<const model::Tensor* const> outputs;
  const InferenceRequest* request = nullptr;  // which outputs go as binary data
};

struct EncodedAnswer {
  std::string body;
  std::optional<std::size_t> json_bytes;  // where binary data follow: Inference-Header-Content-Length
};

// A number that is not finite is written as null. kUnsupported, naming it, for a text that is not UTF-8 in an
// output that does not go as binary data.
base::Result<EncodedAnswer> encode_answer(const InferenceAnswer& answer);

std::string encode_error(std::string_view message);  // {"error":"..."}

// {"name":...,"versions":[...],"platform":...,"inputs":[{"name","datatype","shape"}],"outputs":[...]}. An
// open rank is written as the shape [-1].
std::string encode_model_metadata(std::string_view name, std::span<const std::string> versions,
                                  std::string_view platform, std::span<const model::TensorSpec> inputs,
                                  std::span<const model::TensorSpec> outputs);

}  // namespace holdfast::gateway
