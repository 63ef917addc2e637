#include "base/assert.h"
#include "model/engine_wire.h"

// A frame in either direction. What is read is written again as the same bytes, so that there is one way only
// to say a thing.

namespace {

using namespace holdfast::model;
using holdfast::base::Bytes;
using holdfast::base::ByteView;

bool same(ByteView frame, const Bytes& written) {
  return holdfast::base::as_text(frame) == holdfast::base::as_text(written);
}

std::vector<TensorSpec> any_outputs(const std::vector<Tensor>& tensors) {
  std::vector<TensorSpec> specs;
  for (const Tensor& tensor : tensors) {
    specs.push_back({.name = tensor.name, .datatype = tensor.datatype, .shape = {}, .open_rank = true});
  }
  return specs;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView frame(data, size);
  if (const auto request = decode_request(frame)) {
    const auto* predict = std::get_if<PredictRequest>(&*request);
    HF_ASSERT(
        same(frame, predict == nullptr ? encode_load_request() : encode_predict_request(predict->inputs)));
    if (predict != nullptr) {
      Bytes answer = encode_answer(holdfast::base::Result<std::vector<Tensor>>(predict->inputs));
      HF_ASSERT(decode_predict_answer(answer, any_outputs(predict->inputs))->value() == predict->inputs);
    }
  }
  if (const auto answer = decode_signature_answer(frame); answer && answer->has_value()) {
    HF_ASSERT(same(frame, encode_answer(*answer)));
  }
  static_cast<void>(decode_predict_answer(frame, {}));
  return 0;
}
