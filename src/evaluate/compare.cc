#include "evaluate/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "evaluate/fairness_rates.h"
#include "evaluate/measures.h"
#include "stats/bootstrap.h"
#include "stats/roc.h"

namespace holdfast::evaluate {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using stats::ConfusionTable;
using stats::JointConfusionTable;
using Cells = std::span<const std::uint64_t>;
using Labels = std::span<const std::uint8_t>;

// What is compared, as many values as names.
struct Figures {
  std::vector<std::string> names;
  std::function<std::vector<double>(const ConfusionTable&)> of;
};

// How an interval is made of replicates.
enum class Ends {
  kPercentile,
  // Of a difference of largest differences, which replicates put too high or too low where groups do not
  // differ: what it and its replicates differ by in the wanted share of them, to both sides.
  kSymmetric,
};

stats::Interval symmetric_interval(const stats::Bootstrap& drawn, stats::Confidence confidence) {
  const auto& replicates = drawn.replicates;
  if (replicates.empty() || replicates.front() == replicates.back()) return stats::unbounded(confidence);
  std::vector<double> distances(drawn.undefined, std::numeric_limits<double>::infinity());
  for (const double replicate : replicates) distances.push_back(std::abs(replicate - drawn.value));
  const double wanted = std::ceil(confidence.level() * static_cast<double>(distances.size() + 1));
  if (!(wanted <= static_cast<double>(distances.size()))) return stats::unbounded(confidence);
  const auto at = distances.begin() + static_cast<std::ptrdiff_t>(wanted) - 1;
  std::nth_element(distances.begin(), at, distances.end());
  return {.low = drawn.value - *at, .high = drawn.value + *at, .confidence = confidence};
}

// Differences of all figures from the same resamples.
Result<std::vector<stats::Measurement>> bootstrap_differences(const JointConfusionTable& joint,
                                                              const Figures& figures, Ends ends,
                                                              const CompareOptions& options) {
  if (options.replicates < stats::kMinReplicates || options.replicates > stats::kMaxReplicates) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("a bootstrap takes {} to {} replicates, not {}", stats::kMinReplicates,
                            stats::kMaxReplicates, options.replicates));
  }
  const auto differences = [&](Cells cells) {
    std::vector<double> values = figures.of(joint.second(cells));
    const std::vector<double> base = figures.of(joint.first(cells));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] -= base[i];
    return values;
  };
  const std::vector<double> values = differences(joint.cells());
  std::uint64_t rows = 0;
  for (const std::uint64_t count : joint.cells()) rows += count;
  std::vector<stats::Bootstrap> drawn(figures.names.size());
  std::vector<std::uint64_t> cells(joint.cells().size());
  for (std::size_t replicate = 0; replicate < options.replicates; ++replicate) {
    stats::resample(joint.cells(), options.seed, replicate, cells);
    const std::vector<double> replicates = differences(cells);
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      if (std::isnan(replicates[i])) {
        ++drawn[i].undefined;
      } else {
        drawn[i].replicates.push_back(replicates[i]);
      }
    }
  }
  std::vector<stats::Measurement> result;
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    drawn[i].value = values[i];
    std::sort(drawn[i].replicates.begin(), drawn[i].replicates.end());
    const bool symmetric = ends == Ends::kSymmetric;
    result.push_back({.name = figures.names[i],
                      .value = values[i],
                      .interval = symmetric ? symmetric_interval(drawn[i], options.confidence)
                                            : stats::percentile_interval(drawn[i], options.confidence),
                      .sample_size = rows,
                      .method = fmt::format("paired bootstrap over joint cells, {} replicates, {} interval",
                                            options.replicates, symmetric ? "symmetric" : "percentile")});
  }
  return result;
}

Result<JointConfusionTable> count_jointly(Labels labels, Labels base, Labels candidate,
                                          const Grouping* grouping) {
  HF_CHECK(count_answers(labels, base, grouping));
  HF_CHECK(count_answers(labels, candidate, grouping));
  const std::size_t groups = grouping == nullptr ? 1 : grouping->groups.size();
  HF_TRY(auto joint, JointConfusionTable::create(groups, 2));
  for (std::size_t row = 0; row < labels.size(); ++row) {
    joint.add(grouping == nullptr ? 0 : grouping->group_of[row], labels[row], base[row], candidate[row]);
  }
  return joint;
}

stats::BinaryCounts counts_of(const ConfusionTable& table) { return table.group(0).one_vs_rest(1); }

Figures answer_figures() {
  return {.names = {"accuracy", "balanced_accuracy", "f1", "precision", "true_positive_rate",
                    "false_positive_rate", "selection_rate"},
          .of = [](const ConfusionTable& table) {
            const stats::BinaryCounts counts = counts_of(table);
            return std::vector<double>{
                counts.accuracy(),      counts.balanced_accuracy(),  f1(counts),
                counts.precision(),     counts.true_positive_rate(), counts.false_positive_rate(),
                counts.selection_rate()};
          }};
}

Figures attacked_figures() {
  return {.names = {"robust_accuracy", "robust_balanced_accuracy"}, .of = [](const ConfusionTable& table) {
            const stats::BinaryCounts counts = counts_of(table);
            return std::vector<double>{counts.accuracy(), counts.balanced_accuracy()};
          }};
}

Figures fairness_figures(const std::vector<bool>& skip) {
  return {
      .names = {"demographic_parity_difference", "demographic_parity_ratio", "equal_opportunity_difference",
                "equal_opportunity_ratio", "false_positive_rate_difference", "false_positive_rate_ratio",
                "equalized_odds_difference", "equalized_odds_ratio"},
      .of = [skip](const ConfusionTable& table) {
        const FairnessValues v = fairness_values(table, skip);
        return std::vector<double>{v.demographic_parity_difference,  v.demographic_parity_ratio,
                                   v.equal_opportunity_difference,   v.equal_opportunity_ratio,
                                   v.false_positive_rate_difference, v.false_positive_rate_ratio,
                                   v.equalized_odds_difference,      v.equalized_odds_ratio};
      }};
}

