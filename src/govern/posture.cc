#include "govern/posture.h"

#include <fmt/format.h>

#include <iterator>

#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "govern/parts.h"

namespace holdfast::govern {

using nlohmann::json;

namespace {

void append(std::string& list, std::string_view item) {
  if (!list.empty()) list += "; ";
  list += item;
}

// The parts of one practice by what came of them, each list for a person.
struct Tally {
  std::string met;
  std::string missing;
  bool in_use = false;
};

std::string sentence(const Tally& tally, PracticeState state) {
  if (state == PracticeState::kHolds) return "Seen at work: " + tally.met;
  if (tally.met.empty()) return "Not seen at work: " + tally.missing;
  return fmt::format("Seen at work: {}. Not seen: {}", tally.met, tally.missing);
}

Standing stand(const Practice& practice, const std::vector<Part>& parts, const Facts& facts) {
  Standing standing{.practice = &practice, .state = {}, .why = {}, .evidence = {}};
  Tally tally;
  for (const Part& part : parts) {
    Sight sight = part.look == nullptr ? Sight() : part.look(facts);
    const bool seen = !sight.evidence.empty();
    if (seen && sight.against.empty()) {
      append(tally.met, part.what);
    } else if (sight.against.empty()) {
      append(tally.missing, part.what);
    } else {
      append(tally.missing, fmt::format("{} ({})", part.what, sight.against));
    }
    tally.in_use = tally.in_use || (part.core && seen);
    for (auto& evidence : sight.evidence) {
      evidence.part = part.what;
      standing.evidence.push_back(std::move(evidence));
    }
  }
  standing.state = !tally.in_use           ? PracticeState::kNotInUse
                   : tally.missing.empty() ? PracticeState::kHolds
                                           : PracticeState::kFallsShort;
  standing.why = sentence(tally, standing.state);
  return standing;
}

}  // namespace

std::string_view to_string(PracticeState state) {
  switch (state) {
    case PracticeState::kHolds:
      return "holds";
    case PracticeState::kFallsShort:
      return "falls-short";
    case PracticeState::kNotInUse:
      return "not-in-use";
  }
  return "not-in-use";
}

Posture judge(const Facts& facts) {
  const auto& parts = all_parts();
  HF_ASSERT(parts.size() == kPracticeCount);
  Posture posture{.at = facts.at, .practices = {}};
  for (std::size_t i = 0; i < kPracticeCount; ++i) {
    HF_ASSERT(parts[i].id == kPractices[i].id);
    posture.practices.push_back(stand(kPractices[i], parts[i].parts, facts));
    // What is still to be read can add evidence and take none away.
    if (facts.log_read_to_end || posture.practices.back().state == PracticeState::kHolds) continue;
    posture.practices.back().why += "; the log was not read to its end yet: ask again";
  }
  return posture;
}

json Posture::json() const {
  nlohmann::json all = nlohmann::json::array();
  for (const auto& standing : practices) {
    nlohmann::json evidence = nlohmann::json::array();
    for (const auto& one : standing.evidence) {
      evidence.push_back({{"kind", one.kind},
                          {"reference", one.reference},
                          {"what", one.what},
                          {"at", one.at.text()},
                          {"part", one.part}});
    }
    all.push_back({{"id", standing.practice->id},
                   {"title", standing.practice->title},
                   {"state", to_string(standing.state)},
                   {"why", standing.why},
                   {"evidence", std::move(evidence)}});
  }
  return {{"at", at.text()}, {"practices", std::move(all)}};
}

}  // namespace holdfast::govern
