#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "lab/feed_forward.h"
#include "lab/lab.h"
#include "lab/specs.h"

// What LibTorch does for the lab, without LibTorch in the signature. The same inputs, seed and number of
// threads give the same bytes on one machine. Specs and rows are checked by the caller (lab/specs.h). Uses
// LibTorch's global generator: one task at a time.

namespace holdfast::model_torch {

// Called in the caller's thread; an error ends the task with it.
using Report = std::function<base::Result<>(const lab::Progress&)>;

// Has LibTorch and its BLAS look at the processor and take their working memory while everything can still be
// opened and called. Starts no thread.
void warm_up();
void use_threads(std::size_t threads);

struct Trained {
  lab::MlpClassifier classifier;
  std::size_t best_epoch = 0;  // from 1
};

// What makes training adversarial.
struct Adversary {
  lab::AttackSpec attack;
  double share = 0;  // of each batch
};

// kInvalidArgument, with the remedy, where training diverges.
base::Result<Trained> train(const lab::LabelledRows& training, const lab::LabelledRows& validation,
                            const lab::TrainSpec& spec, const std::optional<Adversary>& adversary,
                            const Report& report);

struct Attacked {
  std::vector<float> rows;
  std::vector<lab::RowOutcome> outcomes;
  double zero_gradient_share = 0;
};

// Rows whose label the model does not know are kInvalidArgument; kUnsupported for a model whose one output is
// no probability. Every changed row meets the constraints.
base::Result<Attacked> attack(const lab::FeedForward& model, const lab::MatrixView& rows,
                              std::span<const std::int32_t> labels, const lab::AttackSpec& spec,
                              const Report& report);

base::Result<lab::ModelOutputs> outputs(const lab::FeedForward& model, const lab::MatrixView& rows);

}  // namespace holdfast::model_torch
