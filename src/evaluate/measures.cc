#include "evaluate/measures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "stats/proportion.h"

namespace holdfast::evaluate {
namespace {

using base::Result;
using stats::BinaryCounts;
using stats::Confidence;
using stats::Interval;
using stats::Measurement;
using stats::Proportion;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Measurement measure_f1(const BinaryCounts& counts, Confidence confidence) {
  const Proportion overlap{.successes = counts.true_positive,
                           .trials = counts.true_positive + counts.false_positive + counts.false_negative};
  if (overlap.trials == 0) return undefined("f1", counts.rows(), confidence, "no row is or was called 1");
  const Interval inner = stats::wilson(overlap, confidence);
  const auto of = [](double q) { return 2 * q / (1 + q); };
  return {.name = "f1",
          .value = f1(counts),
          .interval = {.low = of(inner.low), .high = of(inner.high), .confidence = confidence},
          .sample_size = overlap.trials,
          .method = "2q/(1+q) of the Wilson score interval of q = TP/(TP+FP+FN)"};
}

Measurement measure_mean(std::string name, const stats::SampleMean& mean, Confidence confidence) {
  return {.name = std::move(name),
          .value = mean.mean,
          .interval = stats::mean_interval(mean, confidence),
          .sample_size = mean.rows,
          .method = "Student's t interval of the rows' mean"};
}

}  // namespace

Measurement undefined(std::string name, std::uint64_t rows, Confidence confidence, std::string_view why) {
  return {.name = std::move(name),
          .value = kNan,
          .interval = stats::unbounded(confidence),
          .sample_size = rows,
          .method = fmt::format("could not be computed: {}", why)};
}

double f1(const BinaryCounts& counts) {
  const auto twice = 2 * static_cast<double>(counts.true_positive);
  return twice / (twice + static_cast<double>(counts.false_positive + counts.false_negative));
}

Measurement measure_balanced_accuracy(std::string name, const BinaryCounts& counts, Confidence confidence) {
  const Proportion positives{.successes = counts.true_positive,
                             .trials = counts.true_positive + counts.false_negative};
  const Proportion negatives{.successes = counts.false_positive,
                             .trials = counts.false_positive + counts.true_negative};
  if (positives.trials == 0 || negatives.trials == 0) {
    return undefined(std::move(name), counts.rows(), confidence, "all rows are of one class");
  }
  const Interval difference = stats::newcombe_difference(positives, negatives, confidence);
  return {.name = std::move(name),
          .value = counts.balanced_accuracy(),
          .interval = {.low = (difference.low + 1) / 2,
                       .high = (difference.high + 1) / 2,
                       .confidence = confidence},
          .sample_size = counts.rows(),
          .method = "from the true and the false positive rate by method 10 of Newcombe 1998"};
}

std::vector<Measurement> measure_counts(const BinaryCounts& counts, Confidence confidence) {
  const auto& [tp, fp, tn, fn] = counts;
  const auto share = [&](std::string name, std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? undefined(std::move(name), counts.rows(), confidence, "it is a share of no rows")
                      : stats::measure_proportion(std::move(name), {part, whole}, confidence);
  };
  return {share("accuracy", tp + tn, counts.rows()),
          measure_balanced_accuracy("balanced_accuracy", counts, confidence),
          measure_f1(counts, confidence),
          share("precision", tp, tp + fp),
          share("true_positive_rate", tp, tp + fn),
          share("false_positive_rate", fp, fp + tn),
          share("selection_rate", tp + fp, counts.rows())};
}

double log_loss_of(double score, bool truth) {
  constexpr double kClamp = std::numeric_limits<double>::epsilon();
  return -std::log(std::clamp(truth ? score : 1 - score, kClamp, 1 - kClamp));
}

Result<std::vector<Measurement>> measure_scores(const Answers& answers, Confidence confidence) {
  std::vector<Measurement> figures;
  const auto positives = std::count(answers.labels.begin(), answers.labels.end(), 1);
  if (positives == 0 || static_cast<std::size_t>(positives) == answers.rows()) {
    figures.push_back(undefined("auc", answers.rows(), confidence, "all rows are of one class"));
  } else {
    HF_TRY(const auto auc, stats::roc_auc(answers.scores, answers.labels));
    figures.push_back({.name = "auc",
                       .value = auc.value,
                       .interval = stats::auc_interval(auc, confidence),
                       .sample_size = answers.rows(),
                       .method = "DeLong's variance (1988) on the logit scale (Pepe 2003)"});
  }
  HF_TRY(const auto brier, stats::brier_score(answers.scores, answers.labels));
  figures.push_back(measure_mean("brier", brier, confidence));
  std::vector<double> both;
  std::vector<std::uint32_t> labels(answers.labels.begin(), answers.labels.end());
  both.reserve(2 * answers.rows());
  for (const double score : answers.scores) both.insert(both.end(), {1 - score, score});
  HF_TRY(const auto loss, stats::log_loss({.values = both, .classes = 2}, labels));
  figures.push_back(measure_mean("log_loss", loss, confidence));
  return figures;
}

}  // namespace holdfast::evaluate
