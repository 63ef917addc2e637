#include <ATen/core/ivalue.h>
#include <torch/optim/adam.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "model_torch/perturb.h"
#include "model_torch/tasks.h"
#include "stats/classification.h"

namespace holdfast::model_torch {

using base::ErrorCode;
using base::fail;
using base::Result;
using lab::LabelledRows;
using lab::MatrixView;
using lab::TrainSpec;

namespace {

constexpr std::size_t kRowsAtOnce = 1UL << 14;

struct Standardisation {
  std::vector<float> mean;
  std::vector<float> scale;
};

// Of the training rows alone, so that nothing of the others is learned. A constant column keeps its scale.
Standardisation standardisation_of(const MatrixView& rows) {
  std::vector<double> mean(rows.columns);
  std::vector<double> square(rows.columns);
  const double count = static_cast<double>(rows.rows);
  for (std::size_t i = 0; i < rows.values.size(); ++i)
    mean[i % rows.columns] += static_cast<double>(rows.values[i]) / count;
  for (std::size_t i = 0; i < rows.values.size(); ++i) {
    const double off = static_cast<double>(rows.values[i]) - mean[i % rows.columns];
    square[i % rows.columns] += off * off / count;
  }
  Standardisation result;
  for (std::size_t i = 0; i < rows.columns; ++i) {
    result.mean.push_back(static_cast<float>(mean[i]));
    const auto scale = static_cast<float>(std::sqrt(square[i]));
    const bool constant = !(scale > std::abs(result.mean[i]) * 1e-6F) || !std::isnormal(scale);
    result.scale.push_back(constant ? 1.0F : scale);
  }
  return result;
}

// The network that learns, on raw rows.
class Mlp {
 public:
  Mlp(const Standardisation& standard, std::size_t columns, const TrainSpec& spec)
      : dropout_(spec.dropout),
        mean_(at::tensor(at::ArrayRef<float>(standard.mean)).unsqueeze(0)),
        scale_(at::tensor(at::ArrayRef<float>(standard.scale)).unsqueeze(0)) {
    std::vector<std::size_t> widths = spec.hidden;
    widths.push_back(spec.classes);
    std::size_t inputs = columns;
    for (const std::size_t outputs : widths) {
      // As torch::nn::Linear: uniform within 1 / sqrt(inputs).
      const double bound = 1 / std::sqrt(static_cast<double>(inputs));
      const auto out = static_cast<std::int64_t>(outputs);
      parameters_.push_back(
          at::empty({out, static_cast<std::int64_t>(inputs)}).uniform_(-bound, bound).requires_grad_());
      parameters_.push_back(at::empty({out}).uniform_(-bound, bound).requires_grad_());
      inputs = outputs;
    }
  }

  [[nodiscard]] at::Tensor logits(const at::Tensor& rows, bool training) const {
    at::Tensor value = (rows - mean_) / scale_;
    for (std::size_t i = 0; i < parameters_.size(); i += 2) {
      if (i > 0) {
        value = at::relu(value);
        if (dropout_ > 0) value = at::dropout(value, dropout_, training);
      }
      value = at::linear(value, parameters_[i], parameters_[i + 1]);
    }
    return value;
  }

  [[nodiscard]] const std::vector<at::Tensor>& parameters() const { return parameters_; }
  [[nodiscard]] std::vector<at::Tensor> copy() const {
    std::vector<at::Tensor> copies;
    for (const at::Tensor& parameter : parameters_) copies.push_back(parameter.detach().clone());
    return copies;
  }

 private:
  double dropout_;
  at::Tensor mean_;
  at::Tensor scale_;
  std::vector<at::Tensor> parameters_;  // weights and bias of each layer
};

std::vector<float> floats(const at::Tensor& tensor) {
  const at::Tensor whole = tensor.contiguous();
  return {whole.data_ptr<float>(), whole.data_ptr<float>() + whole.numel()};
}

lab::MlpClassifier classifier_of(const Standardisation& standard, const std::vector<at::Tensor>& parameters) {
  lab::MlpClassifier classifier{.mean = standard.mean, .scale = standard.scale, .layers = {}};
  for (std::size_t i = 0; i < parameters.size(); i += 2) {
    classifier.layers.push_back({.inputs = static_cast<std::size_t>(parameters[i].size(1)),
                                 .outputs = static_cast<std::size_t>(parameters[i].size(0)),
                                 .weights = floats(parameters[i]),
                                 .bias = floats(parameters[i + 1])});
  }
  return classifier;
}

// Rows as tensors, their weights with a mean of 1.
struct Samples {
  at::Tensor rows;
  at::Tensor labels;
  at::Tensor weights;
  Room room;  // where there is an adversary
  [[nodiscard]] std::int64_t count() const { return labels.size(0); }
};

Samples samples_of(const LabelledRows& given, const TrainSpec& spec,
                   const std::optional<Adversary>& adversary) {
  Samples samples{.rows = tensor_of(given.features),
                  .labels = labels_of(given.labels),
                  .weights = at::ones({static_cast<std::int64_t>(given.labels.size())}),
                  .room = {}};
  float* const weights = samples.weights.data_ptr<float>();
  for (std::size_t i = 0; i < given.labels.size(); ++i) {
    if (!given.weights.empty()) weights[i] = given.weights[i];
    if (!spec.class_weights.empty()) {
      weights[i] *= static_cast<float>(spec.class_weights[static_cast<std::size_t>(given.labels[i])]);
    }
  }
  if (samples.count() > 0) samples.weights /= samples.weights.mean();
  if (adversary) samples.room = room_of(given.features, adversary->attack);
  return samples;
}

at::Tensor losses(const at::Tensor& logits, const at::Tensor& labels) {
  return at::nll_loss(at::log_softmax(logits, 1), labels, {}, at::Reduction::None);
}

class Trainer {
 public:
  Trainer(const LabelledRows& training, const LabelledRows& validation, const TrainSpec& spec,
          const std::optional<Adversary>& adversary)
      : spec_(spec),
        adversary_(adversary),
        standard_(standardisation_of(training.features)),
        training_(samples_of(training, spec, adversary)),
        validation_(samples_of(validation, spec, adversary)),
        model_(standard_, training.features.columns, spec),
        optimiser_(model_.parameters(),
                   torch::optim::AdamOptions(spec.learning_rate).weight_decay(spec.weight_decay)) {
    if (adversary_) perturber_.emplace(adversary_->attack);
  }

