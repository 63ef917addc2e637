#include "supply/advisory_match.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "supply/ecosystem.h"

namespace holdfast::supply {
namespace {

using Kind = RangeEvent::Kind;

std::optional<Version> parse_version(std::optional<VersionOrder> order, std::string_view text) {
  if (!order) return std::nullopt;
  auto version = Version::parse(*order, text);
  return version ? std::optional(*std::move(version)) : std::nullopt;
}

struct Bound {
  std::optional<Version> version;  // absent: before all
  Kind kind;
};

// The events in the order of their versions, as the specification's algorithm takes them; nothing where one
// of them is no version.
std::optional<std::vector<Bound>> bounds_of(const std::vector<RangeEvent>& events, VersionOrder order) {
  std::vector<Bound> bounds;
  for (const auto& event : events) {
    if (event.kind == Kind::kLimit) continue;  // of commits alone
    Bound bound{.version = std::nullopt, .kind = event.kind};
    // "0" comes before every version (OSV, "affected[].ranges[].events").
    if (event.version != "0") {
      auto parsed = Version::parse(order, event.version);
      if (!parsed) return std::nullopt;
      bound.version = *std::move(parsed);
    }
    bounds.push_back(std::move(bound));
  }
  std::stable_sort(bounds.begin(), bounds.end(), [](const Bound& a, const Bound& b) {
    return !a.version ? b.version.has_value() : (b.version && *a.version < *b.version);
  });
  return bounds;
}

std::optional<bool> within(const std::vector<RangeEvent>& events, const Version& version,
                           VersionOrder order) {
  const auto bounds = bounds_of(events, order);
  if (!bounds) return std::nullopt;
  bool inside = false;
  for (const auto& bound : *bounds) {
    const bool reached = !bound.version || version >= *bound.version;
    if (bound.kind == Kind::kIntroduced && reached) inside = true;
    if (bound.kind == Kind::kFixed && reached) inside = false;
    if (bound.kind == Kind::kLastAffected && bound.version && version > *bound.version) inside = false;
  }
  return inside;
}

using Candidate = std::pair<Version, std::string_view>;

// Marks the candidates that lie within the range, in one sweep over both, since a hostile or a long list of
// fixes would else be looked at once for each of them. False where the range can't be read.
bool mark_within(const std::vector<RangeEvent>& events, VersionOrder order,
                 const std::vector<Candidate>& candidates, std::vector<bool>& concerned) {
  const auto bounds = bounds_of(events, order);
  if (!bounds) return false;
  // From which candidate on each event counts; of those that count, the last in the order decides.
  std::vector<std::pair<std::size_t, std::size_t>> starts;
  for (std::size_t i = 0; i < bounds->size(); ++i) {
    const auto& [version, kind] = (*bounds)[i];
    auto first = candidates.begin();
    if (kind == Kind::kLastAffected) {
      if (!version) continue;
      first = std::upper_bound(first, candidates.end(), *version,
                               [](const Version& a, const Candidate& b) { return a < b.first; });
    } else if (version) {
      first = std::lower_bound(first, candidates.end(), *version,
                               [](const Candidate& a, const Version& b) { return a.first < b; });
    }
    starts.emplace_back(static_cast<std::size_t>(first - candidates.begin()), i);
  }
  std::sort(starts.begin(), starts.end());
  std::optional<std::size_t> last;
  auto start = starts.begin();
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    for (; start != starts.end() && start->first == i; ++start)
      last = std::max(last, std::optional(start->second));
    if (last && (*bounds)[*last].kind == Kind::kIntroduced) concerned[i] = true;
  }
  return true;
}

// The smallest version named as a fix that lies above and that nothing in the index concerns.
std::string smallest_upgrade(const std::vector<Affected>& all, VersionOrder order, const Version& current) {
  std::vector<Candidate> fixes;
  for (const auto& affected : all) {
    for (const auto& range : affected.ranges) {
      for (const auto& event : range) {
        if (event.kind != Kind::kFixed) continue;
        if (auto version = Version::parse(order, event.version); version && *version > current) {
          fixes.emplace_back(*std::move(version), event.version);
        }
      }
    }
  }
  std::sort(fixes.begin(), fixes.end());
  fixes.erase(std::unique(fixes.begin(), fixes.end(),
                          [](const Candidate& a, const Candidate& b) { return a.first == b.first; }),
              fixes.end());
  std::vector<bool> concerned(fixes.size());
  for (const auto& affected : all) {
    for (const auto& range : affected.ranges) {
      if (!mark_within(range, order, fixes, concerned)) return {};
    }
    for (const auto listed : affected.versions) {
      const auto version = Version::parse(order, listed);
      if (!version) continue;
      const auto same = std::lower_bound(fixes.begin(), fixes.end(), *version,
                                         [](const Candidate& a, const Version& b) { return a.first < b; });
      if (same != fixes.end() && same->first == *version)
        concerned[static_cast<std::size_t>(same - fixes.begin())] = true;
    }
  }
  const auto clean = std::find(concerned.begin(), concerned.end(), false);
  return clean == concerned.end()
             ? std::string()
             : std::string(fixes[static_cast<std::size_t>(clean - concerned.begin())].second);
}

void score(const Advisory& advisory, Match& match) {
  for (const auto vector : advisory.vectors) {
    const auto tenths = cvss_base_tenths(vector);
    if (!tenths || (match.score_tenths && *match.score_tenths >= *tenths)) continue;
    match.score_tenths = *tenths;
    match.vector = vector;
    match.severity = severity_of_tenths(*tenths);
  }
  if (!match.score_tenths) {
    match.severity = std::max(match.severity, severity_of_word(advisory.severity_word));
  }
}

// The matches of one component, by every id that they have.
struct Merged {
  std::vector<Match> matches;
  std::map<std::string, std::size_t> by_id;
};

// Into the match that shares an id with the advisory, else into one of its own.
void merge(const Advisory& advisory, Merged& to, const Component& component, const std::string& upgrade) {
  std::set<std::string> ids{std::string(advisory.id)};
  ids.insert(advisory.aliases.begin(), advisory.aliases.end());
  auto place = to.matches.size();
  for (const auto& id : ids) {
    if (const auto known = to.by_id.find(id); known != to.by_id.end()) place = std::min(place, known->second);
  }
  if (place == to.matches.size()) {
    to.matches.push_back({.purl = to_string(component.purl),
                          .found_in = component.found_in,
                          .id = std::string(advisory.id),
                          .summary = std::string(advisory.summary),
                          .upgrade = upgrade,
                          .published = advisory.published});
  }
  auto& same = to.matches[place];
  for (const auto& id : ids) {
    const bool is_new = to.by_id.emplace(id, place).second;
    if (is_new && id != same.id) same.aliases.push_back(id);
  }
  if (same.summary.empty()) same.summary = advisory.summary;
  score(advisory, same);
}

bool names(const VexStatement& statement, const Match& match) {
  const bool same_advisory =
      statement.advisory == match.id ||
      std::find(match.aliases.begin(), match.aliases.end(), statement.advisory) != match.aliases.end();
  if (!same_advisory) return false;
  const auto purl = parse_purl(match.purl);
  return std::any_of(statement.products.begin(), statement.products.end(), [&](const std::string& product) {
    const auto of = parse_purl(product);
    if (!of || !purl) return false;
    const bool same_package =
        of->type == purl->type && of->name_space == purl->name_space && of->name == purl->name;
    return same_package && (of->version.empty() || of->version == purl->version);
  });
}

// What is known of any of its CVEs: the earliest exploitation, the highest probability.
void look_up_exploitation(Match& match, const ExploitationIndex& index) {
  auto ids = match.aliases;
  ids.push_back(match.id);
  for (const auto& id : ids) {
    const auto found = index.find(id);
    if (!found) continue;
    auto& known = match.exploitation ? *match.exploitation : match.exploitation.emplace();
    if (found->probability && (!known.probability || *found->probability > *known.probability)) {
      known.probability = found->probability;
      known.percentile = found->percentile;
    }
    if (found->known_since && (!known.known_since || *found->known_since < *known.known_since)) {
      known.known_since = found->known_since;
    }
    known.by_ransomware = known.by_ransomware || found->by_ransomware;
  }
}

std::optional<base::Timestamp> exploited_due(const Match& match, const MatchOptions& options) {
  if (!match.known_exploited()) return std::nullopt;
  if (options.exploited_deadline) return *match.exploitation->known_since + *options.exploited_deadline;
  if (options.deadlines.empty()) return std::nullopt;
  const auto shortest = std::min_element(options.deadlines.begin(), options.deadlines.end(),
                                         [](const auto& a, const auto& b) { return a.second < b.second; });
  return *match.exploitation->known_since + shortest->second;
}

void set_due(Match& match, const MatchOptions& options) {
  const auto deadline = options.deadlines.find(match.severity);
  if (deadline != options.deadlines.end() && match.published != base::Timestamp()) {
    match.due = match.published + deadline->second;
  }
  if (const auto sooner = exploited_due(match, options); sooner && (!match.due || *sooner < *match.due)) {
    match.due = sooner;
  }
}

void judge(Match& match, const MatchOptions& options, std::vector<std::string>& gaps) {
  for (const auto& statement : options.vex) {
    if (!names(statement, match)) continue;
    if (options.now - statement.said_at > options.vex_lasts) {
      gaps.push_back(fmt::format("the VEX statement on {} is of {} and has expired: look at it again",
                                 match.id, statement.said_at.text()));
    } else {
      match.set_aside = statement.justification;
    }
  }
  if (options.exploitation != nullptr) look_up_exploitation(match, *options.exploitation);
  set_due(match, options);
}

base::Result<std::vector<Affected>> look_up(const AdvisoryIndex& index, const AdvisoryTarget& target) {
  HF_TRY(auto all, index.find(target.ecosystem, target.name));
  if (!target.ecosystem.starts_with("Ubuntu:")) return all;
  HF_TRY(auto more, index.find(target.ecosystem + ":LTS", target.name));
  std::move(more.begin(), more.end(), std::back_inserter(all));
  return all;
}

base::Result<> match_component(const Component& component, const AdvisoryIndex& index,
                               const MatchOptions& options, MatchResult& to) {
  const auto target = advisory_target(component.purl);
  const auto purl = to_string(component.purl);
  if (target.ecosystem.empty()) {
    to.gaps.push_back(fmt::format("{}: OSV has no advisories of its kind", purl));
    return {};
  }
  HF_TRY(const auto all, look_up(index, target));
  if (all.empty()) return {};
  if (target.version.empty()) {
    to.gaps.push_back(fmt::format("{}: it has no version, and {} advisories are known", purl, all.size()));
    return {};
  }
  const auto order = version_order(target.ecosystem);
  const auto version = parse_version(order, target.version);
  Merged merged;
  std::optional<std::string> upgrade;
  for (const auto& affected : all) {
    const auto concerned = concerns(affected, target.ecosystem, target.version);
    if (!concerned) {
      to.gaps.push_back(fmt::format("{}: whether {} concerns it can't be told from its version", purl,
                                    affected.advisory.id));
    } else if (*concerned) {
      if (!upgrade) upgrade = version ? smallest_upgrade(all, *order, *version) : std::string();
      merge(affected.advisory, merged, component, *upgrade);
    }
  }
  for (auto& match : merged.matches) {
    std::sort(match.aliases.begin(), match.aliases.end());
    judge(match, options, to.gaps);
    to.matches.push_back(std::move(match));
  }
  return {};
}

// "distro=debian-12", "distro=rocky-9.3" or "distro=alpine-3.18.4", as OSV names the ecosystem of that
// release; empty where OSV has none, or where its name can't be told from the release (Red Hat's and SUSE's
// products).
std::string system_ecosystem(const PackageUrl& purl) {
  const auto distro = purl.qualifiers.find("distro");
  const auto dash = distro == purl.qualifiers.end() ? std::string::npos : distro->second.rfind('-');
  if (dash == std::string::npos) return {};
  const auto release = distro->second.substr(dash + 1);
  const auto major = release.substr(0, release.find('.'));
  const std::string_view vendor = purl.name_space;
  if (purl.type == "deb" && vendor == "debian") return "Debian:" + release;
  if (purl.type == "deb" && vendor == "ubuntu") return "Ubuntu:" + release;
  if (purl.type == "rpm" && vendor == "rocky") return "Rocky Linux:" + major;
  if (purl.type == "rpm" && vendor == "almalinux") return "AlmaLinux:" + major;
  if (purl.type == "rpm" && vendor == "opensuse-leap") return "openSUSE:Leap " + release;
  if (purl.type == "apk" && vendor == "alpine") {
    return "Alpine:v" + release.substr(0, release.find('.', std::min(major.size() + 1, release.size())));
  }
  return {};
}

}  // namespace

