#include "evaluate/gate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "evaluate/gate_conditions.h"
#include "evaluate/gate_path.h"
#include "policy/evaluator.h"

namespace holdfast::evaluate {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using FiguresByPath = std::map<std::vector<std::string>, const stats::Measurement*>;

constexpr const char* kEvidence = "evidence";

// What one comparison came to.
struct Judged {
  GateOutcome outcome = GateOutcome::kMissing;
  const stats::Measurement* figure = nullptr;
  std::optional<std::uint64_t> rows_needed;
};

std::optional<std::int64_t> part_of(const stats::Measurement& figure, std::string_view part) {
  const auto scaled = [](std::optional<policy::Decimal> decimal) -> std::optional<std::int64_t> {
    if (!decimal) return std::nullopt;
    return decimal->ten_thousandths;
  };
  if (part == "lower") return scaled(decimal_below(figure.interval.low));
  if (part == "upper") return scaled(decimal_above(figure.interval.high));
  if (part == "value") return scaled(decimal_nearest(figure.value));
  return static_cast<std::int64_t>(figure.sample_size);
}

// Of a comparison that does not hold: whether any of the interval would satisfy it.
Judged judge_failed(const Comparison& comparison, const stats::Measurement& figure) {
  if (comparison.of_rows()) {
    const bool is_floor = comparison.is_floor() && comparison.threshold >= 0;
    const auto rows = static_cast<std::uint64_t>(std::max<std::int64_t>(comparison.threshold, 0));
    return {.outcome = is_floor ? GateOutcome::kCouldNotTell : GateOutcome::kFellShort,
            .figure = &figure,
            .rows_needed =
                is_floor ? std::optional(rows + (comparison.way == Comparison::Way::kAbove)) : std::nullopt};
  }
  const stats::Requirement requirement{
      .bound = comparison.is_floor() ? stats::Bound::kAtLeast : stats::Bound::kAtMost,
      .threshold = static_cast<double>(comparison.threshold) / 10000};
  const auto far_end = part_of(figure, comparison.is_floor() ? "upper" : "lower");
  if (far_end && !comparison.holds(*far_end)) {
    return {.outcome = GateOutcome::kFellShort, .figure = &figure, .rows_needed = std::nullopt};
  }
  return {.outcome = GateOutcome::kCouldNotTell,
          .figure = &figure,
          .rows_needed = stats::judge(figure, requirement).rows_needed};
}

Judged judge_one(const Comparison& comparison, const FiguresByPath& figures) {
  const auto found = figures.find(comparison.path);
  if (found == figures.end()) return {};
  const stats::Measurement& figure = *found->second;
  const auto left = part_of(figure, comparison.part);
  if (left && comparison.holds(*left)) {
    return {.outcome = GateOutcome::kPassed, .figure = &figure, .rows_needed = std::nullopt};
  }
  return judge_failed(comparison, figure);
}

// Which outcome of several comparisons is the one to tell: the first of these that there is.
int rank(GateOutcome outcome) {
  switch (outcome) {
    case GateOutcome::kFellShort:
      return 0;
    case GateOutcome::kMissing:
      return 1;
    case GateOutcome::kCouldNotTell:
      return 2;
    default:
      return 3;
  }
}

GateOutcome outcome_of(policy::Outcome conditions, GateOutcome figure) {
  if (conditions == policy::Outcome::kUnsatisfied) return GateOutcome::kPassed;
  if (figure != GateOutcome::kPassed) return figure;
  return conditions == policy::Outcome::kError ? GateOutcome::kError : GateOutcome::kRefused;
}

std::string annotation(const policy::Policy& policy, std::string_view name) {
  return std::string(policy.annotation(name).value_or(""));
}

GateRequirement judge_forbid(const policy::Policy& forbid, policy::Outcome conditions,
                             const std::string& error, const FiguresByPath& figures) {
  GateRequirement requirement{.id = forbid.id,
                              .figure = annotation(forbid, "figure"),
                              .remedy = annotation(forbid, "remedy"),
                              .outcome = GateOutcome::kPassed,
                              .threshold = "",
                              .measurement = std::nullopt,
                              .rows_needed = std::nullopt,
                              .error = ""};
  GateOutcome told = GateOutcome::kPassed;
  bool first = true;
  for (const Comparison& comparison : comparisons_of(forbid)) {
    const Judged judged = judge_one(comparison, figures);
    if (!first && rank(judged.outcome) >= rank(told)) continue;
    first = false;
    told = judged.outcome;
    requirement.threshold = comparison.text();
    requirement.rows_needed = judged.rows_needed;
    requirement.measurement = std::nullopt;
    if (judged.figure != nullptr) requirement.measurement = *judged.figure;
    if (forbid.annotation("figure") == std::nullopt) {
      requirement.figure = fmt::format("{}", fmt::join(comparison.path, "."));
    }
  }
  requirement.outcome = outcome_of(conditions, told);
  if (requirement.outcome != GateOutcome::kCouldNotTell) requirement.rows_needed = std::nullopt;
  if (requirement.outcome == GateOutcome::kError) requirement.error = error;
  return requirement;
}

Result<policy::Request> with_evidence(const policy::Request& request, const std::vector<Figure>& figures) {
  if (request.context().find(kEvidence) != nullptr) {
    return fail(ErrorCode::kInvalidArgument, "the context of a gate has an \"evidence\" of its own");
  }
  std::vector<policy::Field> fields = request.context().fields();
  fields.push_back({.name = kEvidence, .value = policy::Value(evidence_of(figures))});
  return policy::Request(request.principal(), request.action(), request.resource(),
                         policy::Record(std::move(fields)));
}

Result<FiguresByPath> by_path(const std::vector<Figure>& figures) {
  FiguresByPath result;
  for (const Figure& figure : figures) {
    HF_CHECK(check_figure(figure));
    if (!result.emplace(path_in_evidence(figure), &figure.measurement).second) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("the figure {} is there twice", title(figure)));
    }
  }
  return result;
}

}  // namespace

