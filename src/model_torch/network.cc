#include <ATen/Parallel.h>

#include <algorithm>
#include <memory>

#include "model_torch/perturb.h"
#include "model_torch/tasks.h"

namespace holdfast::model_torch {

using base::ErrorCode;
using base::fail;
using base::Result;
using lab::FeedForward;
using lab::Operation;
using lab::Step;

namespace {

constexpr std::int64_t kRowsAtOnce = 1 << 14;

at::Tensor constant_of(const lab::Tensor& tensor) {
  return at::tensor(at::ArrayRef<float>(tensor.values))
      .reshape({static_cast<std::int64_t>(tensor.rows), static_cast<std::int64_t>(tensor.columns)});
}

// A model with its constants as tensors.
class Network {
 public:
  explicit Network(const FeedForward& model) : model_(model) {
    for (const Step& step : model.steps) {
      const bool dense = step.operation == Operation::kGemm;
      const bool constant = !dense && !step.constant.values.empty();
      weights_.push_back(dense ? constant_of(step.weights) : at::Tensor());
      constants_.push_back(dense      ? constant_of(step.bias)
                           : constant ? constant_of(step.constant)
                                      : at::Tensor());
    }
  }

  // The value with this index: 0 is `input`.
  [[nodiscard]] at::Tensor value(const at::Tensor& input, std::size_t index) const {
    std::vector<at::Tensor> values{input};
    for (std::size_t i = 0; i < index; ++i) values.push_back(run(i, values));
    return values.back();
  }

 private:
  [[nodiscard]] at::Tensor run(std::size_t index, const std::vector<at::Tensor>& values) const {
    const Step& step = model_.steps[index];
    const at::Tensor& input = values[step.input];
    switch (step.operation) {
      case Operation::kGemm:
        return at::addmm(constants_[index], input, weights_[index]);
      case Operation::kRelu:
        return at::relu(input);
      case Operation::kSigmoid:
        return at::sigmoid(input);
      case Operation::kTanh:
        return at::tanh(input);
      case Operation::kSoftmax:
        return at::softmax(input, 1);
      case Operation::kIdentity:
        return input;
      default:
        return combine(step, input, step.other ? values[*step.other] : constants_[index]);
    }
  }

  static at::Tensor combine(const Step& step, const at::Tensor& input, const at::Tensor& other) {
    const at::Tensor& first = step.swapped ? other : input;
    const at::Tensor& second = step.swapped ? input : other;
    switch (step.operation) {
      case Operation::kAdd:
        return first + second;
      case Operation::kSub:
        return first - second;
      case Operation::kMul:
        return first * second;
      default:
        return first / second;
    }
  }

  const FeedForward& model_;
  std::vector<at::Tensor> weights_;
  std::vector<at::Tensor> constants_;
};

}  // namespace

void warm_up() {
  at::set_num_threads(1);
  at::set_num_interop_threads(1);
  // Large enough for OpenBLAS to lay out its working memory, for which it makes a call (mbind(2)) that the
  // jail forbids.
  const at::Tensor weights = at::randn({256, 256}).requires_grad_();
  at::softmax(at::relu(at::randn({256, 256}).mm(weights)), 1).sum().backward();
}

void use_threads(std::size_t threads) { at::set_num_threads(static_cast<int>(threads)); }

at::Tensor tensor_of(const lab::MatrixView& rows) {
  at::Tensor tensor =
      at::empty({static_cast<std::int64_t>(rows.rows), static_cast<std::int64_t>(rows.columns)}, at::kFloat);
  std::ranges::copy(rows.values, tensor.data_ptr<float>());
  return tensor;
}

at::Tensor labels_of(std::span<const std::int32_t> labels) {
  at::Tensor tensor = at::empty({static_cast<std::int64_t>(labels.size())}, at::kLong);
  std::ranges::copy(labels, tensor.data_ptr<std::int64_t>());
  return tensor;
}

Result<Logits> logits_of(const FeedForward& model) {
  std::size_t last = model.steps.size();  // the value before the probabilities
  while (last > 0 && model.steps[last - 1].operation == Operation::kIdentity) {
    last = model.steps[last - 1].input;
  }
  const Operation operation = last == 0 ? Operation::kIdentity : model.steps[last - 1].operation;
  const bool sigmoid = operation == Operation::kSigmoid;
  if (model.width() == 1 && !sigmoid) {
    return fail(ErrorCode::kUnsupported,
                "the model's one output comes from no Sigmoid: it is not clear what it means");
  }
  if (sigmoid || operation == Operation::kSoftmax) last = model.steps[last - 1].input;
  const bool single = model.width() == 1;
  const auto network = std::make_shared<Network>(model);  // shared by the copies of a std::function
  return Logits([network, last, single](const at::Tensor& rows) {
    const at::Tensor logits = network->value(rows, last);
    return single ? at::cat({at::zeros_like(logits), logits}, 1) : logits;
  });
}

Result<lab::ModelOutputs> outputs(const FeedForward& model, const lab::MatrixView& rows) {
  return guarded([&]() -> Result<lab::ModelOutputs> {
    const at::NoGradGuard no_gradients;
    const Network network(model);
    const at::Tensor input = tensor_of(rows);
    lab::ModelOutputs result{.rows = rows.rows, .columns = model.width(), .values = {}};
    result.values.reserve(rows.rows * model.width());
    for (const at::Tensor& part : input.split(kRowsAtOnce)) {
      const at::Tensor output = network.value(part, model.steps.size()).contiguous();
      result.values.insert(result.values.end(), output.data_ptr<float>(),
                           output.data_ptr<float>() + output.numel());
    }
    return result;
  });
}

}  // namespace holdfast::model_torch
