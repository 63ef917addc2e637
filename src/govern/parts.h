#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "govern/posture.h"

// For govern/ alone: each practice taken apart into what can be seen or not. A practice holds when every part
// was seen at work and nothing speaks against one; it is in use once one of its core parts was seen; so what
// Holdfast has no evidence for yet keeps it from holding.

namespace holdfast::govern {

// What was seen of one part.
struct Sight {
  std::vector<Evidence> evidence;
  std::string against;  // what was seen to fail, or is missing from the rest: the part is not met
};

struct Part {
  std::string_view what;  // "a caller without a grant was refused": reads on after "Seen at work: "
  bool core = false;      // without any core part a practice is not in use
  Sight (*look)(const Facts&) = nullptr;  // null: nothing in Holdfast leaves evidence of it yet
};

struct PracticeParts {
  std::string_view id;
  std::vector<Part> parts;
};

// Each in its own file, for the practices that its name says; in order of their ids.
std::vector<PracticeParts> access_parts();      // P01 to P06
std::vector<PracticeParts> network_parts();     // P07 to P12
std::vector<PracticeParts> deployment_parts();  // P13 to P16
std::vector<PracticeParts> monitoring_parts();  // P17 to P19
std::vector<PracticeParts> culture_parts();     // P20 to P27

// All of them, in order of their ids.
const std::vector<PracticeParts>& all_parts();

// --- for those files ---

// The newest record of something that happened, if it did.
Sight records(const Facts& facts, Happening what, std::string_view told);
// The same, with another: neither without the other.
Sight both(Sight one, Sight other, std::string_view missing);
std::string name_of(const VersionFacts& version);  // "version 3 of credit"
std::vector<const VersionFacts*> serving(const Facts& facts);
// What `seen` gives of each version that serves; against the part where it gives nothing of one.
Sight of_each_serving(const Facts& facts, Sight (*seen)(const VersionFacts&));
// The measurements of `wanted` in the newest evaluation of each version that serves.
Sight figures_of_each_serving(const Facts& facts, bool (*wanted)(const evaluate::Figure&),
                              std::string_view told);
// That no version serves whose gate was passed by a waiver, and that the gates decided.
Sight gates_decided(const Facts& facts);

}  // namespace holdfast::govern
