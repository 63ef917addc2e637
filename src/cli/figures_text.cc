#include "cli/figures_text.h"

#include <fmt/format.h>

#include <cmath>
#include <set>
#include <string_view>

#include "cli/answer.h"

namespace holdfast::cli {
namespace {

using evaluate::Better;
using evaluate::Figure;

std::string number(double value) { return std::isfinite(value) ? fmt::format("{:.4f}", value) : "not known"; }

std::string interval(const stats::Measurement& measurement) {
  const auto& [low, high, confidence] = measurement.interval;
  if (!std::isfinite(low) && !std::isfinite(high)) return "not known";
  return fmt::format("{} to {} at {}%", number(low), number(high), 100 * confidence.level());
}

std::string_view effect(const Figure& figure) {
  const auto better = evaluate::better(figure.measurement.name);
  const auto& [low, high, confidence] = figure.measurement.interval;
  if (better == Better::kNeither) return "";
  if (low > 0) return better == Better::kHigher ? "gain" : "cost";
  if (high < 0) return better == Better::kHigher ? "cost" : "gain";
  return "could not tell";
}

std::string differences_over(const evaluate::Evaluation& evaluation, const std::string& other) {
  Table table({"DIFFERENCE", "VALUE", "INTERVAL", "WHICH IS"});
  for (const auto& figure : evaluation.figures) {
    if (figure.scope.over != other || !figure.scope.group.empty()) continue;
    auto shown = figure;
    shown.scope.over.clear();
    table.add({title(shown), fmt::format("{:+.4f}", figure.measurement.value), interval(figure.measurement),
               std::string(effect(figure))});
  }
  return fmt::format("\ncompared with {}, on the same rows:\n{}", other, table.text("nothing"));
}

}  // namespace

std::string main_figures(const evaluate::Evaluation& evaluation) {
  Table table({"FIGURE", "VALUE", "INTERVAL", "ROWS"});
  for (const auto& figure : evaluation.figures) {
    if (!figure.scope.over.empty() || !figure.scope.group.empty()) continue;
    table.add({title(figure), number(figure.measurement.value), interval(figure.measurement),
               fmt::to_string(figure.measurement.sample_size)});
  }
  std::string text = table.text("no figures");
  for (const auto& [by, group, rows] : evaluation.left_out)
    text += fmt::format("too few rows to compare {} {}: {}\n", by, group, rows);
  return text;
}

std::string comparisons(const evaluate::Evaluation& evaluation) {
  std::set<std::string> others;
  for (const auto& figure : evaluation.figures) {
    if (!figure.scope.over.empty()) others.insert(figure.scope.over);
  }
  std::string text;
  for (const auto& other : others) text += differences_over(evaluation, other);
  return text;
}

}  // namespace holdfast::cli
