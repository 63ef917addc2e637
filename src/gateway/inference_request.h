#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "model/tensor.h"

// A request of the Open Inference Protocol, version 2, over REST, with its binary tensor data extension. By
// the bytes alone: whether the model takes such inputs is checked afterwards (model::check_inputs).

namespace holdfast::gateway {

struct RequestLimits {
  std::size_t max_bytes = 4UL << 20;
  std::size_t max_tensors = 128;
  std::uint64_t max_elements = 1UL << 20;  // of all inputs together
};

inline constexpr std::size_t kMaxRequestIdBytes = 256;
inline constexpr std::size_t kMaxJsonDepth = 32;

struct RequestedOutput {
  std::string name;
  bool binary = false;
};

struct InferenceRequest {
  std::string id;  // the caller's own, echoed; empty where there is none
  std::vector<model::Tensor> inputs;
  std::vector<RequestedOutput> outputs;  // empty: all
  bool binary_outputs = false;           // for outputs that are not named
};

// `body` is JSON, or JSON of `json_bytes` (the header Inference-Header-Content-Length) and then the data of
// the inputs that say so. Numbers come flat or nested as the shape says; a null in FP32 or FP64 is a missing
// value and becomes NaN. kInvalidArgument, naming the input and the place; kLimitExceeded over a limit.
base::Result<InferenceRequest> parse_inference_request(base::ByteView body,
                                                       std::optional<std::size_t> json_bytes,
                                                       const RequestLimits& limits);

}  // namespace holdfast::gateway
