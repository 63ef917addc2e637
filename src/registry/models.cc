#include "registry/models.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "crypto/sha256.h"
#include "intake/inspector.h"
#include "registry/blob_bytes.h"
#include "registry/evidence.h"
#include "registry/model_file.h"
#include "registry/model_signature.h"
#include "registry/names.h"
#include "registry/row_record.h"
#include "trust/decide.h"
#include "trust/predicates.h"

namespace holdfast::registry {

using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;
using store::Sql;

namespace {

using Row = std::tuple<std::string, std::int64_t, base::Digest, std::int64_t, std::string, std::string,
                       std::optional<std::int64_t>, base::Timestamp, std::string, std::string>;

constexpr std::size_t kMaxFindingsTold = 20;
constexpr std::size_t kMaxReasonBytes = 2000;

Result<VersionState> parse_state(std::string_view text) {
  for (const auto state : {VersionState::kQuarantined, VersionState::kApproved}) {
    if (text == to_string(state)) return state;
  }
  return fail(ErrorCode::kDataCorrupt, "a model version's row has a state that there is not");
}

Result<Version> version_of(const base::WorkspaceId& workspace, Row row) {
  auto& [model, number, digest, size, format, state_text, run, created_at, created_by, makers] = row;
  HF_TRY(const auto state, parse_state(state_text));
  Version version{.workspace = workspace,
                  .model = std::move(model),
                  .version = number,
                  .digest = digest,
                  .size_bytes = static_cast<std::uint64_t>(size),
                  .format = std::move(format),
                  .state = state,
                  .run = run,
                  .created_at = created_at,
                  .created_by = std::move(created_by),
                  .makers = {}};
  HF_TRY(const json ids, base::parse_json(makers));
  for (const auto& id : ids) {
    if (!id.is_string())
      return fail(ErrorCode::kDataCorrupt, "a model version's row does not tell its makers");
    version.makers.emplace_back(id.get<std::string>());
  }
  return version;
}

std::string makers_json(const std::vector<access::PrincipalId>& makers) {
  json ids = json::array();
  for (const auto& maker : makers) ids.push_back(maker.value());
  return ids.dump();
}

// All of what the row says.
audit::RowName name_row(const Version& version, std::string_view signature) {
  json contents{{"digest", version.digest.hex()},
                {"size", version.size_bytes},
                {"format", version.format},
                {"state", to_string(version.state)},
                {"created_at", version.created_at.microseconds()},
                {"created_by", version.created_by},
                {"makers", makers_json(version.makers)},
                {"signature", signature}};
  if (version.run) contents["run"] = *version.run;
  return audit::name_row(
      fmt::format("model_versions/{}/{}/{}", version.workspace.value(), version.model, version.version),
      std::move(contents));
}

Result<std::optional<Version>> look_up(const store::Snapshot& snapshot, const base::WorkspaceId& workspace,
                                       std::string_view model, std::int64_t number) {
  auto found = snapshot.row<std::string, std::int64_t, base::Digest, std::int64_t, std::string, std::string,
                            std::optional<std::int64_t>, base::Timestamp, std::string, std::string>(
      Sql("SELECT model, version, digest, size, format, state, run, created_at, created_by, makers"
          " FROM model_versions WHERE workspace = $1 AND model = $2 AND version = $3"),
      workspace, model, number);
  if (!found) return fail(std::move(found).error());
  if (!*found) return std::optional<Version>();
  HF_TRY(auto version, version_of(workspace, **std::move(found)));
  return std::optional(std::move(version));
}

json findings_json(const inspect::Report& report) {
  json rules = json::array();
  for (const auto& file : report.files) {
    for (const auto& finding : file.findings) {
      if (rules.size() >= kMaxFindingsTold) break;
      rules.push_back({{"rule", finding.rule_id}, {"severity", to_string(finding.severity)}});
    }
  }
  return rules;
}

std::string reason_of(const inspect::Report& report, inspect::Severity refuse_from) {
  for (const auto& file : report.files) {
    for (const auto& finding : file.findings) {
      if (finding.severity >= refuse_from) {
        return fmt::format("{}: {} ({})", finding.path, finding.message, finding.rule_id);
      }
    }
  }
  for (const auto& file : report.files) {
    if (!file.not_looked_at.empty()) {
      return fmt::format("{}: part of it could not be looked at: {}", file.path, file.not_looked_at.front());
    }
  }
  return "it was not looked at";
}

// Nothing where the file is admitted.
Result<std::optional<std::string>> why_refused(const formats::FileSource& file, const NewVersion& wanted,
                                               const inspect::Report& report, inspect::Severity refuse_from) {
  if (report.count_at_least(refuse_from) > 0 || !report.complete()) {
    return std::optional(reason_of(report, refuse_from));
  }
  base::Bytes head(std::min<std::uint64_t>(file.size(), kModelHeadBytes));
  HF_CHECK(file.read_at(0, head));
  auto why = why_no_model(report.files.front().format, head);
  if (!why || !wanted.as_is.empty()) return std::optional<std::string>();
  return std::optional(
      fmt::format("{}: {}; to keep it all the same, say why (--as-is REASON)", wanted.file_name, *why));
}

json registered_json(const Version& version, const std::string& as_is) {
  json details{{"model", version.model}, {"version", version.version}, {"digest", version.digest.prefixed()}};
  if (version.run) details["run"] = *version.run;
  if (!as_is.empty()) details["as_is"] = as_is;
  return details;
}

// The inspection as in-toto's test result (in-toto/attestation, spec/predicates/test-result.md).
Statement inspection_statement(const Version& version, const inspect::Report& report) {
  json warned = json::array();
  for (const auto& finding : report.files.front().findings) warned.push_back(finding.rule_id);
  const json predicate{{"result", warned.empty() ? "PASSED" : "WARNED"},
                       {"configuration", json::array({{{"name", "holdfast inspect"}}})},
                       {"warnedTests", std::move(warned)}};
  return {.subject_name = version.model,
          .subject = version.digest,
          .predicate_type = std::string(kTestResultPredicate),
          .predicate_json = predicate.dump()};
}

// That the admission's rules were met, for whoever does not read the test result.
Statement admission_statement(const Version& version, const AdmissionRules& rules) {
  const auto from = to_string(rules.refuse_from);
  std::string level = fmt::format("HOLDFAST_CLEAN_FROM_{}", from);
  std::ranges::transform(level, level.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const trust::VerificationSummary summary{
      .verifier = "urn:holdfast:registry",
      .verifier_version = {},
      .at = version.created_at,
      .resource_uri = trust::generic_purl(version.model, std::to_string(version.version)),
      .policy_uri = "urn:holdfast:admission",
      .policy = crypto::sha256(base::as_bytes(fmt::format("refuse_from={}", from))),
      .passed = true,
      .levels = {"HOLDFAST_INSPECTED", std::move(level)},
      .input_attestations = {}};
  return {.subject_name = version.model,
          .subject = version.digest,
          .predicate_type = std::string(trust::kVerificationSummary),
          .predicate_json = trust::verification_summary_json(summary)};
}

Result<> insert(store::Transaction& change, const Version& version, const audit::Receipt& receipt) {
  HF_CHECK(change.execute(Sql("INSERT INTO model_versions (workspace, model, version, digest, size, format, "
                              "state, run, created_at,"
                              " created_by, makers, signature, record_index, record)"
                              " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '', $12, $13)"),
                          version.workspace, version.model, version.version, version.digest,
                          static_cast<std::int64_t>(version.size_bytes), version.format,
                          to_string(version.state), version.run, version.created_at, version.created_by,
                          makers_json(version.makers), static_cast<std::int64_t>(receipt.index),
                          receipt.leaf));
  return {};
}

Result<crypto::PrivateKey> signing_key(const Parts& parts, const base::WorkspaceId& workspace) {
  return parts.keys.signing_key({workspace, "models", "signing"}, crypto::KeyAlgorithm::kEcdsaP256);
}

}  // namespace

std::string_view to_string(VersionState state) {
  return state == VersionState::kApproved ? "approved" : "quarantined";
}

access::Resource Version::resource() const {
  return {.type = access::ResourceType::kVersion,
          .workspace = workspace,
          .id = fmt::format("{}/{}", model, version),
          .model = model,
          .makers = makers};
}

json Version::json() const {
  nlohmann::json value{{"model", model},
                       {"version", version},
                       {"digest", digest.prefixed()},
                       {"size_bytes", size_bytes},
                       {"format", format},
                       {"state", to_string(state)},
                       {"created_at", created_at.text()},
                       {"created_by", created_by}};
  if (run) value["run"] = *run;
  return value;
}

Result<Refusal> Models::refuse(const access::Authorised& authorised, const NewVersion& wanted,
                               const base::Digest& digest, inspect::Report report, std::string reason) {
  Refusal refusal{.report = std::move(report), .reason = std::move(reason)};
  HF_TRY(std::string details, base::canonical_json({{"model", wanted.model},
                                                    {"digest", digest.prefixed()},
                                                    {"reason", refusal.reason},
                                                    {"findings", findings_json(refusal.report)}}));
  HF_CHECK(parts_.log.append({.workspace = authorised.caller().workspace(),
                              .actor = authorised.caller().text(),
                              .action = "model.refuse",
                              .resource = authorised.resource().text(),
                              .decision = "refused",
                              .details = std::move(details)}));
  return refusal;
}

Result<std::variant<Version, Refusal>> Models::admit(const access::Authorised& authorised,
                                                     const NewVersion& wanted,
                                                     const formats::FileSource& file) {
  HF_CHECK(check_name("a model's name", wanted.model));
  if (wanted.as_is.size() > kMaxReasonBytes) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("the reason to keep the file as it is has over {} bytes", kMaxReasonBytes));
  }
  SourceReader content(file);
  HF_TRY(const auto digest, crypto::sha256_stream(content));
  intake::InspectOptions inspection{.memory_bytes = rules_.inspect_memory_bytes,
                                    .time_per_file = rules_.inspect_time,
                                    .weakest_jail = rules_.weakest_jail};
  if (rules_.judged_by) {
    HF_TRY(auto judged_by, rules_.judged_by());
    inspection.rules = std::move(judged_by.set);
    inspection.overdue = std::move(judged_by.overdue);
  }
  HF_TRY(auto report, intake::inspect_file(file, wanted.file_name, inspection));
  HF_TRY(auto why, why_refused(file, wanted, report, rules_.refuse_from));
  if (why) {
    HF_TRY(auto refusal, refuse(authorised, wanted, digest, std::move(report), *std::move(why)));
    return std::variant<Version, Refusal>(std::move(refusal));
  }
  Version version{.workspace = authorised.caller().workspace(),
                  .model = wanted.model,
                  .version = 1,
                  .digest = digest,
                  .size_bytes = file.size(),
                  .format = report.files.front().format,
                  .state = VersionState::kQuarantined,
                  .run = wanted.run,
                  .created_at = parts_.clock.now(),
                  .created_by = authorised.caller().text(),
                  .makers = {authorised.caller().id()}};
  HF_TRY(const auto blob, keep_blob(parts_, version.workspace, file));
  if (blob.digest != digest) return fail(ErrorCode::kConflict, "the model changed while it was read");

