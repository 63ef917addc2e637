#pragma once

// clang-format off
#include <ATen/core/ivalue.h>  // first: clang wants this type complete before the headers with vectors of it
#include <ATen/ATen.h>
// clang-format on

#include <functional>
#include <string>
#include <utility>

#include "base/result.h"
#include "lab/feed_forward.h"
#include "lab/specs.h"

// What the tasks share and only LibTorch's own files include: tensors over our rows, a model as a function,
// and the search for changed rows. Internal to this module.

namespace holdfast::model_torch {

// From rows to logits, [n, columns] to [n, classes]; differentiable.
using Logits = std::function<at::Tensor(const at::Tensor&)>;

// Of rows [n, columns]; copies.
at::Tensor tensor_of(const lab::MatrixView& rows);
at::Tensor labels_of(std::span<const std::int32_t> labels);

// The logits behind a model's probabilities. kUnsupported where its one output is no probability. The model
// outlives the function.
base::Result<Logits> logits_of(const lab::FeedForward& model);

// Where rows may move, all [n, columns].
struct Room {
  at::Tensor original;
  at::Tensor lower;
  at::Tensor upper;

  [[nodiscard]] Room select(const at::Tensor& indices) const {
    return {original.index_select(0, indices), lower.index_select(0, indices),
            upper.index_select(0, indices)};
  }
};
Room room_of(const lab::MatrixView& rows, const lab::AttackSpec& spec);

enum class Start { kOriginal, kRandom };

// Ascends the margin within the room and, about, the budget; integers are left between whole numbers until
// the end. lab::settle() makes it exact.
class Perturber {
 public:
  explicit Perturber(const lab::AttackSpec& spec);

  struct Found {
    at::Tensor rows;         // the best of each row's path
    at::Tensor no_gradient;  // rows with room, whose gradient at the start was zero; bool [n]
  };
  [[nodiscard]] Found search(const Logits& logits, const Room& room, const at::Tensor& labels,
                             Start start) const;
  // Whole numbers where they must be, as well as a tensor operation can.
  [[nodiscard]] at::Tensor rounded(const at::Tensor& rows, const Room& room) const;

 private:
  [[nodiscard]] at::Tensor within(const at::Tensor& rows, const Room& room) const;

  const lab::AttackSpec& spec_;
  at::Tensor unit_costs_;  // [1, columns]
  at::Tensor integers_;    // bool [1, columns]
};

// Runs a task; what LibTorch throws becomes kInternal or, for want of memory, kLimitExceeded.
template <typename Run>
auto guarded(Run run) -> decltype(run()) {
  try {
    return run();
  } catch (const std::exception& error) {
    const std::string text = error.what();
    const bool memory = text.find("not enough memory") != std::string::npos;
    return base::fail(memory ? base::ErrorCode::kLimitExceeded : base::ErrorCode::kInternal,
                      "LibTorch gave up: " + text.substr(0, text.find('\n')));
  }
}

}  // namespace holdfast::model_torch