AdvisoryTarget advisory_target(const PackageUrl& purl) {
  AdvisoryTarget target{.ecosystem = std::string(ecosystem_of_purl_type(purl.type)),
                        .name = full_name(purl),
                        .version = purl.version};
  if (purl.type == "deb" || purl.type == "rpm" || purl.type == "apk") {
    target.ecosystem = system_ecosystem(purl);
    if (target.ecosystem.empty()) return {};
    if (const auto epoch = purl.qualifiers.find("epoch"); epoch != purl.qualifiers.end()) {
      target.version = epoch->second + ":" + target.version;
    }
    const auto upstream = purl.qualifiers.find("upstream");
    // RPM's advisories name what is installed, the others its source.
    if (upstream != purl.qualifiers.end() && purl.type != "rpm") {
      const auto at = upstream->second.find('@');
      target.name = upstream->second.substr(0, at);
      if (at != std::string::npos) target.version = upstream->second.substr(at + 1);
    }
  }
  target.name = normalised_name(target.ecosystem, target.name);
  return target;
}

std::optional<bool> concerns(const Affected& affected, std::string_view ecosystem, std::string_view version) {
  if (std::find(affected.versions.begin(), affected.versions.end(), version) != affected.versions.end()) {
    return true;
  }
  const auto order = version_order(ecosystem);
  const auto parsed = parse_version(order, version);
  if (!parsed) {
    return affected.ranges.empty() ? std::optional(false) : std::nullopt;
  }
  bool known = true;
  for (const auto& range : affected.ranges) {
    const auto inside = within(range, *parsed, *order);
    if (inside == true) return true;
    known = known && inside.has_value();
  }
  // The same version, spelt otherwise.
  for (const auto listed : affected.versions) {
    const auto other = Version::parse(*order, listed);
    if (other && *other == *parsed) return true;
  }
  return known ? std::optional(false) : std::nullopt;
}

base::Result<MatchResult> match_advisories(const Inventory& inventory, const AdvisoryIndex& index,
                                           const MatchOptions& options) {
  MatchResult result;
  result.gaps = inventory.gaps;
  std::set<std::string> seen;
  for (const auto& component : inventory.components) {
    if (!seen.insert(to_string(component.purl)).second) continue;
    ++result.components;
    HF_CHECK(match_component(component, index, options, result));
  }
  std::stable_sort(result.matches.begin(), result.matches.end(), [](const Match& a, const Match& b) {
    if (a.known_exploited() != b.known_exploited()) return a.known_exploited();
    if (a.severity != b.severity) return a.severity > b.severity;
    const auto likely = [](const Match& match) {
      return match.exploitation ? match.exploitation->probability.value_or(0) : 0;
    };
    if (likely(a) != likely(b)) return likely(a) > likely(b);
    return a.score_tenths.value_or(0) > b.score_tenths.value_or(0);
  });
  return result;
}

}  // namespace holdfast::supply