std::vector<Figure> in_scope(const Scope& scope, std::vector<stats::Measurement> measurements) {
  std::vector<Figure> figures;
  for (auto& measurement : measurements) {
    figures.push_back({.scope = scope, .measurement = std::move(measurement)});
  }
  return figures;
}

// The mean over the rows of loss(candidate's score) - loss(base's), each a function of score and label.
template <typename Loss>
stats::Measurement compare_loss(std::string name, const Answers& base, const Answers& candidate, Loss loss,
                                stats::Confidence confidence) {
  const auto rows = static_cast<double>(base.rows());
  const auto difference = [&](std::size_t row) {
    const bool truth = base.labels[row] == 1;
    return loss(candidate.scores[row], truth) - loss(base.scores[row], truth);
  };
  double mean = 0;
  for (std::size_t row = 0; row < base.rows(); ++row) mean += difference(row) / rows;
  double squares = 0;
  for (std::size_t row = 0; row < base.rows(); ++row) {
    squares += (difference(row) - mean) * (difference(row) - mean);
  }
  const stats::SampleMean sample{.mean = mean, .variance = squares / (rows - 1), .rows = base.rows()};
  return {.name = std::move(name),
          .value = mean,
          .interval = stats::mean_interval(sample, confidence),
          .sample_size = base.rows(),
          .method = "Student's t interval of the rows' mean difference"};
}

Result<stats::Measurement> compare_areas(const Answers& base, const Answers& candidate,
                                         stats::Confidence confidence) {
  const auto positives = std::count(base.labels.begin(), base.labels.end(), 1);
  if (positives == 0 || static_cast<std::size_t>(positives) == base.rows()) {
    return undefined("auc", base.rows(), confidence, "all rows are of one class");
  }
  HF_TRY(const auto areas, stats::compare_auc(base.scores, candidate.scores, base.labels));
  return stats::Measurement{.name = "auc",
                            .value = areas.difference(),
                            .interval = stats::auc_difference_interval(areas, confidence),
                            .sample_size = base.rows(),
                            .method = "DeLong's covariance of both areas (1988)"};
}

}  // namespace

std::string_view to_string(Change change) {
  switch (change) {
    case Change::kGain:
      return "gain";
    case Change::kCost:
      return "cost";
    case Change::kCouldNotTell:
      return "could not tell";
    case Change::kNeutral:
      return "neutral";
  }
  return "could not tell";
}

Change change_of(const Figure& difference) {
  const Better way = better(difference.measurement.name);
  const auto [low, high, confidence] = difference.measurement.interval;
  if (way == Better::kNeither) return Change::kNeutral;
  if (low > 0) return way == Better::kHigher ? Change::kGain : Change::kCost;
  if (high < 0) return way == Better::kHigher ? Change::kCost : Change::kGain;
  return Change::kCouldNotTell;
}

Result<std::vector<Figure>> compare_answers(Labels labels, Labels base, Labels candidate,
                                            const std::string& under, const CompareOptions& options) {
  HF_TRY(const auto joint, count_jointly(labels, base, candidate, nullptr));
  HF_TRY(auto differences, bootstrap_differences(joint, under.empty() ? answer_figures() : attacked_figures(),
                                                 Ends::kPercentile, options));
  return in_scope({.over = options.over, .under = under, .by = "", .group = ""}, std::move(differences));
}

Result<std::vector<Figure>> compare_models(const Answers& base, const Answers& candidate,
                                           const CompareOptions& options) {
  HF_CHECK(check_answers(base));
  HF_CHECK(check_answers(candidate));
  if (!std::equal(base.labels.begin(), base.labels.end(), candidate.labels.begin(), candidate.labels.end())) {
    return fail(ErrorCode::kInvalidArgument,
                "the two models answered other rows: their labels are not the same");
  }
  HF_TRY(auto figures, compare_answers(base.labels, predictions(base), predictions(candidate), "", options));
  HF_TRY(auto areas, compare_areas(base, candidate, options.confidence));
  std::vector<stats::Measurement> of_scores{std::move(areas)};
  const auto brier = [](double score, bool truth) {
    const double error = score - (truth ? 1 : 0);
    return error * error;
  };
  of_scores.push_back(compare_loss("brier", base, candidate, brier, options.confidence));
  of_scores.push_back(compare_loss("log_loss", base, candidate, log_loss_of, options.confidence));
  for (auto& figure :
       in_scope({.over = options.over, .under = "", .by = "", .group = ""}, std::move(of_scores))) {
    figures.push_back(std::move(figure));
  }
  return figures;
}

Result<Fairness> compare_fairness(Labels labels, Labels base, Labels candidate, const Grouping& grouping,
                                  const CompareOptions& options) {
  HF_TRY(const auto joint, count_jointly(labels, base, candidate, &grouping));
  Fairness result;
  const std::vector<bool> skip =
      small_groups(joint.first(joint.cells()), grouping, options.minimum_group_rows, result.left_out);
  if (std::count(skip.begin(), skip.end(), false) < 2) return result;
  HF_TRY(auto differences, bootstrap_differences(joint, fairness_figures(skip), Ends::kSymmetric, options));
  result.figures =
      in_scope({.over = options.over, .under = "", .by = grouping.by, .group = ""}, std::move(differences));
  return result;
}

}  // namespace holdfast::evaluate
