#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "monitor/reference.h"
#include "stats/histogram.h"
#include "stats/moments.h"

namespace holdfast::monitor {

// One value of a row: missing, a number, or a text.
using Cell = std::variant<std::monostate, double, std::string_view>;

// Counts of one column's values in a window.
class ColumnWindow {
 public:
  explicit ColumnWindow(const ReferenceColumn& reference);

  void add(const ReferenceColumn& reference, const Cell& cell);
  void merge(const ColumnWindow& other);

  // In the reference's bins.
  [[nodiscard]] std::vector<std::uint64_t> bins(const ReferenceColumn& reference) const;
  [[nodiscard]] const stats::LogLinearHistogram& numbers() const { return numbers_; }

  friend bool operator==(const ColumnWindow&, const ColumnWindow&) = default;

 private:
  friend class WindowJson;
  stats::LogLinearHistogram numbers_;
  std::vector<std::uint64_t> categories_;  // with one more for all others
  std::uint64_t missing_ = 0;              // with what is no number, in a numeric column
};

// What the calibrated probabilities of one answer add up to, exactly.
struct AnswerWindow {
  std::uint64_t rows = 0;
  stats::Moments probability;  // of 1

  friend bool operator==(const AnswerWindow&, const AnswerWindow&) = default;
};

// The traffic of some time or of some number of rows, as the caller bounds it: constant memory, at most 128
// KB a column, and no row is kept. Shards merge to what one window would hold, bit for bit. Not thread-safe;
// one for each thread, merged when the window ends.
class Window {
 public:
  // Shared, since a window outlives the release whose traffic it holds.
  explicit Window(std::shared_ptr<const Reference> reference);

  // One cell for each of the reference's columns, in their order, asserted. A number in a column of
  // categories counts as its shortest text; a text in a column of numbers, and a number that is not finite,
  // as missing.
  void add_row(std::span<const Cell> row);
  // The probability of 1 that the model gave; outside of [0, 1] or no number, it counts as missing.
  void add_score(double score);
  // kInvalidArgument unless the references are equal.
  base::Result<> merge(const Window& other);

  [[nodiscard]] const Reference& reference() const { return *reference_; }
  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  [[nodiscard]] std::uint64_t scores() const { return scores_; }
  [[nodiscard]] const std::vector<ColumnWindow>& columns() const { return columns_; }
  [[nodiscard]] const ColumnWindow& score() const { return score_; }
  // By the answer, 0 or 1; empty without a calibration.
  [[nodiscard]] const AnswerWindow& answer(bool yes) const { return yes ? yes_ : no_; }

  // Whether they hold the same, of equal references.
  [[nodiscard]] bool same_as(const Window& other) const;

 private:
  friend class WindowJson;
  std::shared_ptr<const Reference> reference_;
  std::vector<ColumnWindow> columns_;
  ColumnWindow score_;
  AnswerWindow yes_;
  AnswerWindow no_;
  std::uint64_t rows_ = 0;
  std::uint64_t scores_ = 0;
};

// Canonical JSON, for a window that outlives its process or is merged elsewhere: counts, and sketches in
// base64 of their own bytes. Without the reference.
std::string to_json(const Window& window);
// A window against `reference`, which must be the one that it was counted against. kInvalidArgument, or
// kDataCorrupt for a sketch, naming the member; also where counts do not fit the reference or each other.
base::Result<Window> parse_window(std::shared_ptr<const Reference> reference, std::string_view json);

}  // namespace holdfast::monitor
