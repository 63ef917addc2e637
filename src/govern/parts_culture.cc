#include <fmt/format.h>

#include <map>

#include "govern/parts.h"

// P20 to P27: what laws, users and colleagues may ask of those who run models.

namespace holdfast::govern {
namespace {

Sight purpose_declared(const Facts& facts) {
  return records(facts, Happening::kDatasetRegistered, "purpose and retention were declared");
}

bool is_fairness(const evaluate::Figure& figure) {
  return !figure.scope.by.empty() && figure.scope.group.empty() && figure.scope.over.empty() &&
         figure.scope.under.empty();
}

bool is_slice(const evaluate::Figure& figure) {
  return !figure.scope.group.empty() && figure.scope.over.empty() && figure.scope.under.empty();
}

bool is_robustness(const evaluate::Figure& figure) {
  return !figure.scope.under.empty() && figure.scope.over.empty();
}

Sight fairness(const Facts& facts) {
  return figures_of_each_serving(facts, is_fairness, "measured over groups");
}

Sight slices(const Facts& facts) { return figures_of_each_serving(facts, is_slice, "measured of a group"); }

Sight robustness(const Facts& facts) {
  return figures_of_each_serving(facts, is_robustness, "measured under attack");
}

Sight approved_by_person(const Facts& facts) {
  return records(facts, Happening::kApprovedByPerson, "approved by somebody who did not make it");
}

// Versions that were brought, not trained here.
Sight quarantined(const Facts& facts) {
  Sight sight = records(facts, Happening::kModelRefused, "a model was refused for what is in it");
  for (const auto& version : facts.versions) {
    if (version.trained_here || version.approved) continue;
    sight.evidence.push_back({.kind = "check",
                              .reference = fmt::format("{} {}", version.model, version.version),
                              .what = "in quarantine: nothing may serve it",
                              .at = facts.at,
                              .part = {}});
  }
  return sight;
}

Sight outsiders_measured(const Facts& facts) {
  Sight sight;
  for (const auto& version : facts.versions) {
    if (version.trained_here || !version.approved) continue;
    if (!version.evaluation) {
      sight.against = fmt::format("{} was approved without", name_of(version));
      continue;
    }
    sight.evidence.push_back({.kind = "statement",
                              .reference = version.evaluation->evidence.prefixed(),
                              .what = fmt::format("the evaluation of {}", name_of(version)),
                              .at = version.evaluation->at,
                              .part = {}});
  }
  return sight;
}

Sight rolled_back(const Facts& facts) { return records(facts, Happening::kRolledBack, "rolled back"); }

// Each kind once; against the part where one is overdue.
Sight ages_compared(const Facts& facts) {
  Sight sight;
  if (!facts.runtime.updates) return sight;
  std::map<std::string, std::size_t> kinds;
  for (const auto& item : facts.runtime.updates->items) {
    ++kinds[item.kind];
    if (item.overdue && sight.against.empty()) {
      sight.against =
          fmt::format("{} {} is overdue{}{}", item.kind, item.name, item.told.empty() ? "" : ": ", item.told);
    }
  }
  for (const auto& [kind, count] : kinds) {
    sight.evidence.push_back({.kind = "check",
                              .reference = "updates",
                              .what = fmt::format("{} of kind {}, each against its deadline", count, kind),
                              .at = facts.runtime.updates->at,
                              .part = {}});
  }
  return sight;
}

std::vector<PracticeParts> compliance_parts() {
  return {
      {"P20",
       {{"a use against purpose, consent or retention was refused", true, nullptr},
        {"a subject's request was carried out, down to the models", true, nullptr},
        {"the evidence that an auditor asks for was produced from the log", true, nullptr},
        {"purpose and retention were declared with each dataset", false, purpose_declared}}},
      {"P21",
       {{"fairness of each version that serves was measured", true, fairness},
        {"gates decided over it", false, gates_decided},
        {"somebody who did not make the model approved it", false, approved_by_person},
        {"its answers were explained", false, nullptr},
        {"a named role signed off what was measured", false, nullptr}}},
      {"P22",
       {{"the age of components, rule sets and keys was compared with a deadline", true, ages_compared},
        {"an overdue one blocked what depends on it", false, nullptr}}},
  };
}

}  // namespace

std::vector<PracticeParts> culture_parts() {
  auto all = compliance_parts();
  const std::vector<PracticeParts> rest = {
      {"P23",
       {{"a bill of materials was matched against an advisory database", true, nullptr},
        {"fixes within reach were named", false, nullptr}}},
      {"P24",
       {{"a model from outside was refused, or kept in quarantine", true, quarantined},
        {"each one that was approved had been measured", false, outsiders_measured},
        {"it was looked through for backdoors", false, nullptr},
        {"it was tested again when an update or an advisory came", false, nullptr}}},
      {"P25",
       {{"performance by group of each version that serves was measured", true, slices},
        {"its fairness was", true, fairness},
        {"its robustness was", false, robustness},
        {"what it leaks of its training data was", false, nullptr},
        {"gates decided over the intervals", false, gates_decided}}},
      {"P26",
       {{"an exercise was run and scored", true, nullptr},
        {"a role asked for one before it was granted", false, nullptr}}},
      {"P27",
       {{"an alert became an incident with a playbook", true, nullptr},
        {"a release was rolled back", false, rolled_back},
        {"clocks for legal notice ran", false, nullptr},
        {"a drill rehearsed it", false, nullptr}}},
  };
  all.insert(all.end(), rest.begin(), rest.end());
  return all;
}

}  // namespace holdfast::govern