  HF_TRY(auto change, parts_.database.begin());
  HF_TRY(const auto newest,
         change.view().row<std::int64_t>(
             Sql("SELECT coalesce(max(version), 0) FROM model_versions WHERE workspace = $1 AND model = $2"),
             version.workspace, version.model));
  HF_TRY(const auto same,
         change.view().row<std::int64_t>(Sql("SELECT version FROM model_versions WHERE workspace = $1"
                                             " AND model = $2 AND digest = $3"),
                                         version.workspace, version.model, digest));
  if (same) {
    return fail(ErrorCode::kAlreadyExists, fmt::format("the model {} has these bytes already, as version {}",
                                                       version.model, std::get<0>(*same)));
  }
  version.version = std::get<0>(*newest) + 1;
  HF_TRY(auto recorded, record_row(parts_.log, authorised, "model.register", name_row(version, ""),
                                   registered_json(version, wanted.as_is)));
  HF_CHECK(insert(change, version, recorded.receipt()));
  EvidenceRoom evidence(parts_);
  HF_CHECK(evidence.add(change, version.workspace, inspection_statement(version, report)));
  HF_CHECK(evidence.add(change, version.workspace, admission_statement(version, rules_)));
  if (wanted.also) HF_CHECK(wanted.also(change, version));
  HF_CHECK(change.next_change(version.workspace, "model", version.model));
  HF_CHECK(recorded.commit(change));
  return std::variant<Version, Refusal>(std::move(version));
}

