#include "evaluate/figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "data/json_fields.h"

namespace holdfast::evaluate {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;

// Parts of the path to a figure in the evidence (gate.h).
constexpr std::array<std::string_view, 4> kPathWords{"by", "groups", "over", "under"};

bool is_figure_name(std::string_view name) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && name.size() <= kMaxFigureNameBytes && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; }) &&
         std::find(kPathWords.begin(), kPathWords.end(), name) == kPathWords.end();
}

Result<> check_interval(const stats::Measurement& measurement) {
  const auto [low, high, confidence] = measurement.interval;
  if (!(low > high)) return {};
  return fail(ErrorCode::kInvalidArgument, fmt::format("figure {}: its interval begins at {} and ends at {}",
                                                       measurement.name, low, high));
}

}  // namespace

Result<> check_figure(const Figure& figure) {
  const stats::Measurement& measurement = figure.measurement;
  if (!is_figure_name(measurement.name)) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("\"{}\" is no name for a figure: take a lower-case letter, then up to {} "
                            "lower-case letters, digits and underscores",
                            measurement.name.substr(0, 100), kMaxFigureNameBytes - 1));
  }
  const Scope& scope = figure.scope;
  for (const std::string& part : {scope.over, scope.under, scope.by, scope.group}) {
    if (part.size() > kMaxScopeBytes || !data::is_utf8(part)) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("figure {}: a part of its scope is longer than {} bytes or no UTF-8",
                              measurement.name, kMaxScopeBytes));
    }
  }
  if (!scope.group.empty() && scope.by.empty()) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("figure {}: it is of group \"{}\", but by nothing",
                                                         measurement.name, scope.group));
  }
  return check_interval(measurement);
}

std::string title(const Figure& figure) {
  std::string text = figure.measurement.name;
  const Scope& scope = figure.scope;
  if (!scope.group.empty()) {
    text += fmt::format(" of {} ({})", scope.group, scope.by);
  } else if (!scope.by.empty()) {
    text += fmt::format(" by {}", scope.by);
  }
  if (!scope.under.empty()) text += fmt::format(" under {}", scope.under);
  if (!scope.over.empty()) text += fmt::format(" over {}", scope.over);
  return text;
}

Better better(std::string_view name) {
  if (name == "selection_rate" || name == "majority_accuracy") return Better::kNeither;
  if (name.ends_with("_difference") || name == "brier" || name == "log_loss" ||
      name == "false_positive_rate" || name == "attack_success_rate") {
    return Better::kLower;
  }
  return Better::kHigher;
}

const Figure* find(const std::vector<Figure>& figures, std::string_view name, const Scope& scope) {
  const auto found = std::find_if(figures.begin(), figures.end(), [&](const Figure& figure) {
    return figure.measurement.name == name && figure.scope == scope;
  });
  return found == figures.end() ? nullptr : &*found;
}

}  // namespace holdfast::evaluate
