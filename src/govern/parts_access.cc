#include <fmt/format.h>

#include "govern/parts.h"

// P01 to P06: who gets in, what they may do, and what becomes of models.

namespace holdfast::govern {
namespace {

Sight service_signed_in(const Facts& facts) {
  return records(facts, Happening::kServiceSignedIn, "signed in by an assertion");
}

Sight service_predicted(const Facts& facts) {
  return records(facts, Happening::kPredictedForService, "a prediction was given");
}

Sight decided(const Facts& facts) {
  return both(records(facts, Happening::kAllowed, "allowed"), records(facts, Happening::kDenied, "denied"),
              "decisions of both kinds are needed to tell");
}

Sight granted(const Facts& facts) { return records(facts, Happening::kGranted, "a right was given"); }

Sight log_verified(const Facts& facts) {
  if (!facts.runtime.log) return {};
  const auto& check = *facts.runtime.log;
  return {.evidence = {{.kind = "check",
                        .reference = "audit verify",
                        .what = fmt::format("{} records were verified", check.records),
                        .at = check.at,
                        .part = {}}},
          .against = check.fault};
}

Sight rows_checked(const Facts& facts) {
  if (!facts.runtime.rows) return {};
  return {.evidence = {{.kind = "check",
                        .reference = "rows",
                        .what = "the rows that carry a record were compared with the log",
                        .at = facts.runtime.rows->at,
                        .part = {}}},
          .against = facts.runtime.rows->fault};
}

Sight denied(const Facts& facts) { return records(facts, Happening::kDenied, "denied"); }

Sight datasets_known(const Facts& facts) {
  return records(facts, Happening::kDatasetRegistered, "a dataset was registered");
}

Sight provenance_of(const VersionFacts& version) {
  if (!version.provenance) return {};
  return {.evidence = {{.kind = "statement",
                        .reference = version.provenance->prefixed(),
                        .what = fmt::format("the data and the run that made {}", name_of(version)),
                        .at = {},
                        .part = {}}},
          .against = {}};
}

Sight provenance(const Facts& facts) { return of_each_serving(facts, provenance_of); }

Sight predictions_named(const Facts& facts) {
  return records(facts, Happening::kPredicted, "a prediction was recorded");
}

Evidence load_evidence(const VersionFacts& version, std::string_view told) {
  return {.kind = "check",
          .reference = fmt::format("{} {}", version.model, version.version),
          .what = std::string(told),
          .at = version.load->at,
          .part = {}};
}

Sight opened_from_sealed(const VersionFacts& version) {
  if (!version.load) return {};
  return {
      .evidence = {load_evidence(version, "opened from its sealed blob, byte for byte what was registered")},
      .against = version.load->failed};
}

// What came of one trial with a version; `failed` says what it means that it did not hold.
Sight trial(const VersionFacts& version, bool held, std::string_view told, std::string_view failed) {
  if (!version.load || !version.load->failed.empty()) return {};
  return {.evidence = {load_evidence(version, told)},
          .against = held ? std::string() : fmt::format("{}: {}", name_of(version), failed)};
}

Sight signature_held(const VersionFacts& version) {
  return trial(version, version.load && version.load->signature_holds, "its signature was verified",
               "its signature did not verify");
}

Sight changed_byte(const VersionFacts& version) {
  return trial(version, version.load && version.load->changed_byte_refused,
               "one byte was changed, and refused", "a changed byte was not refused");
}

Sight other_signer(const VersionFacts& version) {
  return trial(version, version.load && version.load->other_signer_refused,
               "it was signed by another key, and refused", "another signer was not refused");
}

Sight rolled_back(const Facts& facts) {
  if (!facts.rolled_back) return {};
  const auto& tried = *facts.rolled_back;
  return {.evidence = {{.kind = "check",
                        .reference = "endpoint:" + tried.endpoint,
                        .what = "the release before the current one was put in its place",
                        .at = tried.at,
                        .part = {}}},
          .against = tried.refused ? std::string() : "it was not refused"};
}

PracticeParts encrypted_and_signed() {
  return {
      "P05",
      {{"each version that serves was opened from ciphertext", true,
        [](const Facts& f) { return of_each_serving(f, opened_from_sealed); }},
       {"its signature verified, from the bundle and the public key that outside tools get", true,
        [](const Facts& f) { return of_each_serving(f, signature_held); }},
       {"a changed byte was refused", false, [](const Facts& f) { return of_each_serving(f, changed_byte); }},
       {"a wrong signer was refused", false, [](const Facts& f) { return of_each_serving(f, other_signer); }},
       {"a release rolled back behind the log's back was refused", false, rolled_back}}};
}

}  // namespace

std::vector<PracticeParts> access_parts() {
  return {
      {"P01",
       {{"a service got in by an assertion signed with its own key", true, service_signed_in},
        {"the short-lived token that it got was good at an endpoint", false, service_predicted},
        {"the token was bound to the service's key or certificate", false, nullptr}}},
      {"P02",
       {{"requests were decided by policy, some allowed and some denied", true, decided},
        {"somebody was given a right of their own", false, granted},
        {"the log was verified from its files and its public key alone", false, log_verified},
        {"what the database holds is what the log says", false, rows_checked}}},
      {"P03",
       {{"a caller whom no policy permits was refused", true, denied},
        {"rights that nobody uses were found, and their removal proposed", false, nullptr},
        {"elevated access was asked for, approved by another person, and ended", false, nullptr}}},
      {"P04",
       {{"datasets are known by their digest, and by who brought them", true, datasets_known},
        {"signed provenance names the data and the run behind each version that serves", true, provenance},
        {"predictions are bound to caller and release in the log", false, predictions_named},
        {"what a change or a poisoned input affects downstream was worked out", false, nullptr}}},
      encrypted_and_signed(),
      {"P06",
       {{"a model was trained with DP-SGD, its epsilon accounted", true, nullptr},
        {"figures were released under a privacy budget", true, nullptr},
        {"a model was trained across parties by secure aggregation", true, nullptr}}},
  };
}

}  // namespace holdfast::govern
