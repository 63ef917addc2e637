#include "evaluate/performance.h"

#include <fmt/format.h>

#include <algorithm>

#include "evaluate/measures.h"
#include "stats/bootstrap.h"
#include "stats/proportion.h"

namespace holdfast::evaluate {
namespace {

using base::Result;
using stats::BinaryCounts;
using stats::Confidence;
using stats::Measurement;

constexpr std::string_view kConstant = "constant";

Result<std::vector<Measurement>> measure_all(const Answers& answers, const BinaryCounts& counts,
                                             Confidence confidence) {
  auto figures = measure_counts(counts, confidence);
  HF_TRY(auto of_scores, measure_scores(answers, confidence));
  std::move(of_scores.begin(), of_scores.end(), std::back_inserter(figures));
  return figures;
}

// The accuracy less that of always giving the answer that most rows have: (what is gained on rows of the
// other class - what is lost on rows of this class) / rows, over cells truth x answer.
Result<Measurement> measure_gain(const stats::ConfusionTable& table, const PerformanceOptions& options) {
  const BinaryCounts counts = table.group(0).one_vs_rest(1);
  const bool constant_yes =
      counts.true_positive + counts.false_negative > counts.true_negative + counts.false_positive;
  const auto gain = [&](std::span<const std::uint64_t> cells) {
    const BinaryCounts drawn = table.matrix(cells, 0).one_vs_rest(1);
    const auto gained = static_cast<double>(constant_yes ? drawn.true_negative : drawn.true_positive);
    const auto lost = static_cast<double>(constant_yes ? drawn.false_negative : drawn.false_positive);
    return (gained - lost) / static_cast<double>(drawn.rows());
  };
  HF_TRY(const auto drawn, stats::bootstrap(table.cells(), gain, options.replicates, options.seed));
  return Measurement{
      .name = "accuracy",
      .value = drawn.value,
      .interval = stats::percentile_interval(drawn, options.confidence),
      .sample_size = counts.rows(),
      .method = fmt::format("paired bootstrap over cells, {} replicates, percentile interval, against "
                            "always answering {}",
                            options.replicates, constant_yes ? 1 : 0)};
}

}  // namespace

Result<Performance> measure_performance(const Answers& answers, const PerformanceOptions& options) {
  HF_CHECK(check_answers(answers));
  HF_TRY(const auto table, count_answers(answers.labels, predictions(answers)));
  Performance result{.confusion = table.group(0).one_vs_rest(1), .figures = {}};
  const BinaryCounts& counts = result.confusion;
  HF_TRY(auto figures, measure_all(answers, counts, options.confidence));
  for (auto& figure : figures) result.figures.push_back({.scope = {}, .measurement = std::move(figure)});

  const std::uint64_t positives = counts.true_positive + counts.false_negative;
  const std::uint64_t majority = std::max(positives, counts.rows() - positives);
  result.figures.push_back({.scope = {},
                            .measurement = stats::measure_proportion(
                                "majority_accuracy", {majority, counts.rows()}, options.confidence)});
  const Scope over{.over = std::string(kConstant), .under = "", .by = "", .group = ""};
  HF_TRY(auto gain, measure_gain(table, options));
  result.figures.push_back({.scope = over, .measurement = std::move(gain)});
  auto balanced = measure_balanced_accuracy("balanced_accuracy", counts, options.confidence);
  balanced.value -= 0.5;
  balanced.interval.low -= 0.5;
  balanced.interval.high -= 0.5;
  balanced.method += ", less the one half that every constant answer has";
  result.figures.push_back({.scope = over, .measurement = std::move(balanced)});
  return result;
}

Result<GroupPerformance> measure_groups(const Answers& answers, const Grouping& grouping,
                                        std::uint64_t minimum_group_rows, Confidence confidence) {
  HF_CHECK(check_answers(answers));
  HF_TRY(const auto table, count_answers(answers.labels, predictions(answers), &grouping));
  std::vector<std::vector<std::uint8_t>> labels(grouping.groups.size());
  std::vector<std::vector<double>> scores(grouping.groups.size());
  for (std::size_t row = 0; row < answers.rows(); ++row) {
    labels[grouping.group_of[row]].push_back(answers.labels[row]);
    scores[grouping.group_of[row]].push_back(answers.scores[row]);
  }
  GroupPerformance result;
  for (std::size_t group = 0; group < grouping.groups.size(); ++group) {
    const std::string& name = grouping.groups[group];
    const std::uint64_t rows = labels[group].size();
    if (rows < std::max<std::uint64_t>(minimum_group_rows, 1)) {
      result.left_out.push_back({.by = grouping.by, .group = name, .rows = rows});
      continue;
    }
    const Answers own{.labels = labels[group], .scores = scores[group], .threshold = answers.threshold};
    HF_TRY(auto figures, measure_all(own, table.group(group).one_vs_rest(1), confidence));
    const Scope scope{.over = "", .under = "", .by = grouping.by, .group = name};
    for (auto& figure : figures) {
      result.figures.push_back({.scope = scope, .measurement = std::move(figure)});
    }
  }
  return result;
}

}  // namespace holdfast::evaluate
