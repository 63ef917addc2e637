#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "assess/rows.h"
#include "assess/task.h"
#include "base/digest.h"
#include "base/result.h"
#include "evaluate/evaluation.h"
#include "evaluate/robustness.h"
#include "lab/lab.h"
#include "model/predictor.h"

// Puts a model through a task: its answers come from the engine, changed rows from the lab, figures from
// evaluate/. Holds no process or file of its own: the caller starts them.

namespace holdfast::assess {

// What a model said of rows, and what attacks made of them: kept, so that two models are compared row by row.
struct Assessment {
  evaluate::Evaluation evaluation;
  std::vector<double> scores;
  std::vector<std::uint8_t> predicted;
  std::vector<std::vector<std::uint8_t>> attacked;  // the answers under each attack of the task
  std::vector<std::string> warnings;                // whole sentences, to stand beside the figures
};

struct AssessOptions {
  base::Digest model;
  base::Digest dataset;
  std::string split = "test";
  std::uint64_t seed = 1;
  std::chrono::milliseconds time_limit{600'000};  // of everything
  std::function<void(std::string_view)> on_step = {};
};

// The probability of 1 for each row. The model takes one input of float32 [rows, features] and gives float32
// probabilities [rows, 2], [rows, 1] or [rows], the first such output being taken: kInvalidArgument
// otherwise, with what it has.
base::Result<std::vector<double>> score(model::Predictor& model, const lab::MatrixView& rows,
                                        model::Deadline deadline);

// Everything that the task asks for. `lab` may be null, for a model that has no gradients or an installation
// without the lab: then no robustness is measured, a warning says so, and a gate that asks for it refuses. So
// it is where the lab's own outputs differ from the engine's by more than 1e-4: its gradients would be
// another model's.
base::Result<Assessment> assess(const Task& task, const Rows& rows, model::Predictor& model,
                                base::ByteView onnx, lab::Lab* lab, const AssessOptions& options);

// The figures of `candidate` less those of `base` on the same rows, with paired intervals: performance, under
// each attack that both have, and fairness.
base::Result<std::vector<evaluate::Figure>> compare(const Task& task, const Rows& rows,
                                                    const Assessment& base, const Assessment& candidate,
                                                    std::uint64_t seed);

}  // namespace holdfast::assess
