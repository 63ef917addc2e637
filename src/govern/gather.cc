#include "govern/gather.h"

#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "alerts/alerts.h"
#include "alerts/webhooks.h"
#include "base/json.h"
#include "crypto/sha256.h"
#include "evaluate/evaluation.h"
#include "govern/deliveries.h"
#include "registry/datasets.h"
#include "registry/evidence.h"
#include "registry/gates.h"
#include "registry/model_signature.h"
#include "registry/runs.h"

namespace holdfast::govern {

using base::ErrorCode;
using base::Result;

namespace {

constexpr std::size_t kMaxRuns = 50;
constexpr std::size_t kMaxAlerts = 50;

Result<EvaluationFacts> evaluation_of(const registry::Evidence& evidence) {
  HF_TRY(auto evaluation, evaluate::parse_evaluation(evidence.statement.predicate_json));
  return EvaluationFacts{.evidence = evidence.digest,
                         .at = evidence.created_at,
                         .split = std::move(evaluation.split),
                         .figures = std::move(evaluation.figures)};
}

// Whether SLSA provenance says that a model was trained against an attack (registry/trials.h).
Result<bool> names_attack(const registry::Evidence& provenance) {
  HF_TRY(const auto predicate, base::parse_json(provenance.statement.predicate_json));
  const nlohmann::json::json_pointer attack("/buildDefinition/externalParameters/attack");
  return predicate.contains(attack) && predicate[attack].is_string() &&
         !predicate[attack].get_ref<const std::string&>().empty();
}

Result<> add_evidence(VersionFacts& facts, const registry::EvidenceRoom& room,
                      const registry::Version& version) {
  HF_TRY(const auto provenance,
         room.newest(version.workspace, version.digest, registry::kProvenancePredicate));
  if (provenance) {
    facts.provenance = provenance->digest;
    HF_TRY(facts.hardened, names_attack(*provenance));
  }
  HF_TRY(const auto evaluation,
         room.newest(version.workspace, version.digest, registry::kEvaluationPredicate));
  if (evaluation) {
    HF_TRY(facts.evaluation, evaluation_of(*evaluation));
  }
  return {};
}

Result<> add_waivers(VersionFacts& facts, const registry::Gates& gates, const registry::Version& version,
                     base::Timestamp now) {
  HF_TRY(const auto waivers, gates.waivers(version.workspace, version.digest));
  for (const auto& waiver : waivers) {
    facts.waived.push_back(waiver.in_force(now) ? waiver.requirement
                                                : fmt::format("{} that was over at {}", waiver.requirement,
                                                              waiver.expires_at.text()));
  }
  return {};
}

// That something can't be believed is a fact about it; anything else ends the gathering.
Result<> note_damage(VersionFacts& facts, Result<> result) {
  if (result || result.error().code != ErrorCode::kDataCorrupt) return result;
  facts.damaged = std::move(result).error().message;
  return {};
}

// Opens a version as an engine's start does, then tries what must be refused.
LoadTrial try_load(const registry::Models& models, const registry::Version& version, base::Timestamp now) {
  LoadTrial trial{.at = now, .failed = {}};
  auto content = models.open(version);
  if (!content) {
    trial.failed = content.error().message;
    return trial;
  }
  const auto bundle = models.signature(version);
  const auto key = models.public_key(version.workspace);
  if (!bundle || !key) {
    trial.failed = bundle ? key.error().message : bundle.error().message;
    return trial;
  }
  trial.signature_holds =
      registry::check_model_signature(*bundle, *key, crypto::sha256(*content)).has_value();
  const auto stranger = crypto::PrivateKey::generate(crypto::KeyAlgorithm::kEcdsaP256);
  const auto forged = registry::sign_model(stranger, version.model, version.version, version.digest);
  trial.other_signer_refused =
      forged && !registry::check_model_signature(*forged, *key, version.digest).has_value();
  if (content->empty()) return trial;
  (*content)[content->size() / 2] ^= 1U;
  trial.changed_byte_refused =
      !registry::check_model_signature(*bundle, *key, crypto::sha256(*content)).has_value();
  return trial;
}

// The endpoints by what they serve: model, version, endpoint.
struct Served {
  std::string model;
  std::int64_t version = 0;
  std::string endpoint;
};

Result<std::vector<Served>> what_serves(const release::Releases& releases,
                                        const base::WorkspaceId& workspace) {
  std::vector<Served> served;
  HF_TRY(const auto endpoints, releases.list(workspace));
  for (const auto& endpoint : endpoints) {
    HF_TRY(const auto current, releases.current(endpoint));
    if (current) served.push_back({endpoint.model, current->model_version, endpoint.name});
  }
  return served;
}

Result<std::vector<registry::Version>> versions_of(const registry::Models& models,
                                                   const base::WorkspaceId& workspace,
                                                   const std::vector<Served>& served) {
  HF_TRY(auto versions, models.list(workspace, "", kMaxVersions));
  for (const auto& one : served) {
    const bool is_listed = std::any_of(versions.begin(), versions.end(), [&](const auto& version) {
      return version.model == one.model && version.version == one.version;
    });
    if (is_listed) continue;
    HF_TRY(auto version, models.find(workspace, one.model, one.version));
    versions.push_back(std::move(version));
  }
  return versions;
}

Result<> gather_versions(const FactSources& sources, const base::WorkspaceId& workspace, Facts& facts) {
  HF_TRY(const auto served, what_serves(sources.releases, workspace));
  HF_TRY(const auto versions, versions_of(sources.models, workspace, served));
  const registry::EvidenceRoom room(sources.parts);
  std::size_t trials = 0;
  for (const auto& version : versions) {
    VersionFacts one{.model = version.model,
                     .version = version.version,
                     .approved = version.state == registry::VersionState::kApproved,
                     .trained_here = version.run.has_value()};
    for (const auto& [model, number, endpoint] : served) {
      if (model == version.model && number == version.version) one.serves.push_back(endpoint);
    }
    HF_CHECK(note_damage(one, add_evidence(one, room, version)));
    if (!one.serves.empty()) {
      HF_CHECK(note_damage(one, add_waivers(one, sources.gates, version, facts.at)));
      if (version.size_bytes <= kMaxTrialBytes && trials < kMaxTrials) {
        one.load = try_load(sources.models, version, facts.at);
        ++trials;
      }
    }
    facts.versions.push_back(std::move(one));
  }
  return {};
}

Result<> gather_datasets(const registry::Parts& parts, const base::WorkspaceId& workspace, Facts& facts) {
  const registry::Datasets datasets(parts);
  HF_TRY(const auto all, datasets.list(workspace, "", kMaxDatasets));
  for (const auto& dataset : all) {
    DatasetFacts one{.name = dataset.name,
                     .version = dataset.version,
                     .digest = dataset.digest,
                     .registered_at = dataset.created_at,
                     .registered_by = dataset.created_by};
    one.sensitive_columns = static_cast<std::size_t>(
        std::count_if(dataset.schema.columns.begin(), dataset.schema.columns.end(),
                      [](const auto& column) { return column.sensitive.has_value(); }));
    if (dataset.size_bytes <= kMaxTrialBytes) {
      one.tried = true;
      if (const auto content = datasets.open(dataset); !content) one.failed = content.error().message;
    }
    facts.datasets.push_back(std::move(one));
  }
  return {};
}

bool has(const alerts::AlertDetails& details, alerts::Event event) {
  return std::any_of(details.history.begin(), details.history.end(),
                     [event](const auto& transition) { return transition.event == event; });
}

Result<> gather_alerts(store::Database& database, const base::WorkspaceId& workspace, Facts& facts) {
  HF_TRY(const auto snapshot, database.snapshot());
  HF_TRY(const auto page, alerts::list_alerts(snapshot, workspace, std::nullopt, std::nullopt, kMaxAlerts));
  HF_TRY(const auto delivered, delivered_messages(snapshot, workspace));
  for (const auto& alert : page.alerts) {
    HF_TRY(const auto details, alerts::find_alert(snapshot, workspace, alert.id));
    const auto messages = delivered.find(alert.id.value());
    facts.alerts.push_back({.id = alert.id.value(),
                            .source = alert.source,
                            .subject = alert.subject,
                            .windows = alert.count,
                            .opened_at = alert.opened_at,
                            .acknowledged = has(details, alerts::Event::kAcknowledged),
                            .resolved = has(details, alerts::Event::kResolved),
                            .delivered = messages == delivered.end() ? 0 : messages->second});
  }
  HF_TRY(const auto webhooks, alerts::list_webhooks(snapshot, workspace));
  for (const auto& webhook : webhooks) {
    if (!webhook.url.starts_with("https:")) facts.plain_webhooks.push_back(webhook.name);
  }
  return {};
}

Result<> gather_runs(const registry::Parts& parts, const base::WorkspaceId& workspace, Facts& facts) {
  HF_TRY(const auto runs, registry::Runs(parts).list(workspace, kMaxRuns));
  for (const auto& run : runs) {
    if (run.state != registry::RunState::kDone || !run.finished_at) continue;
    facts.runs.push_back({.id = run.id, .kind = run.kind, .finished_at = *run.finished_at});
  }
  return {};
}

// The claim that the current release of an endpoint is the one before it, which the log must not bear out.
Result<std::optional<RollbackTrial>> try_rollback(const FactSources& sources,
                                                  const base::WorkspaceId& workspace, base::Timestamp now) {
  HF_TRY(const auto view, sources.parts.database.snapshot());
  HF_TRY(const auto claims, release::row_claims(view));
  const std::string beginning = "releases/" + workspace.value() + "/";
  const auto endpoint_of = [&beginning](const audit::RowClaim& claim) {
    if (!claim.key.starts_with(beginning)) return std::string();
    return claim.key.substr(beginning.size(), claim.key.rfind('/') - beginning.size());
  };
  for (std::size_t i = 1; i < claims.size(); ++i) {
    // Releases of an endpoint follow each other in order of their numbers.
    const auto& older = claims[i - 1];
    const auto& newer = claims[i];
    const std::string endpoint = endpoint_of(newer);
    if (endpoint.empty() || endpoint_of(older) != endpoint || older.row == newer.row) continue;
    audit::RowClaim swapped = newer;
    swapped.row = older.row;
    const auto checked = audit::check_claim(sources.parts.log, swapped);
    if (!checked && checked.error().code != ErrorCode::kDataCorrupt) return base::fail(checked.error());
    return RollbackTrial{.at = now, .endpoint = endpoint, .refused = !checked.has_value()};
  }
  return std::optional<RollbackTrial>();
}

}  // namespace

Result<Facts> gather_facts(const FactSources& sources, const base::WorkspaceId& workspace, LogFacts& log,
                           RuntimeFacts runtime) {
  Facts facts{.at = sources.parts.clock.now(), .log = LogFacts(workspace), .runtime = std::move(runtime)};
  HF_TRY(facts.log_read_to_end, log.read_on(sources.parts.log));
  facts.log = log;
  HF_CHECK(gather_versions(sources, workspace, facts));
  HF_CHECK(gather_datasets(sources.parts, workspace, facts));
  HF_CHECK(gather_alerts(sources.parts.database, workspace, facts));
  HF_CHECK(gather_runs(sources.parts, workspace, facts));
  HF_TRY(facts.rolled_back, try_rollback(sources, workspace, facts.at));
  return facts;
}

}  // namespace holdfast::govern
