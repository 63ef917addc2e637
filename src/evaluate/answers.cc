#include "evaluate/answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "data/json_fields.h"
#include "evaluate/figure.h"

namespace holdfast::evaluate {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;

Result<> check_scope_text(std::string_view what, std::string_view text) {
  if (!text.empty() && text.size() <= kMaxScopeBytes && data::is_utf8(text)) return {};
  return fail(ErrorCode::kInvalidArgument, fmt::format("the {} \"{}\" is empty, over {} bytes or no UTF-8",
                                                       what, text.substr(0, 100), kMaxScopeBytes));
}

Result<> check_binary(std::string_view what, std::span<const std::uint8_t> values) {
  const auto wrong = std::find_if(values.begin(), values.end(), [](std::uint8_t v) { return v > 1; });
  if (wrong == values.end()) return {};
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("row {}: {} {} is neither 0 nor 1", wrong - values.begin(), what, *wrong));
}

Result<> check_rows(std::size_t labels, std::size_t answers) {
  if (labels != answers) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("there are {} labels but {} answers", labels, answers));
  }
  if (labels == 0 || labels > kMaxRows) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("an evaluation takes 1 to {} rows, not {}", kMaxRows, labels));
  }
  return {};
}

}  // namespace

Result<> check_answers(const Answers& answers) {
  HF_CHECK(check_rows(answers.labels.size(), answers.scores.size()));
  HF_CHECK(check_binary("label", answers.labels));
  const auto is_probability = [](double score) { return score >= 0 && score <= 1; };
  const auto wrong = std::find_if_not(answers.scores.begin(), answers.scores.end(), is_probability);
  if (wrong != answers.scores.end()) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("row {}: score {} is outside of 0 to 1", wrong - answers.scores.begin(), *wrong));
  }
  if (!is_probability(answers.threshold)) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("the threshold {} is outside of 0 to 1", answers.threshold));
  }
  return {};
}

std::vector<std::uint8_t> predictions(const Answers& answers) {
  std::vector<std::uint8_t> predicted(answers.scores.size());
  for (std::size_t row = 0; row < predicted.size(); ++row) predicted[row] = answers.says_yes(row) ? 1 : 0;
  return predicted;
}

Result<Grouping> group_by(std::string by, std::span<const std::string> values) {
  HF_CHECK(check_scope_text("grouping", by));
  std::map<std::string_view, std::uint32_t> places;
  for (const std::string& value : values) {
    if (!places.emplace(value, 0).second) continue;
    HF_CHECK(check_scope_text(fmt::format("group of {}", by), value));
    if (places.size() > Grouping::kMaxGroups) {
      return fail(
          ErrorCode::kLimitExceeded,
          fmt::format("{} has more than {} groups: put its values into bins", by, Grouping::kMaxGroups));
    }
  }
  Grouping grouping{.by = std::move(by), .groups = {}, .group_of = {}};
  for (auto& [value, place] : places) {
    place = static_cast<std::uint32_t>(grouping.groups.size());
    grouping.groups.emplace_back(value);
  }
  grouping.group_of.reserve(values.size());
  for (const std::string& value : values) grouping.group_of.push_back(places.find(value)->second);
  return grouping;
}

Result<Grouping> intersect(const Grouping& first, const Grouping& second) {
  if (first.group_of.size() != second.group_of.size()) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{} groups {} rows but {} groups {}", first.by, first.group_of.size(), second.by,
                            second.group_of.size()));
  }
  std::vector<std::string> values;
  values.reserve(first.group_of.size());
  for (std::size_t row = 0; row < first.group_of.size(); ++row) {
    values.push_back(first.groups[first.group_of[row]] + ", " + second.groups[second.group_of[row]]);
  }
  return group_by(first.by + " x " + second.by, values);
}

Result<stats::ConfusionTable> count_answers(std::span<const std::uint8_t> labels,
                                            std::span<const std::uint8_t> predicted,
                                            const Grouping* grouping) {
  HF_CHECK(check_rows(labels.size(), predicted.size()));
  HF_CHECK(check_binary("label", labels));
  HF_CHECK(check_binary("answer", predicted));
  if (grouping != nullptr && grouping->group_of.size() != labels.size()) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("there are {} labels but {} groups {} rows", labels.size(), grouping->by,
                            grouping->group_of.size()));
  }
  const std::size_t groups = grouping == nullptr ? 1 : grouping->groups.size();
  HF_TRY(auto table, stats::ConfusionTable::create(groups, 2));
  for (std::size_t row = 0; row < labels.size(); ++row) {
    table.add(grouping == nullptr ? 0 : grouping->group_of[row], labels[row], predicted[row]);
  }
  return table;
}

}  // namespace holdfast::evaluate
