#pragma once

#include <chrono>
#include <span>
#include <vector>

#include "base/result.h"
#include "model/tensor.h"

namespace holdfast::model {

// A moment of the monotonic clock by which an answer is there or given up.
using Deadline = std::chrono::steady_clock::time_point;

// Something that computes outputs from inputs: a model in an engine, or a function in a test. Whether it may
// be used by several threads, an implementation says.
class Predictor {
 public:
  virtual ~Predictor() = default;

  [[nodiscard]] virtual const Signature& signature() const = 0;

  // The outputs, in the order of the signature. Errors: kInvalidArgument where the inputs do not fit the
  // signature or the model refuses them, kDeadline, kLimitExceeded where inputs or outputs are too large,
  // kUnavailable where the model could not answer now and may later.
  virtual base::Result<std::vector<Tensor>> predict(std::span<const Tensor> inputs, Deadline deadline) = 0;
};

}  // namespace holdfast::model