Result<audit::PendingRows> Models::approve(store::Transaction& change, const access::Authorised& authorised,
                                           const Version& version, const json& details) {
  if (!authorised.is_for(access::Action::kApprove, access::ResourceType::kVersion, version.workspace,
                         version.resource().id)) {
    return fail(ErrorCode::kPermissionDenied, "what was decided was not the approval of this version");
  }
  HF_TRY(const auto key, signing_key(parts_, version.workspace));
  HF_TRY(const std::string signature, sign_model(key, version.model, version.version, version.digest));
  Version approved = version;
  approved.state = VersionState::kApproved;
  // By which the log proves the signature to others.
  json logged = details;
  logged[trust::kBundleMember] = crypto::sha256(base::as_bytes(signature)).prefixed();
  HF_TRY(auto recorded,
         record_row(parts_.log, authorised, trust::kApproveModel, name_row(approved, signature), logged));
  const audit::Receipt receipt = recorded.receipt();
  HF_TRY(const auto changed,
         change.execute(
             Sql("UPDATE model_versions SET state = $1, signature = $2, record_index = $3, record = $4"
                 " WHERE workspace = $5 AND model = $6 AND version = $7 AND digest = $8"),
             to_string(approved.state), signature, static_cast<std::int64_t>(receipt.index), receipt.leaf,
             version.workspace, version.model, version.version, version.digest));
  if (changed != 1) return fail(ErrorCode::kConflict, "the model version changed meanwhile; read it again");
  HF_CHECK(change.next_change(version.workspace, "model", version.model));
  return recorded;
}

