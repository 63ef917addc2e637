#include "registry/gates.h"

#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "crypto/sha256.h"
#include "evaluate/evaluation.h"
#include "policy/authorizer.h"
#include "registry/row_record.h"
#include "registry/test_looks.h"
#include "trust/predicates.h"

namespace holdfast::registry {

using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;
using store::Sql;

namespace {

constexpr std::size_t kMaxReasonBytes = 2000;

policy::EntityUid uid(std::string_view type, std::string id) { return {std::string(type), std::move(id)}; }

policy::Request request_for(const access::Caller& principal, const Version& version) {
  const auto& workspace = version.workspace.value();
  return {uid(access::entity_type(principal.kind()), workspace + "/" + principal.id().value()),
          uid("Action", "approve"), uid("Version", workspace + "/" + version.resource().id)};
}

// The figures of the newest evaluation, if there is one; kDataCorrupt where it is not about this model.
Result<std::optional<std::pair<evaluate::Evaluation, base::Digest>>> evaluation_of(const Parts& parts,
                                                                                   const Version& version,
                                                                                   const Dataset& dataset) {
  HF_TRY(auto evidence, EvidenceRoom(parts).newest(version.workspace, version.digest, kEvaluationPredicate));
  if (!evidence) return std::optional<std::pair<evaluate::Evaluation, base::Digest>>();
  HF_TRY(auto evaluation, evaluate::parse_evaluation(evidence->statement.predicate_json));
  // An evaluation on other rows proves nothing here: it counts as missing.
  if (evaluation.model != version.digest || evaluation.dataset != dataset.digest ||
      evaluation.split != to_string(data::Part::kTest)) {
    return std::optional<std::pair<evaluate::Evaluation, base::Digest>>();
  }
  return std::optional(std::pair(std::move(evaluation), evidence->digest));
}

// What nobody measured is forgiven nobody: it would not be known what. Nor is what could not be evaluated.
bool can_be_waived(evaluate::GateOutcome outcome) {
  return outcome != evaluate::GateOutcome::kMissing && outcome != evaluate::GateOutcome::kError;
}

// A gate that failed passes where each requirement that refused is waived, and a permit stands.
bool waive_failures(GateDecision& decision, const std::vector<Waiver>& waivers) {
  if (decision.report.passed) return true;
  if (decision.report.permitted_by.empty()) return false;
  for (const auto& requirement : decision.report.requirements) {
    if (requirement.outcome == evaluate::GateOutcome::kPassed) continue;
    const auto waiver = std::find_if(waivers.begin(), waivers.end(),
                                     [&](const Waiver& one) { return one.requirement == requirement.id; });
    if (waiver == waivers.end() || !can_be_waived(requirement.outcome)) {
      decision.waivers.clear();
      return false;
    }
    decision.waivers.push_back(*waiver);
  }
  return true;
}

Result<> check_waivable(const evaluate::GateReport& report, const Version& version,
                        std::string_view requirement) {
  const auto found = std::ranges::find(report.requirements, requirement, &evaluate::GateRequirement::id);
  if (found == report.requirements.end()) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("the gate of {} has no requirement {}", version.model, requirement));
  }
  if (found->outcome == evaluate::GateOutcome::kPassed) {
    return fail(ErrorCode::kConflict, fmt::format("version {} of {} passed {}: there is nothing to forgive",
                                                  version.version, version.model, requirement));
  }
  if (can_be_waived(found->outcome)) return {};
  return fail(
      ErrorCode::kConflict,
      fmt::format("{} can't be waived for version {} of {} while nobody knows what would be forgiven: it "
                  "is {}; evaluate the version first",
                  requirement, version.version, version.model, to_string(found->outcome)));
}

json requirement_json(const evaluate::GateRequirement& requirement) {
  json value{{"id", requirement.id},
             {"figure", requirement.figure},
             {"outcome", to_string(requirement.outcome)},
             {"threshold", requirement.threshold},
             {"remedy", requirement.remedy},
             {"sentence", sentence(requirement)}};
  if (requirement.measurement) {
    value["value"] = fmt::format("{}", requirement.measurement->value);
    value["low"] = fmt::format("{}", requirement.measurement->interval.low);
    value["high"] = fmt::format("{}", requirement.measurement->interval.high);
    value["rows"] = requirement.measurement->sample_size;
  }
  if (requirement.rows_needed) value["rows_needed"] = *requirement.rows_needed;
  if (!requirement.error.empty()) value["error"] = requirement.error;
  return value;
}

