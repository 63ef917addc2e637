#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/bins.h"
#include "data/profile.h"
#include "stats/calibration.h"
#include "stats/classification.h"
#include "stats/histogram.h"

namespace holdfast::monitor {

// What a model gave to rows that it was not trained on: the validation split. Borrowed from the caller.
struct ReferenceAnswers {
  std::span<const double> scores;        // the probability of 1, in [0, 1]
  std::span<const std::uint8_t> labels;  // the truth, 0 or 1; empty where it is not known
  double threshold = 0.5;                // the answer is 1 where the score is at least this
};

// How windows are held against one column: its bins, and for numbers the distribution in fine buckets.
struct ReferenceColumn {
  std::string name;
  data::ReferenceBins bins;
  std::optional<stats::LogLinearHistogram> numbers;  // of a numeric column

  friend bool operator==(const ReferenceColumn&, const ReferenceColumn&) = default;
};

// What turns scores into probabilities, and how right the answers were where the truth was known.
struct ReferenceCalibration {
  stats::IsotonicRegression probability;  // of 1, given the score
  stats::BinaryCounts confusion;

  friend bool operator==(const ReferenceCalibration& a, const ReferenceCalibration& b);
};

// What production is compared to, frozen when a model is released: the columns of its training profile, the
// distribution of its scores, and their calibration. It holds no rows; about 1 to 10 KB a column. Immutable.
class Reference {
 public:
  static constexpr std::size_t kMaxBytes = 256UL << 20;  // of its JSON

  // Columns of free text or without values are not watched, see unwatched(). kInvalidArgument where no column
  // can be watched, there are no scores, a score is outside of [0, 1], or labels and scores differ in length.
  static base::Result<Reference> freeze(const data::Profile& training, const ReferenceAnswers& answers,
                                        std::size_t bins = 10);

  [[nodiscard]] const std::vector<ReferenceColumn>& columns() const { return columns_; }
  // Names of columns that no window is held against.
  [[nodiscard]] const std::vector<std::string>& unwatched() const { return unwatched_; }
  [[nodiscard]] const ReferenceColumn& score() const { return score_; }
  [[nodiscard]] double threshold() const { return threshold_; }
  // Nothing where the labels were not known.
  [[nodiscard]] const std::optional<ReferenceCalibration>& calibration() const { return calibration_; }
  // The place of a column in columns(), or nothing.
  [[nodiscard]] std::optional<std::size_t> place_of(std::string_view column) const;

  friend bool operator==(const Reference&, const Reference&) = default;

 private:
  friend base::Result<Reference> parse_reference(std::string_view json);
  Reference(ReferenceColumn score, double threshold) : score_(std::move(score)), threshold_(threshold) {}

  std::vector<ReferenceColumn> columns_;
  std::vector<std::string> unwatched_;
  ReferenceColumn score_;
  double threshold_;
  std::optional<ReferenceCalibration> calibration_;
};

// Canonical JSON: bins as data/bins.h writes them, histograms in base64 of their own bytes, other numbers as
// text.
std::string to_json(const Reference& reference);
// kInvalidArgument, or kDataCorrupt for a histogram, naming the column and the member.
base::Result<Reference> parse_reference(std::string_view json);

}  // namespace holdfast::monitor