  Result<Trained> run(const Report& report) {
    std::vector<at::Tensor> best = model_.copy();
    double lowest = std::numeric_limits<double>::infinity();
    std::size_t best_epoch = 0;
    for (std::size_t epoch = 1; epoch <= spec_.epochs; ++epoch) {
      lab::EpochMetrics metrics{.epoch = epoch, .training_loss = learn()};
      validate(metrics);
      const double loss = metrics.validation_loss.value_or(metrics.training_loss);
      if (!std::isfinite(metrics.training_loss) || !std::isfinite(loss)) {
        return fail(ErrorCode::kInvalidArgument,
                    "the loss is not finite in epoch " + std::to_string(epoch) + "; lower the learning_rate");
      }
      if (!metrics.validation_loss || loss < lowest) {
        lowest = loss;
        best_epoch = epoch;
        best = model_.copy();
      }
      HF_CHECK(report({.done = epoch, .of = spec_.epochs, .epoch = metrics}));
      if (spec_.patience > 0 && epoch - best_epoch >= spec_.patience) break;
    }
    return Trained{.classifier = classifier_of(standard_, best), .best_epoch = best_epoch};
  }

 private:
  // One epoch; the mean loss as it was met.
  double learn() {
    const at::Tensor order = at::randperm(training_.count(), at::kLong);
    double sum = 0;
    for (const at::Tensor& indices : order.split(static_cast<std::int64_t>(spec_.batch_size))) {
      const at::Tensor labels = training_.labels.index_select(0, indices);
      const at::Tensor rows = batch(training_, indices, labels);
      optimiser_.zero_grad();
      const at::Tensor weighted =
          losses(model_.logits(rows, true), labels) * training_.weights.index_select(0, indices);
      weighted.mean().backward();
      optimiser_.step();
      sum += weighted.sum().item<double>();
    }
    return sum / static_cast<double>(training_.count());
  }

  // The rows of a batch, the first of them changed where there is an adversary.
  at::Tensor batch(const Samples& samples, const at::Tensor& indices, const at::Tensor& labels) const {
    const at::Tensor rows = samples.rows.index_select(0, indices);
    if (!adversary_) return rows;
    const auto attacked =
        static_cast<std::int64_t>(std::ceil(adversary_->share * static_cast<double>(indices.size(0))));
    const at::Tensor changed =
        attack(samples.room.select(indices.narrow(0, 0, attacked)), labels.narrow(0, 0, attacked));
    return at::cat({changed, rows.slice(0, attacked)});
  }

  at::Tensor attack(const Room& room, const at::Tensor& labels) const {
    const Logits logits = [this](const at::Tensor& rows) { return model_.logits(rows, false); };
    return perturber_->rounded(perturber_->search(logits, room, labels, Start::kRandom).rows, room);
  }

  void validate(lab::EpochMetrics& metrics) const {
    if (validation_.count() == 0) return;
    auto table = stats::ConfusionTable::create(1, spec_.classes);
    double sum = 0;
    for (const at::Tensor& indices :
         at::arange(validation_.count(), at::kLong).split(static_cast<std::int64_t>(kRowsAtOnce))) {
      const at::Tensor labels = validation_.labels.index_select(0, indices);
      const at::Tensor weights = validation_.weights.index_select(0, indices);
      const double share = adversary_ ? adversary_->share : 0;
      if (share > 0) {
        const at::Tensor changed = attack(validation_.room.select(indices), labels);
        const at::NoGradGuard no_gradients;
        sum += share * (losses(model_.logits(changed, false), labels) * weights).sum().item<double>();
      }
      const at::NoGradGuard no_gradients;
      const at::Tensor logits = model_.logits(validation_.rows.index_select(0, indices), false);
      sum += (1 - share) * (losses(logits, labels) * weights).sum().item<double>();
      const at::Tensor predicted = logits.argmax(1).contiguous();
      for (std::int64_t i = 0; i < labels.size(0); ++i) {
        table->add(0, static_cast<std::size_t>(labels.data_ptr<std::int64_t>()[i]),
                   static_cast<std::size_t>(predicted.data_ptr<std::int64_t>()[i]));
      }
    }
    metrics.validation_loss = sum / static_cast<double>(validation_.count());
    metrics.validation_accuracy = table->group(0).balanced_accuracy();
  }

  const TrainSpec& spec_;
  const std::optional<Adversary>& adversary_;
  Standardisation standard_;
  Samples training_;
  Samples validation_;
  Mlp model_;
  torch::optim::Adam optimiser_;
  std::optional<Perturber> perturber_;
};

}  // namespace

Result<Trained> train(const LabelledRows& training, const LabelledRows& validation, const TrainSpec& spec,
                      const std::optional<Adversary>& adversary, const Report& report) {
  return guarded([&]() -> Result<Trained> {
    at::manual_seed(spec.seed);
    return Trainer(training, validation, spec, adversary).run(report);
  });
}

}  // namespace holdfast::model_torch
