#include "evaluate/robustness.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "base/assert.h"
#include "evaluate/answers.h"
#include "evaluate/measures.h"
#include "stats/proportion.h"

namespace holdfast::evaluate {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using Labels = std::span<const std::uint8_t>;

constexpr std::string_view kAll = "all";

Result<> check_attacks(std::size_t rows, std::span<const Attacked> attacks) {
  if (attacks.empty()) return fail(ErrorCode::kInvalidArgument, "robustness needs at least one attack");
  std::set<std::string_view> names;
  for (const Attacked& attack : attacks) {
    if (attack.name.empty() || attack.name == kAll || !names.insert(attack.name).second) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("the attack name \"{}\" is empty, \"all\", or there twice", attack.name));
    }
    if (attack.predicted.size() != rows) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("there are {} labels but {} answers under {}",
                                                           rows, attack.predicted.size(), attack.name));
    }
  }
  return {};
}

std::string describe(const Attacked& attack) {
  return fmt::format("{}, constraints {}", attack.description, attack.constraints.prefixed());
}

Result<std::vector<stats::Measurement>> measure(Labels labels, Labels clean, Labels attacked,
                                                std::string_view attack, stats::Confidence confidence) {
  HF_TRY(const auto before, count_answers(labels, clean));
  HF_TRY(const auto after, count_answers(labels, attacked));
  const stats::BinaryCounts now = after.group(0).one_vs_rest(1);
  const std::uint64_t right_before = before.group(0).count(0, 0) + before.group(0).count(1, 1);
  const std::uint64_t right_now = now.true_positive + now.true_negative;
  std::vector<stats::Measurement> figures{
      stats::measure_proportion("robust_accuracy", {right_now, now.rows()}, confidence),
      measure_balanced_accuracy("robust_balanced_accuracy", now, confidence),
      right_before == 0 ? undefined("attack_success_rate", 0, confidence, "no row was answered rightly")
                        : stats::measure_proportion("attack_success_rate",
                                                    {right_before - right_now, right_before}, confidence)};
  for (auto& figure : figures) figure.method += fmt::format("; attack: {}", attack);
  return figures;
}

}  // namespace

std::vector<std::uint8_t> answers_under_attack(Labels labels, Labels predicted,
                                               std::span<const Attacked> attacks) {
  HF_ASSERT(labels.size() == predicted.size());
  std::vector<std::uint8_t> answers(predicted.begin(), predicted.end());
  for (const Attacked& attack : attacks) {
    HF_ASSERT(attack.predicted.size() == labels.size());
    for (std::size_t row = 0; row < labels.size(); ++row) {
      if (attack.predicted[row] != labels[row]) answers[row] = labels[row] == 0 ? 1 : 0;
    }
  }
  return answers;
}

Result<std::vector<Figure>> measure_robustness(Labels labels, Labels predicted,
                                               std::span<const Attacked> attacks,
                                               stats::Confidence confidence) {
  HF_CHECK(check_attacks(labels.size(), attacks));
  HF_CHECK(count_answers(labels, predicted));  // its bounds hold for what follows
  std::vector<Figure> result;
  const auto add = [&](const std::string& name, std::span<const Attacked> of,
                       const std::string& description) -> Result<> {
    HF_TRY(auto figures,
           measure(labels, predicted, answers_under_attack(labels, predicted, of), description, confidence));
    const Scope scope{.over = "", .under = name, .by = "", .group = ""};
    for (auto& figure : figures) result.push_back({.scope = scope, .measurement = std::move(figure)});
    return {};
  };
  std::vector<std::string> names;
  for (const Attacked& attack : attacks) {
    HF_CHECK(count_answers(labels, attack.predicted));
    HF_CHECK(add(attack.name, {&attack, 1}, describe(attack)));
    names.push_back(attack.name);
  }
  if (attacks.size() > 1) {
    HF_CHECK(add(std::string(kAll), attacks, fmt::format("the worst of {}", fmt::join(names, ", "))));
  }
  return result;
}

}  // namespace holdfast::evaluate
