#pragma once

#include <span>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "model/tensor.h"

// What goes between the program and holdfast-engine: one request and one answer, each one frame. A request to
// load comes with the model's descriptor, once, as the first; then requests to predict. Integers are
// little-endian; a text is its length as 16 bits and its bytes; a tensor is its name, its datatype, its rank
// (8 bits each), its dimensions (64 bits each), its data's length (32 bits) and its data. Both sides read
// strictly: the engine may be in the hands of a hostile model.

namespace holdfast::model {

struct LoadRequest {
  friend bool operator==(const LoadRequest&, const LoadRequest&) = default;
};
struct PredictRequest {
  std::vector<Tensor> inputs;
  friend bool operator==(const PredictRequest&, const PredictRequest&) = default;
};
using EngineRequest = std::variant<LoadRequest, PredictRequest>;

base::Bytes encode_load_request();
base::Bytes encode_predict_request(std::span<const Tensor> inputs);
// kDataCorrupt for what the two above do not give, kLimitExceeded over a bound of model/tensor.h.
base::Result<EngineRequest> decode_request(base::ByteView frame);

base::Bytes encode_answer(const base::Result<Signature>& answer);
base::Bytes encode_answer(const base::Result<std::vector<Tensor>>& answer);

// What came is either an answer, the engine's own error among them (its text made printable and cut at
// kMaxErrorBytes), or, outside, kDataCorrupt for what encode_answer does not give, kLimitExceeded over a
// bound.
inline constexpr std::size_t kMaxErrorBytes = 2048;
base::Result<base::Result<Signature>> decode_signature_answer(base::ByteView frame);
// As `outputs` says: names and datatypes in its order, shapes that it accepts.
base::Result<base::Result<std::vector<Tensor>>> decode_predict_answer(base::ByteView frame,
                                                                      std::span<const TensorSpec> outputs);

}  // namespace holdfast::model
