#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/time.h"
#include "govern/facts.h"
#include "govern/practices.h"

// Where an installation stands on each practice, computed from evidence alone: what did not run does not
// hold. docs/posture.md says what each takes.

namespace holdfast::govern {

enum class PracticeState {
  kHolds,       // every part of what it shows was seen at work
  kFallsShort,  // it is in use, and some part was not seen, or was seen to fail
  kNotInUse,    // nothing of what makes it up was seen
};
std::string_view to_string(PracticeState state);  // "holds", "falls-short", "not-in-use"

// One thing that was seen.
struct Evidence {
  std::string kind;  // "record", "statement", "figure", "check", "dataset", "alert", "endpoint", "run"
  std::string
      reference;     // "record/12", "sha256:...", "credit 3: robust_accuracy under pgd", "endpoint:credit"
  std::string what;  // for a person
  base::Timestamp at;
  std::string part;  // which part of the practice it is for
};

struct Standing {
  const Practice* practice = nullptr;  // of kPractices
  PracticeState state = PracticeState::kNotInUse;
  std::string why;  // a sentence
  std::vector<Evidence> evidence;
};

struct Posture {
  base::Timestamp at;
  std::vector<Standing> practices;  // kPracticeCount, in the order of their ids

  // {"at","practices":[{"id","title","state","why","evidence":[{"kind","reference","what","at","part"}]}]}
  [[nodiscard]] nlohmann::json json() const;
};

// A pure function of what it is given.
Posture judge(const Facts& facts);

}  // namespace holdfast::govern
