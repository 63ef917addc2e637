#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "stats/classification.h"

// What a model that answers a yes-or-no question said to labelled rows, and how those rows are grouped. The
// caller runs the model; evaluate/ sees labels and scores only.

namespace holdfast::evaluate {

// Borrowed from the caller.
struct Answers {
  std::span<const std::uint8_t> labels;  // the truth, 0 or 1
  std::span<const double> scores;        // the probability of 1 that the model gave, in [0, 1]
  double threshold = 0.5;                // the answer is 1 where the score is at least this

  [[nodiscard]] std::size_t rows() const { return labels.size(); }
  [[nodiscard]] bool says_yes(std::size_t row) const { return scores[row] >= threshold; }
};

inline constexpr std::size_t kMaxRows = 100'000'000;

// kInvalidArgument, naming the row: the lengths differ, there is no row or more than kMaxRows, a label is
// neither 0 nor 1, a score or the threshold is outside of [0, 1].
base::Result<> check_answers(const Answers& answers);

// The answers as labels, 0 or 1.
std::vector<std::uint8_t> predictions(const Answers& answers);

// A partition of the rows, by a sensitive column or by any other.
struct Grouping {
  static constexpr std::size_t kMaxGroups = 1024;

  std::string by;                       // "sex"
  std::vector<std::string> groups;      // sorted
  std::vector<std::uint32_t> group_of;  // for each row an index in `groups`
};

// Groups rows that share a value: bin numbers such as ages before. kLimitExceeded over kMaxGroups,
// kInvalidArgument for a name or a value that is empty, too long (figure.h) or no UTF-8.
base::Result<Grouping> group_by(std::string by, std::span<const std::string> values);
// The groups of both together that have rows: "sex x age" with "female, 30-39". kInvalidArgument where the
// rows are not as many.
base::Result<Grouping> intersect(const Grouping& first, const Grouping& second);

// Counts by group, truth and answer. kInvalidArgument where the rows of the two are not as many.
base::Result<stats::ConfusionTable> count_answers(std::span<const std::uint8_t> labels,
                                                  std::span<const std::uint8_t> predicted,
                                                  const Grouping* grouping = nullptr);

}  // namespace holdfast::evaluate
