#include <fmt/format.h>

#include <algorithm>

#include "govern/parts.h"

// P13 to P16: what a model goes through before it serves, and how it is seen while it does.

namespace holdfast::govern {
namespace {

bool is_attacked(const evaluate::Figure& figure) {
  return !figure.scope.under.empty() && figure.scope.over.empty();
}

// A difference to the model before, under attack.
bool is_gain(const evaluate::Figure& figure) {
  return !figure.scope.under.empty() && figure.scope.over == "champion";
}

Sight attacked(const Facts& facts) {
  return figures_of_each_serving(facts, is_attacked, "measured under attack");
}

Sight hardened(const Facts& facts) {
  return of_each_serving(facts, [](const VersionFacts& version) -> Sight {
    if (!version.hardened || !version.provenance) return {};
    return {.evidence = {{.kind = "statement",
                          .reference = version.provenance->prefixed(),
                          .what = fmt::format("{} was trained against an attack", name_of(version)),
                          .at = {},
                          .part = {}}},
            .against = {}};
  });
}

Sight gain_measured(const Facts& facts) {
  return figures_of_each_serving(facts, is_gain, "the difference to the model before");
}

Sight inspected(const Facts& facts) {
  Sight sight = records(facts, Happening::kModelRegistered, "a model was admitted");
  const Sight refused = records(facts, Happening::kModelRefused, "a model was refused for what is in it");
  sight.evidence.insert(sight.evidence.end(), refused.evidence.begin(), refused.evidence.end());
  if (refused.evidence.empty() && !sight.evidence.empty()) {
    sight.against = "none was refused yet, so the gate was not seen to close";
  }
  return sight;
}

Sight rolled_back(const Facts& facts) { return records(facts, Happening::kRolledBack, "rolled back"); }

// What `seen` gives of each endpoint that serves; against the part where it gives nothing of one.
template <typename Look>
Sight of_each_endpoint(const Facts& facts, const Look& seen) {
  Sight sight;
  for (const auto* version : serving(facts)) {
    for (const auto& endpoint : version->serves) {
      if (auto evidence = seen(endpoint)) {
        sight.evidence.push_back(*std::move(evidence));
      } else {
        sight.against = fmt::format("nothing of the endpoint {}, which serves", endpoint);
      }
    }
  }
  return sight;
}

// Something of each endpoint that the log has records of.
template <Happening kWhat>
Sight recorded(const Facts& facts, std::string_view told) {
  return of_each_endpoint(facts, [&](const std::string& endpoint) -> std::optional<Evidence> {
    const Seen* seen = facts.log.find(kWhat, endpoint);
    if (seen == nullptr) return std::nullopt;
    return Evidence{.kind = "record",
                    .reference = fmt::format("record/{}", seen->record),
                    .what = fmt::format("{} {} of the endpoint {}", seen->count, told, endpoint),
                    .at = seen->at,
                    .part = {}};
  });
}

Sight resources(const Facts& facts) {
  return of_each_endpoint(facts, [&](const std::string& endpoint) -> std::optional<Evidence> {
    const auto& engines = facts.runtime.engines;
    const auto found = std::find_if(engines.begin(), engines.end(),
                                    [&endpoint](const EngineFacts& one) { return one.endpoint == endpoint; });
    if (found == engines.end()) return std::nullopt;
    constexpr std::uint64_t kMebibyte = 1UL << 20;
    return Evidence{.kind = "endpoint",
                    .reference = "endpoint:" + endpoint,
                    .what = fmt::format("its engine took {} ms of processor time and holds {} MiB",
                                        found->processor.count(), found->resident_bytes / kMebibyte),
                    .at = found->at,
                    .part = {}};
  });
}

Sight overview_read(const Facts& facts) {
  return records(facts, Happening::kMetricsRead, "the figures of all endpoints were read");
}

}  // namespace

std::vector<PracticeParts> deployment_parts() {
  return {
      {"P13",
       {{"each version that serves was attacked", true, attacked},
        {"each was hardened with adversarial examples", true, hardened},
        {"the gain under attack was measured", false, gain_measured},
        {"synthetic examples were used too", false, nullptr}}},
      {"P14",
       {{"a declared pipeline took a commit or a dataset to a version that serves", true, nullptr},
        {"gates decided over evidence", false, gates_decided},
        {"a release was rolled back", false, rolled_back},
        {"a canary was judged before it took all traffic", false, nullptr}}},
      {"P15",
       {{"artefacts were tested before they were admitted, and one was refused", true, inspected},
        {"a threat model of the running deployment was made", false, nullptr},
        {"a penetration test was run against an endpoint", false, nullptr}}},
      {"P16",
       {{"traffic, errors and latency of each endpoint are counted", true,
         [](const Facts& f) { return recorded<Happening::kPredicted>(f, "predictions"); }},
        {"its drift is measured", false,
         [](const Facts& f) { return recorded<Happening::kDriftMeasured>(f, "windows compared"); }},
        {"its quality is measured or estimated", false,
         [](const Facts& f) { return recorded<Happening::kQualityEstimated>(f, "windows estimated"); }},
        {"its processor and memory use are measured", false, resources},
        {"the overview was read", false, overview_read}}},
  };
}

}  // namespace holdfast::govern