Result<Version> Models::find(const base::WorkspaceId& workspace, std::string_view model,
                             std::int64_t number) const {
  HF_TRY(const auto snapshot, parts_.database.snapshot());
  HF_TRY(auto found, look_up(snapshot, workspace, model, number));
  if (found) return *std::move(found);
  return fail(ErrorCode::kNotFound, fmt::format("there is no version {} of a model {}", number, model));
}

Result<std::vector<Version>> Models::list(const base::WorkspaceId& workspace, std::string_view model,
                                          std::size_t limit) const {
  HF_TRY(const auto snapshot, parts_.database.snapshot());
  auto rows = snapshot.rows<std::string, std::int64_t, base::Digest, std::int64_t, std::string, std::string,
                            std::optional<std::int64_t>, base::Timestamp, std::string, std::string>(
      Sql("SELECT model, version, digest, size, format, state, run, created_at, created_by, makers"
          " FROM model_versions WHERE workspace = $1 AND ($2 = '' OR model = $2)"
          " ORDER BY created_at DESC, model, version DESC LIMIT $3"),
      workspace, model, static_cast<std::int64_t>(limit));
  if (!rows) return fail(std::move(rows).error());
  std::vector<Version> versions;
  for (auto& row : *rows) {
    HF_TRY(auto version, version_of(workspace, std::move(row)));
    versions.push_back(std::move(version));
  }
  return versions;
}

Result<std::string> Models::signature(const Version& version) const {
  HF_TRY(const auto snapshot, parts_.database.snapshot());
  HF_TRY(auto found, snapshot.row<std::string>(Sql("SELECT signature FROM model_versions WHERE workspace = $1"
                                                   " AND model = $2 AND version = $3"),
                                               version.workspace, version.model, version.version));
  if (found && !std::get<0>(*found).empty()) return std::get<0>(*std::move(found));
  return fail(ErrorCode::kNotFound, fmt::format("version {} of {} is not signed: it was not approved",
                                                version.version, version.model));
}

Result<audit::TlogProof> Models::signature_proof(const Version& version) const {
  HF_TRY(const auto snapshot, parts_.database.snapshot());
  HF_TRY(auto found,
         snapshot.row<std::int64_t>(Sql("SELECT record_index FROM model_versions WHERE workspace = $1"
                                        " AND model = $2 AND version = $3 AND state = $4"),
                                    version.workspace, version.model, version.version,
                                    to_string(VersionState::kApproved)));
  if (found) return parts_.log.prove(static_cast<std::uint64_t>(std::get<0>(*found)));
  return fail(ErrorCode::kNotFound, fmt::format("version {} of {} is not signed: it was not approved",
                                                version.version, version.model));
}

Result<crypto::PublicKey> Models::public_key(const base::WorkspaceId& workspace) const {
  HF_TRY(const auto key, signing_key(parts_, workspace));
  return key.public_key();
}

Result<base::Bytes> Models::open_signed(const Version& version) const {
  HF_TRY(const std::string bundle, signature(version));
  HF_TRY(const auto key, public_key(version.workspace));
  HF_TRY(auto content, open(version));
  HF_CHECK(check_model_signature(bundle, key, crypto::sha256(content)));
  return content;
}

Result<base::Bytes> Models::open(const Version& version) const {
  return read_blob(parts_, version.workspace, version.digest);
}

Result<> claim_versions(const store::Snapshot& view, std::vector<audit::RowClaim>& claims) {
  using Key = std::tuple<base::WorkspaceId, std::string, std::int64_t>;
  const auto query = [&view](const Key& after) {
    const auto& [workspace, model, version] = after;
    return view.rows<base::WorkspaceId, std::string, std::int64_t, base::Digest, std::string, std::int64_t,
                     base::Digest, std::int64_t, std::string, std::string, std::optional<std::int64_t>,
                     base::Timestamp, std::string, std::string>(
        Sql("SELECT workspace, signature, record_index, record, model, version, digest, size, format, state,"
            " run, created_at, created_by, makers FROM model_versions"
            " WHERE (workspace, model, version) > ($1, $2, $3) ORDER BY workspace, model, version LIMIT $4"),
        workspace, model, version, audit::kClaimsPage);
  };
  return audit::claim_pages(Key(), query, [&claims](auto& row) -> Result<Key> {
    auto& [workspace, signature, index, leaf, model, number, digest, size, format, state, run, created_at,
           created_by, makers] = row;
    const auto version = version_of(
        workspace, Row(model, number, digest, size, format, state, run, created_at, created_by, makers));
    if (!version) {
      return fail(
          base::Error(version.error())
              .within(fmt::format("the row model_versions/{}/{}/{}", workspace.value(), model, number)));
    }
    claims.push_back(audit::claim_row(name_row(*version, signature), index, leaf));
    return Key(workspace, model, number);
  });
}

}  // namespace holdfast::registry
