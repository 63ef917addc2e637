#include "registry/model_card.h"

#include <fmt/format.h>

#include <cmath>
#include <map>

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace holdfast::registry {
namespace {

using base::ErrorCode;
using evaluate::Figure;
using nlohmann::json;
using supply::ModelCard;

// The shortest text that reads back as the same number; empty for what is not known.
std::string number_text(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : std::string();
}

std::string slice_of(const evaluate::Scope& scope) {
  std::string slice;
  const auto add = [&slice](std::string part) { slice += (slice.empty() ? "" : ", ") + std::move(part); };
  if (!scope.group.empty()) {
    add(fmt::format("{} = {}", scope.by, scope.group));
  } else if (!scope.by.empty()) {
    add("by " + scope.by);
  }
  if (!scope.under.empty()) add("under " + scope.under);
  if (!scope.over.empty()) add("over " + scope.over);
  return slice;
}

ModelCard::Metric metric_of(const Figure& figure) {
  const auto& measured = figure.measurement;
  return {.type = measured.name,
          .slice = slice_of(figure.scope),
          .value = number_text(measured.value),
          .low = number_text(measured.interval.low),
          .high = number_text(measured.interval.high),
          .method = fmt::format("{}, confidence {}", measured.method, measured.interval.confidence.level())};
}

// "demographic_parity_difference 0.1 (0.05 to 0.2)"
std::string sentence_of(const Figure& figure) {
  const auto metric = metric_of(figure);
  const auto end = [](const std::string& text) { return text.empty() ? std::string("unknown") : text; };
  return fmt::format("{} {} ({} to {})", metric.type, end(metric.value), end(metric.low), end(metric.high));
}

void add_to(std::string& list, const std::string& one) { list += (list.empty() ? "" : "; ") + one; }

// Comparisons of the groups of each grouping, and what attacks leave, of the model as it is.
void add_considerations(const evaluate::Evaluation& evaluation, ModelCard& to) {
  std::map<std::string, std::string> by;
  std::map<std::string, std::string> under;
  for (const auto& figure : evaluation.figures) {
    const auto& scope = figure.scope;
    if (!scope.over.empty() || !scope.group.empty()) continue;
    if (!scope.by.empty() && scope.under.empty()) add_to(by[scope.by], sentence_of(figure));
    if (scope.by.empty() && !scope.under.empty()) add_to(under[scope.under], sentence_of(figure));
  }
  for (const auto& [group, harms] : by) to.fairness.push_back({group, harms, ""});
  for (const auto& [attack, figures] : under) {
    to.risks.push_back({fmt::format("Evasion by {}: {}", attack, figures), ""});
  }
}

base::Result<> add_provenance(std::string_view predicate, ModelCard& to) {
  const auto malformed = [] {
    return base::fail(ErrorCode::kDataCorrupt, "a provenance is no SLSA provenance with named materials");
  };
  const auto parsed = base::parse_json(predicate);
  if (!parsed) return malformed();
  const json::json_pointer build("/buildDefinition");
  if (!parsed->contains(build)) return malformed();
  const auto& definition = parsed->at(build);
  const auto type = definition.is_object() ? definition.find("buildType") : definition.end();
  if (type == definition.end()) return malformed();
  if (*type == "urn:holdfast:train:v1") to.architecture_family = "feed-forward network";
  const auto materials = definition.find("resolvedDependencies");
  if (materials == definition.end()) return {};
  if (!materials->is_array()) return malformed();
  for (const auto& material : *materials) {
    const json::json_pointer at("/digest/sha256");
    if (!material.is_object() || !material.contains("name") || !material["name"].is_string() ||
        !material.contains(at) || !material.at(at).is_string()) {
      return malformed();
    }
    const auto digest = base::Digest::from_hex(material.at(at).get_ref<const std::string&>());
    if (!digest) return malformed();
    to.datasets.push_back({material["name"].get<std::string>(), *digest, "training"});
  }
  return {};
}

}  // namespace

void add_evaluation(const evaluate::Evaluation& evaluation, ModelCard& to) {
  for (const auto& figure : evaluation.figures) to.metrics.push_back(metric_of(figure));
  add_considerations(evaluation, to);
  to.datasets.push_back({evaluation.split + " rows", evaluation.dataset, "evaluation"});
  to.limitations.push_back(fmt::format("Measured on {} rows; the answer is yes from a score of {}",
                                       evaluation.rows, evaluation.threshold));
  for (const auto& left : evaluation.left_out) {
    to.limitations.push_back(fmt::format("Nothing is told of {} = {}: it has {} rows, fewer than {}", left.by,
                                         left.group, left.rows, evaluation.minimum_group_rows));
  }
}

base::Result<bool> add_statement(const Statement& statement, ModelCard& to) {
  if (statement.predicate_type == kProvenancePredicate) {
    HF_CHECK(add_provenance(statement.predicate_json, to));
    return true;
  }
  if (statement.predicate_type != kEvaluationPredicate) return false;
  auto evaluation = evaluate::parse_evaluation(statement.predicate_json);
  if (!evaluation) return base::fail(ErrorCode::kDataCorrupt, std::move(evaluation).error().message);
  if (evaluation->model != statement.subject) {
    return base::fail(ErrorCode::kDataCorrupt,
                      "an evaluation is of another model than the statement about it");
  }
  add_evaluation(*evaluation, to);
  return true;
}

}  // namespace holdfast::registry