std::string_view to_string(GateOutcome outcome) {
  switch (outcome) {
    case GateOutcome::kPassed:
      return "passed";
    case GateOutcome::kFellShort:
      return "fell short";
    case GateOutcome::kCouldNotTell:
      return "could not tell";
    case GateOutcome::kMissing:
      return "missing";
    case GateOutcome::kRefused:
      return "refused";
    case GateOutcome::kError:
      return "error";
  }
  return "error";
}

Result<GateReport> decide_gate(const policy::Authorizer& gate, const policy::Request& request,
                               const policy::Entities& entities, const std::vector<Figure>& figures) {
  HF_TRY(const auto places, by_path(figures));
  HF_TRY(const auto asked, with_evidence(request, figures));
  GateReport report;
  report.passed = gate.decide(asked, entities, {.deny_on_error = true}).verdict == policy::Verdict::kAllow;
  for (const policy::Policy& policy : gate.policies().policies()) {
    if (!policy::in_scope(policy, asked, entities)) continue;
    policy::Evaluator evaluator(asked, entities);
    const policy::Outcome conditions = policy::evaluate_conditions(policy, evaluator);
    if (policy.effect == policy::Effect::kPermit && conditions != policy::Outcome::kError) {
      if (conditions == policy::Outcome::kSatisfied) report.permitted_by.push_back(policy.id);
      continue;
    }
    report.requirements.push_back(judge_forbid(policy, conditions, evaluator.error(), places));
  }
  return report;
}

std::string sentence(const GateRequirement& requirement) {
  const std::string& named = requirement.figure.empty() ? requirement.id : requirement.figure;
  std::string text = fmt::format("{}: {}", to_string(requirement.outcome), named);
  if (requirement.outcome == GateOutcome::kError) return text + ": " + requirement.error;
  if (requirement.measurement) {
    const auto& [low, high, confidence] = requirement.measurement->interval;
    text += fmt::format(" is {:.4f} ({:.4f} to {:.4f} at {:g}% confidence, {} rows)",
                        requirement.measurement->value, low, high, 100 * confidence.level(),
                        requirement.measurement->sample_size);
  }
  if (!requirement.threshold.empty()) {
    text += fmt::format("{} must be {}", requirement.measurement ? " and" : "", requirement.threshold);
  }
  if (requirement.rows_needed) text += fmt::format("; about {} rows would do", *requirement.rows_needed);
  return text;
}

}  // namespace holdfast::evaluate
