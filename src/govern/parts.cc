#include "govern/parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace holdfast::govern {

namespace {

// That evidence can't be believed is seen, too: the practice is in use, and falls short.
void add_damage(Sight& sight, const VersionFacts& version) {
  sight.against = fmt::format("of {}: {}", name_of(version), version.damaged);
  sight.evidence.push_back({.kind = "check",
                            .reference = fmt::format("{} {}", version.model, version.version),
                            .what = version.damaged,
                            .at = {},
                            .part = {}});
}

}  // namespace

const std::vector<PracticeParts>& all_parts() {
  static const auto all = [] {
    std::vector<PracticeParts> joined;
    for (auto make : {access_parts, network_parts, deployment_parts, monitoring_parts, culture_parts}) {
      auto some = make();
      std::move(some.begin(), some.end(), std::back_inserter(joined));
    }
    return joined;
  }();
  return all;
}

Sight records(const Facts& facts, Happening what, std::string_view told) {
  const Seen* seen = facts.log.find(what);
  if (seen == nullptr) return {};
  return {.evidence = {{.kind = "record",
                        .reference = fmt::format("record/{}", seen->record),
                        .what = fmt::format("{} on {} by {}, {} so far", told, seen->resource, seen->actor,
                                            seen->count),
                        .at = seen->at,
                        .part = {}}},
          .against = {}};
}

Sight both(Sight one, Sight other, std::string_view missing) {
  if (one.evidence.empty() || other.evidence.empty()) one.against = missing;
  if (one.against.empty()) one.against = std::move(other.against);
  std::move(other.evidence.begin(), other.evidence.end(), std::back_inserter(one.evidence));
  return one;
}

std::string name_of(const VersionFacts& version) {
  return fmt::format("version {} of {}", version.version, version.model);
}

std::vector<const VersionFacts*> serving(const Facts& facts) {
  std::vector<const VersionFacts*> found;
  for (const auto& version : facts.versions) {
    if (!version.serves.empty()) found.push_back(&version);
  }
  return found;
}

Sight of_each_serving(const Facts& facts, Sight (*seen)(const VersionFacts&)) {
  Sight all;
  for (const auto* version : serving(facts)) {
    Sight one = seen(*version);
    if (!version->damaged.empty()) add_damage(one, *version);
    if (one.evidence.empty() && one.against.empty()) {
      one.against = fmt::format("there is nothing of {}, which serves", name_of(*version));
    }
    if (all.against.empty()) all.against = std::move(one.against);
    std::move(one.evidence.begin(), one.evidence.end(), std::back_inserter(all.evidence));
  }
  return all;
}

Sight figures_of_each_serving(const Facts& facts, bool (*wanted)(const evaluate::Figure&),
                              std::string_view told) {
  Sight all;
  for (const auto* version : serving(facts)) {
    if (!version->damaged.empty()) {
      add_damage(all, *version);
      continue;
    }
    static const std::vector<evaluate::Figure> kNone;
    const bool is_measured = version->evaluation && version->evaluation->split == "test";
    const auto& figures = is_measured ? version->evaluation->figures : kNone;
    const auto found = std::find_if(figures.begin(), figures.end(), wanted);
    if (found == figures.end()) {
      all.against = fmt::format("{} serves without", name_of(*version));
      continue;
    }
    const auto& measured = found->measurement;
    all.evidence.push_back(
        {.kind = "figure",
         .reference = fmt::format("{} {}: {}", version->model, version->version, evaluate::title(*found)),
         .what = fmt::format("{}: {:.4g} ({:.4g} to {:.4g}), {} rows, in {}", told, measured.value,
                             measured.interval.low, measured.interval.high, measured.sample_size,
                             version->evaluation->evidence.prefixed()),
         .at = version->evaluation->at,
         .part = {}});
  }
  return all;
}

Sight gates_decided(const Facts& facts) {
  Sight decided = records(facts, Happening::kApproved, "the gates passed");
  const Sight refused = records(facts, Happening::kApprovalRefused, "the gates refused");
  std::copy(refused.evidence.begin(), refused.evidence.end(), std::back_inserter(decided.evidence));
  for (const auto* version : serving(facts)) {
    if (!version->damaged.empty()) add_damage(decided, *version);
    if (version->waived.empty()) continue;
    std::string names;
    for (const auto& name : version->waived) names += (names.empty() ? "" : ", ") + name;
    decided.against = fmt::format("{} serves by a waiver of {}", name_of(*version), names);
  }
  return decided;
}

}  // namespace holdfast::govern