json waiver_json(const Waiver& waiver) {
  return {{"id", waiver.id},
          {"requirement", waiver.requirement},
          {"reason", waiver.reason},
          {"granted_by", waiver.granted_by},
          {"expires_at", waiver.expires_at.text()}};
}

// For the log: which requirements came to what, without their sentences.
json outcomes_json(const GateDecision& decision) {
  json outcomes = json::object();
  for (const auto& requirement : decision.report.requirements) {
    outcomes[requirement.id] = to_string(requirement.outcome);
  }
  json value{{"passed", decision.passed}, {"outcomes", std::move(outcomes)}, {"looks", decision.looks}};
  for (const auto& waiver : decision.waivers) value["waived"].push_back(waiver.requirement);
  if (decision.evidence) value["evaluation"] = decision.evidence->prefixed();
  return value;
}

Result<> record_refusal(audit::Log& log, const access::Authorised& authorised, const GateDecision& decision) {
  HF_TRY(std::string details, base::canonical_json(outcomes_json(decision)));
  HF_CHECK(log.append({.workspace = authorised.caller().workspace(),
                       .actor = authorised.caller().text(),
                       .action = "model.approve",
                       .resource = authorised.resource().text(),
                       .decision = "refused",
                       .details = std::move(details)}));
  return {};
}

// That the gate let it pass, by which policies and on which evaluation.
Statement gate_statement(const Version& version, const Requirements& requirements,
                         const GateDecision& decision, base::Timestamp now) {
  trust::VerificationSummary summary{
      .verifier = "urn:holdfast:gate",
      .verifier_version = {},
      .at = now,
      .resource_uri = trust::generic_purl(version.model, std::to_string(version.version)),
      .policy_uri = fmt::format("urn:holdfast:requirements:{}", requirements.version),
      .policy = crypto::sha256(base::as_bytes(requirements.policies_cedar)),
      .passed = true,
      .levels = {decision.waivers.empty() ? "HOLDFAST_GATE_PASSED" : "HOLDFAST_GATE_WAIVED"},
      .input_attestations = {}};
  if (decision.evidence)
    summary.input_attestations.push_back({"urn:holdfast:evaluation", *decision.evidence});
  return {.subject_name = version.model,
          .subject = version.digest,
          .predicate_type = std::string(trust::kVerificationSummary),
          .predicate_json = trust::verification_summary_json(summary)};
}

// All of what the row says.
audit::RowName name_row(const base::WorkspaceId& workspace, const Waiver& waiver) {
  return audit::name_row(fmt::format("waivers/{}/{}", workspace.value(), waiver.id),
                         {{"artefact", waiver.artefact.hex()},
                          {"requirement", waiver.requirement},
                          {"reason", waiver.reason},
                          {"granted_by", waiver.granted_by},
                          {"granted_at", waiver.granted_at.microseconds()},
                          {"expires_at", waiver.expires_at.microseconds()}});
}

using WaiverRow = std::tuple<base::WorkspaceId, std::int64_t, base::Digest, std::string, std::string,
                             std::string, base::Timestamp, base::Timestamp, std::int64_t, base::Digest>;

std::pair<Waiver, audit::RowClaim> waiver_of(WaiverRow row) {
  auto& [workspace, id, artefact, requirement, reason, by, at, expires_at, index, leaf] = row;
  Waiver waiver{.id = id,
                .artefact = artefact,
                .requirement = std::move(requirement),
                .reason = std::move(reason),
                .granted_by = std::move(by),
                .granted_at = at,
                .expires_at = expires_at};
  auto claim = audit::claim_row(name_row(workspace, waiver), index, leaf);
  return {std::move(waiver), std::move(claim)};
}

}  // namespace

json GateDecision::json() const {
  nlohmann::json requirements = nlohmann::json::array();
  for (const auto& requirement : report.requirements) requirements.push_back(requirement_json(requirement));
  nlohmann::json value{{"passed", passed},
                       {"requirements", std::move(requirements)},
                       {"looks_at_test_part", looks},
                       {"requirements_version", requirements_version},
                       {"waivers", nlohmann::json::array()}};
  for (const auto& waiver : waivers) value["waivers"].push_back(waiver_json(waiver));
  if (evidence) value["evaluation"] = evidence->prefixed();
  return value;
}

