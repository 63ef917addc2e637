#include "base/assert.h"
#include "gateway/inference_request.h"

// The first two bytes say how long the JSON is, if they are not zero; the rest is a request's body. What is
// taken is within its limits, tensor by tensor.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast;
  if (size < 2) return 0;
  const std::size_t announced = std::size_t{data[0]} | std::size_t{data[1]} << 8U;
  const gateway::RequestLimits limits{.max_bytes = 1UL << 16, .max_tensors = 8, .max_elements = 1UL << 12};
  const auto request = gateway::parse_inference_request(
      base::ByteView(data + 2, size - 2), announced == 0 ? std::nullopt : std::optional(announced), limits);
  if (!request) return 0;
  std::uint64_t elements = 0;
  HF_ASSERT(request->inputs.size() <= limits.max_tensors && request->outputs.size() <= limits.max_tensors);
  for (const auto& input : request->inputs) {
    HF_ASSERT(model::check_tensor(input).has_value());
    elements += *model::element_count(input.shape);
  }
  HF_ASSERT(elements <= limits.max_elements);
  return 0;
}
