#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/time.h"
#include "trust/statement.h"

// The predicates that the stages of an artefact's way write. Each takes values and gives a statement.

namespace holdfast::trust {

// A package URL for an artefact that no package registry has: pkg:generic/NAME@VERSION.
std::string generic_purl(std::string_view name, std::string_view version = {});

// Something that was there when another thing was made or judged.
struct Material {
  std::string name;
  base::Digest digest;
};

// SLSA Verification Summary (slsa.dev/spec/v1.2/verification_summary): that somebody judged the artefact by
// a policy, and how it came out.
struct VerificationSummary {
  std::string verifier;          // a URI: "urn:holdfast:inspect"
  std::string verifier_version;  // of Holdfast; empty: not told
  base::Timestamp at;
  std::string resource_uri;
  std::string policy_uri;
  base::Digest policy;
  bool passed = false;
  // Our own names, since SLSA keeps those that begin with "SLSA_"; a failed one has "FAILED" alone.
  std::vector<std::string> levels;
  std::vector<Material> input_attestations;
};
std::string verification_summary_json(const VerificationSummary& summary);

// SLSA Provenance v1 (slsa.dev/spec/v1.2/provenance): what was made of what, by what.
struct Provenance {
  std::string build_type;  // a URI: "urn:holdfast:seal:v1"
  std::string builder;     // a URI: "urn:holdfast:cli"
  std::string builder_version;
  std::vector<std::pair<std::string, std::string>> parameters;  // those that its user chose
  std::vector<Material> dependencies;
  base::Timestamp started_on;
  base::Timestamp finished_on;
};
std::string provenance_json(const Provenance& provenance);

// In-toto's release predicate v0.1: which name and version the artefact was given out under.
struct ReleaseNotice {
  std::string purl;
  std::string release_id;
};
std::string release_json(const ReleaseNotice& notice);

}  // namespace holdfast::trust