Result<GateDecision> Gates::decide(const access::Caller& principal, const Version& version) const {
  HF_TRY(const auto requirements, RequirementsRoom(parts_).find(version.workspace, version.model));
  HF_TRY(auto policies, parse_gate(requirements.policies_cedar));
  HF_TRY(const auto dataset,
         Datasets(parts_).find(version.workspace, requirements.dataset, requirements.dataset_version));
  HF_TRY(const auto evaluation, evaluation_of(parts_, version, dataset));
  GateDecision decision{.requirements_version = requirements.version};
  HF_TRY(decision.looks, TestLooks(parts_).until_now(version.workspace, dataset.digest));
  if (evaluation) decision.evidence = evaluation->second;
  const policy::Authorizer gate(std::move(policies));
  HF_TRY(decision.report,
         evaluate::decide_gate(gate, request_for(principal, version), policy::Entities(),
                               evaluation ? evaluation->first.figures : std::vector<evaluate::Figure>()));
  HF_TRY(auto granted, waivers(version.workspace, version.digest));
  std::erase_if(granted, [now = parts_.clock.now()](const Waiver& waiver) { return !waiver.in_force(now); });
  decision.passed = waive_failures(decision, granted);
  return decision;
}

Result<GateDecision> Gates::approve(const access::Authorised& authorised, const Version& version) {
  HF_TRY(auto decision, decide(authorised.caller(), version));
  if (!decision.passed) {
    HF_CHECK(record_refusal(parts_.log, authorised, decision));
    return decision;
  }
  HF_TRY(auto change, parts_.database.begin());
  // From here on nobody else writes: what the statement below says was met is what was decided by.
  HF_TRY(const auto requirements, RequirementsRoom(parts_).find(version.workspace, version.model));
  if (requirements.version != decision.requirements_version) {
    return fail(ErrorCode::kConflict,
                fmt::format("the requirements of {} were changed meanwhile; ask again", version.model));
  }
  HF_TRY(auto recorded, models_->approve(change, authorised, version, outcomes_json(decision)));
  // in-toto's test result: https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md
  json passed = json::array();
  json warned = json::array();
  for (const auto& requirement : decision.report.requirements) {
    (requirement.outcome == evaluate::GateOutcome::kPassed ? passed : warned).push_back(requirement.id);
  }
  const json predicate{{"result", warned.empty() ? "PASSED" : "WARNED"},
                       {"configuration", json::array({{{"name", "gate"}}})},
                       {"passedTests", std::move(passed)},
                       {"warnedTests", std::move(warned)}};
  HF_CHECK(EvidenceRoom(parts_).add(change, version.workspace,
                                    {.subject_name = version.model,
                                     .subject = version.digest,
                                     .predicate_type = std::string(kTestResultPredicate),
                                     .predicate_json = predicate.dump()}));
  HF_CHECK(EvidenceRoom(parts_).add(change, version.workspace,
                                    gate_statement(version, requirements, decision, parts_.clock.now())));
  HF_CHECK(recorded.commit(change));
  return decision;
}

Result<Waiver> Gates::waive(const access::Authorised& authorised, const Version& version,
                            std::string_view requirement, std::string_view reason,
                            base::Timestamp expires_at) {
  if (!authorised.is_for(access::Action::kWaive, access::ResourceType::kVersion, version.workspace,
                         version.resource().id)) {
    return fail(ErrorCode::kPermissionDenied, "what was decided was not a waiver for this version");
  }
  const auto now = parts_.clock.now();
  if (reason.empty() || reason.size() > kMaxReasonBytes) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("a waiver has a reason of 1 to {} bytes", kMaxReasonBytes));
  }
  if (expires_at <= now || expires_at - now > kMaxWaiver) {
    return fail(ErrorCode::kInvalidArgument, "a waiver expires, within the next 90 days");
  }
  HF_TRY(const auto decision, decide(authorised.caller(), version));
  HF_CHECK(check_waivable(decision.report, version, requirement));
  HF_TRY(auto change, parts_.database.begin());
  HF_TRY(const std::int64_t id, change.next_change(version.workspace, "waiver", version.digest.hex()));
  const Waiver waiver{.id = id,
                      .artefact = version.digest,
                      .requirement = std::string(requirement),
                      .reason = std::string(reason),
                      .granted_by = authorised.caller().text(),
                      .granted_at = now,
                      .expires_at = expires_at};
  HF_TRY(auto recorded,
         record_row(
             parts_.log, authorised, "gate.waive", name_row(version.workspace, waiver),
             {{"requirement", waiver.requirement}, {"reason", waiver.reason}, {"until", expires_at.text()}}));
  HF_CHECK(change.execute(Sql("INSERT INTO waivers (workspace, id, artefact, requirement, reason, granted_by,"
                              " granted_at, expires_at, record_index, record)"
                              " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"),
                          version.workspace, waiver.id, waiver.artefact, waiver.requirement, waiver.reason,
                          waiver.granted_by, waiver.granted_at, waiver.expires_at,
                          static_cast<std::int64_t>(recorded.receipt().index), recorded.receipt().leaf));
  HF_CHECK(recorded.commit(change));
  return waiver;
}

