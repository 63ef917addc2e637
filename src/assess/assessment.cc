#include "assess/assessment.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "evaluate/compare.h"
#include "evaluate/fairness.h"
#include "evaluate/performance.h"

namespace holdfast::assess {

using base::ErrorCode;
using base::fail;
using base::Result;
using evaluate::Figure;

namespace {

constexpr std::size_t kBatchRows = 4096;
// ONNX Runtime and LibTorch sum in different orders; more than this is another model.
constexpr double kSameOutput = 1e-4;

const model::TensorSpec* probabilities_of(const model::Signature& signature) {
  for (const auto& output : signature.outputs) {
    const bool floats =
        output.datatype == model::Datatype::kFp32 || output.datatype == model::Datatype::kFp64;
    const bool vector = output.shape.size() == 1;
    const bool matrix =
        output.shape.size() == 2 && (output.shape[1] == 1 || output.shape[1] == 2 || output.shape[1] == -1);
    if (floats && (vector || matrix)) return &output;
  }
  return nullptr;
}

Result<> check_probabilities(const std::vector<double>& values, std::size_t rows) {
  if (values.size() != rows && values.size() != 2 * rows) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("the model gave {} numbers for {} rows: one probability a row, or two, is wanted",
                            values.size(), rows));
  }
  const auto wrong = std::find_if(values.begin(), values.end(), [](double v) { return !(v >= 0 && v <= 1); });
  if (wrong == values.end()) return {};
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("the model gave {} where a probability from 0 to 1 is wanted", *wrong));
}

void say(const AssessOptions& options, std::string_view what) {
  if (options.on_step) options.on_step(what);
}

std::vector<std::uint8_t> answers_of(const std::vector<double>& scores, double threshold) {
  std::vector<std::uint8_t> answers(scores.size());
  std::transform(scores.begin(), scores.end(), answers.begin(),
                 [threshold](double score) { return score >= threshold ? 1 : 0; });
  return answers;
}

void append(std::vector<Figure>& to, std::vector<Figure> figures) {
  std::move(figures.begin(), figures.end(), std::back_inserter(to));
}

Result<> measure_people(const Task& task, const Rows& rows, const AssessOptions& options, Assessment& out) {
  const evaluate::Answers answers{.labels = rows.labels, .scores = out.scores, .threshold = task.threshold};
  HF_TRY(auto performance, evaluate::measure_performance(answers, {.seed = options.seed}));
  append(out.evaluation.figures, std::move(performance.figures));
  for (const auto& grouping : rows.groupings) {
    HF_TRY(auto groups, evaluate::measure_groups(answers, grouping, task.minimum_group_rows));
    append(out.evaluation.figures, std::move(groups.figures));
    HF_TRY(auto fairness,
           evaluate::measure_fairness(rows.labels, out.predicted, grouping,
                                      {.minimum_group_rows = task.minimum_group_rows, .seed = options.seed}));
    append(out.evaluation.figures, std::move(fairness.figures));
    std::move(fairness.left_out.begin(), fairness.left_out.end(),
              std::back_inserter(out.evaluation.left_out));
  }
  return {};
}

// Whether the lab computes what the engine computes. False, with a warning, where it can't or does not.
Result<bool> same_outputs(lab::Lab& lab, base::ByteView onnx, const Rows& rows,
                          const std::vector<double>& scores, model::Deadline deadline,
                          std::vector<std::string>& warnings) {
  const std::size_t looked_at = std::min<std::size_t>(rows.count(), kBatchRows);
  const lab::MatrixView some{looked_at, rows.columns,
                             std::span(rows.features).first(looked_at * rows.columns)};
  auto outputs = lab.outputs(onnx, some, deadline);
  if (!outputs && outputs.error().code == ErrorCode::kUnsupported) {
    warnings.push_back(fmt::format("No robustness was measured: the lab has no gradients of this model ({})",
                                   outputs.error().message));
    return false;
  }
  if (!outputs) return fail(std::move(outputs).error());
  const std::size_t width = outputs->columns;
  double largest = 0;
  for (std::size_t row = 0; row < looked_at; ++row) {
    const double ours = static_cast<double>(outputs->values[row * width + (width - 1)]);
    largest = std::max(largest, std::abs(ours - scores[row]));
  }
  if (largest <= kSameOutput) return true;
  warnings.push_back(fmt::format(
      "No robustness was measured: the lab's outputs differ from the engine's by up to {:.2g}", largest));
  return false;
}

Result<> measure_attacks(const Task& task, const Rows& rows, model::Predictor& model, base::ByteView onnx,
                         lab::Lab& lab, const AssessOptions& options, model::Deadline deadline,
                         Assessment& out) {
  HF_TRY(const bool same, same_outputs(lab, onnx, rows, out.scores, deadline, out.warnings));
  if (!same) return {};
  const std::vector<std::int32_t> labels(rows.labels.begin(), rows.labels.end());
  std::vector<evaluate::Attacked> attacked;
  std::vector<std::string> descriptions;
  for (const auto& attack : task.attacks) {
    say(options, fmt::format("attacking: {}", attack.name));
    HF_TRY(auto result,
           lab.attack(onnx, rows.matrix(), labels, task.attack_spec(attack, options.seed), deadline));
    // The engine has the last word on what the changed rows make of the model.
    HF_TRY(const auto scores, score(model, {rows.count(), rows.columns, result.rows}, deadline));
    out.attacked.push_back(answers_of(scores, task.threshold));
    for (auto& warning : result.warnings) out.warnings.push_back(fmt::format("{}: {}", attack.name, warning));
  }
  for (std::size_t i = 0; i < task.attacks.size(); ++i) {
    const auto& attack = task.attacks[i];
    const bool pgd = attack.method == lab::AttackMethod::kPgd;
    attacked.push_back(
        {.name = attack.name,
         .description = fmt::format(
             "{}, strength {}{}",
             pgd ? fmt::format("PGD, {} steps, {} starts", attack.steps, attack.restarts)
                 : std::string("FGSM"),
             attack.strength,
             attack.cost_budget ? fmt::format(", cost at most {}", *attack.cost_budget) : std::string()),
         .constraints = task.digest,
         .predicted = out.attacked[i]});
  }
  HF_TRY(auto figures, evaluate::measure_robustness(rows.labels, out.predicted, attacked));
  append(out.evaluation.figures, std::move(figures));
  return {};
}

