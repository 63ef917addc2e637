#include "monitor/window.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/assert.h"
#include "data/json_fields.h"

namespace holdfast::monitor {

using base::ErrorCode;
using base::fail;
using base::Result;

ColumnWindow::ColumnWindow(const ReferenceColumn& reference)
    : categories_(reference.numbers ? 0 : reference.bins.categories().size() + 1) {}

void ColumnWindow::add(const ReferenceColumn& reference, const Cell& cell) {
  const double* const number = std::get_if<double>(&cell);
  const bool is_number = number != nullptr && std::isfinite(*number);
  if (reference.numbers) {
    if (is_number) {
      numbers_.add(*number);
    } else {
      ++missing_;
    }
    return;
  }
  const auto* const text = std::get_if<std::string_view>(&cell);
  if (text == nullptr && !is_number) {
    ++missing_;
    return;
  }
  const std::string of_number = text == nullptr ? data::number_text(*number) : std::string();
  const std::string_view value = text == nullptr ? std::string_view(of_number) : *text;
  const auto& categories = reference.bins.categories();
  const auto found = std::lower_bound(categories.begin(), categories.end(), value);
  const bool known = found != categories.end() && *found == value;
  ++(known ? categories_[static_cast<std::size_t>(found - categories.begin())] : categories_.back());
}

void ColumnWindow::merge(const ColumnWindow& other) {
  HF_ASSERT(categories_.size() == other.categories_.size());
  numbers_.merge(other.numbers_);
  for (std::size_t i = 0; i < categories_.size(); ++i) categories_[i] += other.categories_[i];
  missing_ += other.missing_;
}

std::vector<std::uint64_t> ColumnWindow::bins(const ReferenceColumn& reference) const {
  std::vector<std::uint64_t> counts =
      reference.numbers ? numbers_.counts_between(reference.bins.edges()) : categories_;
  counts.push_back(missing_);
  return counts;
}

Window::Window(std::shared_ptr<const Reference> reference)
    : reference_(std::move(reference)), score_(reference_->score()) {
  columns_.reserve(reference_->columns().size());
  for (const ReferenceColumn& column : reference_->columns()) columns_.emplace_back(column);
}

void Window::add_row(std::span<const Cell> row) {
  HF_ASSERT(row.size() == columns_.size());
  for (std::size_t i = 0; i < row.size(); ++i) columns_[i].add(reference_->columns()[i], row[i]);
  ++rows_;
}

void Window::add_score(double score) {
  if (!(score >= 0 && score <= 1)) {
    score_.add(reference_->score(), std::monostate());
    return;
  }
  score_.add(reference_->score(), score);
  ++scores_;
  if (!reference_->calibration()) return;
  AnswerWindow& answer = score >= reference_->threshold() ? yes_ : no_;
  ++answer.rows;
  answer.probability.add(reference_->calibration()->probability.apply(score));
}

Result<> Window::merge(const Window& other) {
  if (reference_ != other.reference_ && !(*reference_ == *other.reference_)) {
    return fail(ErrorCode::kInvalidArgument,
                "windows against different references can't be merged: each is of its own release");
  }
  for (std::size_t i = 0; i < columns_.size(); ++i) columns_[i].merge(other.columns_[i]);
  score_.merge(other.score_);
  for (const auto& [mine, theirs] : {std::pair{&yes_, &other.yes_}, {&no_, &other.no_}}) {
    mine->rows += theirs->rows;
    mine->probability.merge(theirs->probability);
  }
  rows_ += other.rows_;
  scores_ += other.scores_;
  return {};
}

bool Window::same_as(const Window& other) const {
  return *reference_ == *other.reference_ && columns_ == other.columns_ && score_ == other.score_ &&
         yes_ == other.yes_ && no_ == other.no_ && rows_ == other.rows_ && scores_ == other.scores_;
}

}  // namespace holdfast::monitor
