#include <fmt/format.h>

#include "govern/parts.h"

// P17 to P19: what is measured in production, and what becomes of it.

namespace holdfast::govern {
namespace {

Sight metrics_read(const Facts& facts) {
  return records(facts, Happening::kMetricsRead, "the metrics were read");
}

Sight steps_recorded(const Facts& facts) {
  Sight sight;
  for (const auto& run : facts.runs) {
    sight.evidence.push_back({.kind = "run",
                              .reference = fmt::format("run/{}", run.id),
                              .what = run.kind,
                              .at = run.finished_at,
                              .part = {}});
  }
  return sight;
}

// The alerts of which `wanted` is so.
Sight alerts_that(const Facts& facts, bool (*wanted)(const AlertFacts&), std::string_view told) {
  Sight sight;
  for (const auto& alert : facts.alerts) {
    if (!wanted(alert)) continue;
    sight.evidence.push_back({.kind = "alert",
                              .reference = fmt::format("alert/{}", alert.id),
                              .what = fmt::format("{} about {}: {}", alert.source, alert.subject, told),
                              .at = alert.opened_at,
                              .part = {}});
  }
  return sight;
}

Sight raised(const Facts& facts) {
  return alerts_that(facts, [](const AlertFacts& a) { return a.windows > 0; }, "raised");
}

Sight routed(const Facts& facts) {
  return alerts_that(facts, [](const AlertFacts& a) { return a.delivered > 0; }, "taken by a webhook");
}

Sight deduplicated(const Facts& facts) {
  return alerts_that(
      facts, [](const AlertFacts& a) { return a.windows > 1; }, "one alert of several windows");
}

Sight acknowledged(const Facts& facts) {
  return alerts_that(facts, [](const AlertFacts& a) { return a.acknowledged; }, "acknowledged by a person");
}

Sight resolved(const Facts& facts) {
  return alerts_that(facts, [](const AlertFacts& a) { return a.resolved; }, "resolved");
}

Sight other_sources(const Facts& facts) {
  return alerts_that(facts, [](const AlertFacts& a) { return a.source != "drift"; }, "raised");
}

Sight rolled_back(const Facts& facts) { return records(facts, Happening::kRolledBack, "rolled back"); }

}  // namespace

std::vector<PracticeParts> monitoring_parts() {
  return {
      {"P17",
       {{"metrics of the models were read", true, metrics_read},
        {"training and evaluation left a run with figures", false, steps_recorded},
        {"logs were taken up by a stack that scrapes them", false, nullptr},
        {"traces of steps and requests were taken up", false, nullptr}}},
      {"P18",
       {{"an anomaly raised an alert", true, raised},
        {"an alert was delivered", false, routed},
        {"an anomaly that went on made one alert", false, deduplicated},
        {"an alert was acknowledged", false, acknowledged},
        {"an alert was resolved", false, resolved},
        {"traffic, resource use or access patterns raised one too", false, other_sources}}},
      {"P19",
       {{"labels that came late were joined to predictions", true, nullptr},
        {"a confirmed drop triggered retraining on validated data", true, nullptr},
        {"a challenger replaced a champion because it won", true, nullptr},
        {"a release was rolled back", false, rolled_back}}},
  };
}

}  // namespace holdfast::govern
