#include "trust/predicates.h"

#include <nlohmann/json.hpp>

#include "supply/purl.h"

namespace holdfast::trust {
namespace {

using nlohmann::json;

// Who did it: a verifier or a builder.
json agent(const std::string& id, const std::string& version) {
  json value{{"id", id}};
  if (!version.empty()) value["version"] = {{"holdfast", version}};
  return value;
}

json descriptors(const std::vector<Material>& materials, const char* name_member) {
  json list = json::array();
  for (const auto& [name, digest] : materials) {
    list.push_back({{name_member, name}, {"digest", {{"sha256", digest.hex()}}}});
  }
  return list;
}

}  // namespace

std::string generic_purl(std::string_view name, std::string_view version) {
  return supply::to_string({.type = "generic",
                            .name_space = {},
                            .name = std::string(name),
                            .version = std::string(version),
                            .qualifiers = {},
                            .subpath = {}});
}

std::string verification_summary_json(const VerificationSummary& summary) {
  json value{{"verifier", agent(summary.verifier, summary.verifier_version)},
             {"timeVerified", summary.at.text()},
             {"resourceUri", summary.resource_uri},
             {"policy", {{"uri", summary.policy_uri}, {"digest", {{"sha256", summary.policy.hex()}}}}},
             {"verificationResult", summary.passed ? "PASSED" : "FAILED"},
             {"verifiedLevels", summary.passed ? json(summary.levels) : json::array({"FAILED"})},
             {"slsaVersion", "1.2"}};
  if (!summary.input_attestations.empty()) {
    value["inputAttestations"] = descriptors(summary.input_attestations, "uri");
  }
  return value.dump();
}

std::string provenance_json(const Provenance& provenance) {
  json parameters = json::object();
  for (const auto& [name, value] : provenance.parameters) parameters[name] = value;
  const json value{
      {"buildDefinition",
       {{"buildType", provenance.build_type},
        {"externalParameters", std::move(parameters)},
        {"resolvedDependencies", descriptors(provenance.dependencies, "name")}}},
      {"runDetails",
       {{"builder", agent(provenance.builder, provenance.builder_version)},
        {"metadata",
         {{"startedOn", provenance.started_on.text()}, {"finishedOn", provenance.finished_on.text()}}}}}};
  return value.dump();
}

std::string release_json(const ReleaseNotice& notice) {
  return json{{"purl", notice.purl}, {"releaseId", notice.release_id}}.dump();
}

}  // namespace holdfast::trust
