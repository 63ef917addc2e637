#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "supply/advisory_index.h"
#include "supply/component.h"
#include "supply/cvss.h"
#include "supply/exploitation.h"
#include "supply/vex.h"

// Which advisories concern which components.

namespace holdfast::supply {

// One problem of one component; the ids that databases gave it are merged.
struct Match {
  std::string purl;
  std::string found_in;
  std::string id;
  std::vector<std::string> aliases;
  std::string summary;
  Severity severity = Severity::kUnknown;
  std::optional<int> score_tenths;  // computed from `vector`
  std::string vector;
  std::string upgrade;        // the smallest version that no advisory concerns; empty where none is known
  base::Timestamp published;  // zero where nothing is said
  std::optional<Exploitation> exploitation;  // of its CVE, where something was imported
  std::optional<base::Timestamp> due;        // by the policy's deadline

  [[nodiscard]] bool known_exploited() const { return exploitation && exploitation->known_since; }
  std::string set_aside;  // by VEX: its justification; empty where it stands
};

struct MatchOptions {
  base::Timestamp now;
  std::vector<VexStatement> vex;
  // An older statement no longer sets anything aside: what was true of the code may not be any more.
  std::chrono::hours vex_lasts = std::chrono::hours(24 * 365);
  // How long after its publication a problem of each severity may stand.
  std::map<Severity, std::chrono::hours> deadlines;
  // The same for one that is known to be exploited, from when that was known; without it, the shortest of the
  // above. It never lengthens a deadline.
  std::optional<std::chrono::hours> exploited_deadline;
  const ExploitationIndex* exploitation = nullptr;  // outlives the call
};

struct MatchResult {
  std::vector<Match> matches;  // the known exploited first, then the worst, then the likeliest
  std::size_t components = 0;
  std::vector<std::string> gaps;  // why something could not be told
};

// OSV's "Evaluation": listed versions and ranges, in the order of the ecosystem.
base::Result<MatchResult> match_advisories(const Inventory& inventory, const AdvisoryIndex& index,
                                           const MatchOptions& options);

// What advisories call a component: the ecosystem ("Debian:12"), the normalised name and the version. Empty
// ecosystem where OSV has none for it.
struct AdvisoryTarget {
  std::string ecosystem;
  std::string name;
  std::string version;
};
AdvisoryTarget advisory_target(const PackageUrl& purl);

// Whether a version is concerned; nothing where its order is not known and it is not listed.
std::optional<bool> concerns(const Affected& affected, std::string_view ecosystem, std::string_view version);

}  // namespace holdfast::supply
