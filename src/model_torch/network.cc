#include <ATen/Parallel.h>
#include <ATen/core/ivalue.h>

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
      case Operation::kConcat: {
        std::vector<at::Tensor> parts;
        for (const std::size_t part : step.parts) parts.push_back(values[part]);
        return at::cat(parts, 1);
      }
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

Operation operation_of(const FeedForward& model, std::size_t value) {
  return value == 0 ? Operation::kIdentity : model.steps[value - 1].operation;
}

std::size_t behind_identities(const FeedForward& model, std::size_t value) {
  while (value > 0 && operation_of(model, value) == Operation::kIdentity)
    value = model.steps[value - 1].input;
  return value;
}

// Where the value is [1 - p, p] and p a Sigmoid of one column, as skl2onnx writes two classes: p.
std::optional<std::size_t> two_classes(const FeedForward& model, std::size_t value) {
  if (operation_of(model, value) != Operation::kConcat) return std::nullopt;
  const auto& parts = model.steps[value - 1].parts;
  if (parts.size() != 2 || operation_of(model, parts[0]) != Operation::kSub) return std::nullopt;
  const Step& rest = model.steps[parts[0] - 1];
  const std::size_t yes = behind_identities(model, parts[1]);
  const bool complement = rest.swapped && !rest.other && rest.constant.values == std::vector<float>{1} &&
                          behind_identities(model, rest.input) == yes;
  if (!complement || operation_of(model, yes) != Operation::kSigmoid || rest.width != 1) return std::nullopt;
  return yes;
}

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
  std::size_t last = behind_identities(model, model.steps.size());
  if (const auto sigmoid = two_classes(model, last)) last = *sigmoid;
  const Operation operation = operation_of(model, last);
  const bool sigmoid = operation == Operation::kSigmoid;
  if (model.width() == 1 && !sigmoid) {
    return fail(ErrorCode::kUnsupported,
                "the model's one output comes from no Sigmoid: it is not clear what it means");
  }
  const bool single = sigmoid && model.steps[last - 1].width == 1;
  if (sigmoid || operation == Operation::kSoftmax) last = model.steps[last - 1].input;
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