// Rows in the kind of number that the model takes: what scikit-learn exports is float64 unless told
// otherwise.
model::Tensor input_of(const model::TensorSpec& spec, std::span<const float> values, std::size_t rows,
                       std::size_t columns) {
  std::vector<std::int64_t> shape{static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)};
  if (spec.datatype != model::Datatype::kFp64)
    return model::make_tensor<float>(spec.name, std::move(shape), values);
  const std::vector<double> wide(values.begin(), values.end());
  return model::make_tensor<double>(spec.name, std::move(shape), wide);
}

}  // namespace

Result<std::vector<double>> score(model::Predictor& model, const lab::MatrixView& rows,
                                  model::Deadline deadline) {
  const auto& signature = model.signature();
  const model::TensorSpec* output = probabilities_of(signature);
  if (signature.inputs.size() != 1 || output == nullptr) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("the model has {} inputs and {} outputs; one input [rows, {}] and an output of "
                            "probabilities [rows, 2] are wanted",
                            signature.inputs.size(), signature.outputs.size(), rows.columns));
  }
  std::vector<double> scores;
  scores.reserve(rows.rows);
  for (std::size_t begin = 0; begin < rows.rows; begin += kBatchRows) {
    const std::size_t count = std::min(kBatchRows, rows.rows - begin);
    const model::Tensor inputs[] = {input_of(signature.inputs[0],
                                             rows.values.subspan(begin * rows.columns, count * rows.columns),
                                             count, rows.columns)};
    HF_TRY(const auto outputs, model.predict(inputs, deadline));
    const auto found = std::find_if(outputs.begin(), outputs.end(), [output](const model::Tensor& tensor) {
      return tensor.name == output->name;
    });
    if (found == outputs.end()) return fail(ErrorCode::kUnavailable, "the engine left the probabilities out");
    HF_TRY(const auto values, model::numbers(*found));
    HF_CHECK(check_probabilities(values, count));
    const std::size_t width = values.size() / count;
    for (std::size_t row = 0; row < count; ++row) scores.push_back(values[row * width + (width - 1)]);
  }
  return scores;
}

Result<Assessment> assess(const Task& task, const Rows& rows, model::Predictor& model, base::ByteView onnx,
                          lab::Lab* lab, const AssessOptions& options) {
  const model::Deadline deadline = std::chrono::steady_clock::now() + options.time_limit;
  Assessment out;
  out.evaluation = {.model = options.model,
                    .dataset = options.dataset,
                    .split = options.split,
                    .rows = rows.count(),
                    .seed = options.seed,
                    .threshold = task.threshold,
                    .minimum_group_rows = task.minimum_group_rows};
  say(options, "scoring");
  HF_TRY(out.scores, score(model, rows.matrix(), deadline));
  out.predicted = answers_of(out.scores, task.threshold);
  say(options, "measuring performance and fairness");
  HF_CHECK(measure_people(task, rows, options, out));
  if (task.attacks.empty()) return out;
  if (lab == nullptr) {
    out.warnings.emplace_back(
        "No robustness was measured: this installation has no lab (build with libtorch-dev installed)");
    return out;
  }
  HF_CHECK(measure_attacks(task, rows, model, onnx, *lab, options, deadline, out));
  return out;
}

Result<std::vector<Figure>> compare(const Task& task, const Rows& rows, const Assessment& base,
                                    const Assessment& candidate, std::uint64_t seed) {
  const evaluate::CompareOptions options{.minimum_group_rows = task.minimum_group_rows, .seed = seed};
  HF_TRY(auto figures,
         evaluate::compare_models(
             {.labels = rows.labels, .scores = base.scores, .threshold = task.threshold},
             {.labels = rows.labels, .scores = candidate.scores, .threshold = task.threshold}, options));
  const std::size_t attacks = std::min(base.attacked.size(), candidate.attacked.size());
  for (std::size_t i = 0; i < attacks; ++i) {
    const auto under = [&](const Assessment& of) {
      const evaluate::Attacked attacked[] = {
          {.name = task.attacks[i].name, .description = {}, .constraints = {}, .predicted = of.attacked[i]}};
      return evaluate::answers_under_attack(rows.labels, of.predicted, attacked);
    };
    HF_TRY(auto robust, evaluate::compare_answers(rows.labels, under(base), under(candidate),
                                                  task.attacks[i].name, options));
    append(figures, std::move(robust));
  }
  for (const auto& grouping : rows.groupings) {
    HF_TRY(auto fairness,
           evaluate::compare_fairness(rows.labels, base.predicted, candidate.predicted, grouping, options));
    append(figures, std::move(fairness.figures));
  }
  return figures;
}

}  // namespace holdfast::assess
