#include "monitor/reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/assert.h"

namespace holdfast::monitor {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;

Result<> check_answers(const ReferenceAnswers& answers) {
  if (answers.scores.empty()) return fail(ErrorCode::kInvalidArgument, "a reference needs scores");
  if (!answers.labels.empty() && answers.labels.size() != answers.scores.size()) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("there are {} scores but {} labels",
                                                         answers.scores.size(), answers.labels.size()));
  }
  for (std::size_t row = 0; row < answers.scores.size(); ++row) {
    if (!(answers.scores[row] >= 0 && answers.scores[row] <= 1)) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("row {}: score {} is outside of 0 to 1", row, answers.scores[row]));
    }
    if (!answers.labels.empty() && answers.labels[row] > 1) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("row {}: label {} is neither 0 nor 1", row, answers.labels[row]));
    }
  }
  if (answers.threshold >= 0 && answers.threshold <= 1) return {};
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("the threshold {} is outside of 0 to 1", answers.threshold));
}

bool is_numeric(data::ColumnType type) {
  return type == data::ColumnType::kInteger || type == data::ColumnType::kReal;
}

Result<ReferenceColumn> column_of(const data::ColumnProfile& profile, std::size_t bins) {
  HF_TRY(auto of_column, data::ReferenceBins::of(profile, bins));
  ReferenceColumn column{.name = profile.name, .bins = std::move(of_column), .numbers = std::nullopt};
  if (is_numeric(profile.type())) column.numbers = profile.numbers.histogram;
  return column;
}

Result<ReferenceColumn> score_of(std::span<const double> scores, std::size_t bins) {
  data::ColumnProfile profile;
  profile.name = "score";
  profile.reals = scores.size();
  profile.numbers.add(scores);
  return column_of(profile, bins);
}

Result<ReferenceCalibration> calibrate(const ReferenceAnswers& answers) {
  const std::vector<double> targets(answers.labels.begin(), answers.labels.end());
  HF_TRY(auto probability, stats::IsotonicRegression::fit(answers.scores, targets));
  stats::BinaryCounts confusion;
  for (std::size_t row = 0; row < answers.labels.size(); ++row) {
    const bool yes = answers.scores[row] >= answers.threshold;
    if (answers.labels[row] == 1) {
      ++(yes ? confusion.true_positive : confusion.false_negative);
    } else {
      ++(yes ? confusion.false_positive : confusion.true_negative);
    }
  }
  return ReferenceCalibration{.probability = std::move(probability), .confusion = confusion};
}

}  // namespace

bool operator==(const ReferenceCalibration& a, const ReferenceCalibration& b) {
  return a.confusion == b.confusion && std::ranges::equal(a.probability.knots(), b.probability.knots());
}

Result<Reference> Reference::freeze(const data::Profile& training, const ReferenceAnswers& answers,
                                    std::size_t bins) {
  if (bins < 2 || bins > data::ReferenceBins::kMaxBins) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("a reference takes 2 to {} bins, not {}", data::ReferenceBins::kMaxBins, bins));
  }
  HF_CHECK(check_answers(answers));
  HF_TRY(auto score, score_of(answers.scores, bins));
  Reference reference(std::move(score), answers.threshold);
  for (const data::ColumnProfile& profile : training.columns()) {
    if (profile.type() == data::ColumnType::kText) {  // also one without values
      reference.unwatched_.push_back(profile.name);
      continue;
    }
    HF_TRY(auto column, column_of(profile, bins));
    reference.columns_.push_back(std::move(column));
  }
  if (reference.columns_.empty()) {
    return fail(ErrorCode::kInvalidArgument,
                "no column of the training profile can be watched: all are free text or without values");
  }
  if (!answers.labels.empty()) {
    HF_TRY(reference.calibration_, calibrate(answers));
  }
  return reference;
}

std::optional<std::size_t> Reference::place_of(std::string_view column) const {
  const auto found = std::find_if(columns_.begin(), columns_.end(),
                                  [&](const ReferenceColumn& one) { return one.name == column; });
  if (found == columns_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - columns_.begin());
}

}  // namespace holdfast::monitor