Result<std::vector<Waiver>> Gates::waivers(const base::WorkspaceId& workspace,
                                           const base::Digest& artefact) const {
  HF_TRY(const auto snapshot, parts_.database.snapshot());
  auto rows = snapshot.rows<base::WorkspaceId, std::int64_t, base::Digest, std::string, std::string,
                            std::string, base::Timestamp, base::Timestamp, std::int64_t, base::Digest>(
      Sql("SELECT workspace, id, artefact, requirement, reason, granted_by, granted_at, expires_at,"
          " record_index, record FROM waivers WHERE workspace = $1 AND artefact = $2"
          " ORDER BY expires_at DESC, id DESC"),
      workspace, artefact);
  if (!rows) return fail(std::move(rows).error());
  std::vector<Waiver> found;
  for (auto& row : *rows) {
    auto [waiver, claim] = waiver_of(std::move(row));
    // A waiver that somebody wrote into the database is none.
    HF_CHECK(audit::check_claim(parts_.log, claim));
    const bool outlived = std::any_of(found.begin(), found.end(), [&waiver = waiver](const Waiver& longer) {
      return longer.requirement == waiver.requirement;
    });
    if (!outlived) found.push_back(std::move(waiver));
  }
  return found;
}

Result<> Gates::check_waivers(const access::Caller& principal, const Version& version) const {
  HF_TRY(const auto granted, waivers(version.workspace, version.digest));
  const auto now = parts_.clock.now();
  if (std::all_of(granted.begin(), granted.end(), [now](const Waiver& one) { return one.in_force(now); })) {
    return {};
  }
  HF_TRY(const auto decision, decide(principal, version));
  if (decision.passed) return {};
  for (const auto& requirement : decision.report.requirements) {
    if (requirement.outcome == evaluate::GateOutcome::kPassed) continue;
    const auto over = std::find_if(granted.begin(), granted.end(), [&](const Waiver& one) {
      return one.requirement == requirement.id && !one.in_force(now);
    });
    if (over == granted.end()) continue;
    return fail(ErrorCode::kPermissionDenied,
                fmt::format("version {} of {} was approved by a waiver of {}, which was over at {}: have it "
                            "waived anew, or release another version",
                            version.version, version.model, requirement.id, over->expires_at.text()));
  }
  return {};
}

Result<> claim_waivers(const store::Snapshot& view, std::vector<audit::RowClaim>& claims) {
  using Key = std::pair<base::WorkspaceId, std::int64_t>;
  const auto query = [&view](const Key& after) {
    return view.rows<base::WorkspaceId, std::int64_t, base::Digest, std::string, std::string, std::string,
                     base::Timestamp, base::Timestamp, std::int64_t, base::Digest>(
        Sql("SELECT workspace, id, artefact, requirement, reason, granted_by, granted_at, expires_at,"
            " record_index, record FROM waivers WHERE (workspace, id) > ($1, $2)"
            " ORDER BY workspace, id LIMIT $3"),
        after.first, after.second, audit::kClaimsPage);
  };
  return audit::claim_pages(Key(), query, [&claims](auto& row) -> Result<Key> {
    Key key(std::get<0>(row), std::get<1>(row));
    claims.push_back(waiver_of(std::move(row)).second);
    return key;
  });
}

}  // namespace holdfast::registry
