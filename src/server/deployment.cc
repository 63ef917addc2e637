#include "server/deployment.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "assess/assessment.h"
#include "base/json.h"
#include "base/log.h"
#include "monitor/reference.h"

namespace holdfast::server {

using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;

namespace {

constexpr std::chrono::seconds kReferenceTime{60};
constexpr int kTooManyRequests = 429;

gateway::GuardAction action_of(release::LearnedDomain domain) {
  switch (domain) {
    case release::LearnedDomain::kRefuse:
      return gateway::GuardAction::kRefuse;
    case release::LearnedDomain::kFlag:
      return gateway::GuardAction::kFlag;
    case release::LearnedDomain::kOff:
      return gateway::GuardAction::kIgnore;
  }
  return gateway::GuardAction::kRefuse;
}

Result<std::shared_ptr<const gateway::Guard>> make_guard(const model::Signature& signature,
                                                         const data::Schema& features,
                                                         const std::vector<std::string>& columns,
                                                         const release::EndpointSettings& settings) {
  gateway::GuardRules rules{.limits = settings.limits};
  rules.actions[gateway::GuardRule::kOutsideTraining] = action_of(settings.learned_domain);
  HF_TRY(auto guard, gateway::Guard::create(signature, features,
                                            {{.input = signature.inputs.front().name, .columns = columns}},
                                            std::move(rules)));
  return std::make_shared<const gateway::Guard>(std::move(guard));
}

audit::Record prediction_record(const gateway::PredictionRecord& record) {
  const json details{{"prediction", record.prediction_id},
                     {"version", record.version},
                     {"release", record.release},
                     {"flagged", record.flagged}};
  return {.workspace = Installation::workspace(),
          .actor = std::string(record.principal),
          .action = "predict",
          .resource = fmt::format("endpoint:{}", record.endpoint),
          .decision = "allow",
          .details = details.dump()};
}

}  // namespace

// A prediction is noted, which is durable soon; a refusal is durable before the caller sees it, but for those
// that are too many to be recorded one by one.
class Deployment::AuditSink final : public gateway::PredictionSink {
 public:
  explicit AuditSink(audit::Log& log) : log_(&log) {}
  Result<> on_prediction(const gateway::PredictionRecord& record) override {
    HF_CHECK(log_->note(prediction_record(record)));
    return {};
  }
  Result<> on_refusal(const gateway::RefusalRecord& record) override {
    const auto verdict = tally_.take(record.principal, record.status, record.at);
    if (verdict.ended) HF_CHECK(note(*verdict.ended));
    return verdict.in_full ? record_in_full(record) : Result<>();
  }
  Result<> record_counts(Counts which, base::Timestamp now) {
    for (const auto& counted : which == Counts::kAll ? tally_.take_all() : tally_.take_ended(now)) {
      HF_CHECK(note(counted));
    }
    return {};
  }

 private:
  Result<> record_in_full(const gateway::RefusalRecord& record) {
    constexpr std::size_t kMaxReason = 500;
    HF_TRY(std::string details,
           base::canonical_json({{"prediction", record.prediction_id},
                                 {"status", record.status},
                                 {"reason", printable(record.reason.substr(0, kMaxReason))}}));
    const audit::Record refusal{.workspace = Installation::workspace(),
                                .actor = std::string(record.principal),
                                .action = "predict",
                                .resource = fmt::format("endpoint:{}", record.endpoint),
                                .decision = "refused",
                                .details = std::move(details)};
    // Who is over the rate would otherwise have the log sync for each request.
    HF_CHECK(record.status == kTooManyRequests ? log_->note(refusal) : log_->append(refusal));
    return {};
  }
  Result<> note(const access::RefusalTally::Counted& counted) {
    json by_status = json::object();
    for (const auto& [status, count] : counted.by_status) by_status[std::to_string(status)] = count;
    HF_TRY(std::string details, base::canonical_json({{"from", counted.from.text()},
                                                      {"until", counted.until.text()},
                                                      {"further_refusals", by_status}}));
    HF_CHECK(log_->note({.workspace = Installation::workspace(),
                         .actor = counted.principal,
                         .action = "predict.count",
                         .resource = "endpoints",
                         .decision = "refused",
                         .details = std::move(details)}));
    return {};
  }

  // A reason may quote the request, whose bytes can be anything.
  static std::string printable(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
      if (c < ' ' || c > '~') c = '?';
    }
    return out;
  }
  audit::Log* log_;
  access::RefusalTally tally_;
};

Deployment::Deployment(Installation& installation, const WatchOptions& watch)
    : installation_(&installation),
      audit_(std::make_unique<AuditSink>(installation.log())),
      watch_(installation, watch),
      gateway_(std::make_unique<gateway::Gateway>(gateway::GatewayOptions{
          .server_version = installation.options().version, .sinks = {audit_.get(), &meters_, &watch_}})) {}

Deployment::~Deployment() {
  if (const auto recorded = record_counts(Counts::kAll); !recorded) {
    base::log(base::LogLevel::kError, "counts-not-recorded", {{"why", recorded.error().message}});
  }
}

void Deployment::observe(std::string address, bool is_private,
                         std::shared_ptr<const ConnectionCounts> counts) {
  const base::MutexLock lock(counting_);
  channel_ = {.address = std::move(address), .is_private = is_private, .counts = std::move(counts)};
}

Result<> Deployment::record_counts(Counts which) {
  HF_CHECK(audit_->record_counts(which, installation_->parts().clock.now()));
  HF_CHECK(installation_->access().record_counts(which == Counts::kAll ? access::Access::Counts::kAll
                                                                       : access::Access::Counts::kEnded));
  return record_connections();
}

Result<> Deployment::record_connections() {
  const base::MutexLock lock(counting_);
  if (!channel_.counts) return {};
  const std::uint64_t tls13 = channel_.counts->tls13;
  const std::uint64_t old_version = channel_.counts->old_version_refused;
  const std::uint64_t plaintext = channel_.counts->plaintext_refused;
  if (tls13 == channel_.tls13 && old_version == channel_.old_version_refused &&
      plaintext == channel_.plaintext_refused) {
    return {};
  }
  HF_TRY(std::string details,
         base::canonical_json({{"address", channel_.address},
                               {"private", channel_.is_private},
                               {"tls13", tls13 - channel_.tls13},
                               {"old_version_refused", old_version - channel_.old_version_refused},
                               {"plaintext_refused", plaintext - channel_.plaintext_refused}}));
  HF_CHECK(installation_->log().note({.workspace = Installation::workspace(),
                                      .actor = "server",
                                      .action = "listener.count",
                                      .resource = "listener",
                                      .decision = "done",
                                      .details = std::move(details)}));
  channel_.tls13 = tls13;
  channel_.old_version_refused = old_version;
  channel_.plaintext_refused = plaintext;
  return {};
}

std::vector<govern::EngineFacts> Deployment::engines() {
  const auto pools = [this] {
    const base::MutexLock lock(pools_mutex_);
    return pools_;
  }();
  std::vector<govern::EngineFacts> engines;
  for (const auto& [endpoint, pool] : pools) {
    const auto use = pool->use();
    if (use.engines == 0) continue;
    engines.push_back({.endpoint = endpoint,
                       .at = installation_->parts().clock.now(),
                       .own_network = use.own_network,
                       .processor = use.usage.processor,
                       .resident_bytes = use.usage.resident_bytes});
  }
  return engines;
}

Result<Deployment::Loaded> Deployment::load(const registry::Version& version,
                                            const release::EndpointSettings& settings) {
  HF_TRY(const auto onnx, installation_->models().open_signed(version));
  HF_TRY(auto sealed, model::SealedModel::copy(formats::MemorySource(onnx)));
  HF_TRY(auto pool,
         model::EnginePool::start(
             std::move(sealed),
             {.engine = {.executable = {}, .weakest_jail = installation_->options().weakest_jail}}));
  Loaded loaded{.pool = std::move(pool), .guard = std::make_shared<gateway::Guard>(), .reference = nullptr};
  const auto& parts = installation_->parts();
  const auto requirements = registry::RequirementsRoom(parts).find(version.workspace, version.model);
  if (!requirements && requirements.error().code == ErrorCode::kNotFound) {
    if (settings.limits.empty()) return loaded;
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("the endpoint has limits, and nothing says which columns {} takes: write its "
                            "requirements first",
                            version.model));
  }
  if (!requirements) return fail(requirements.error());

  HF_TRY(const auto task, assess::parse_task(requirements->task_toml, "task"));
  const registry::Datasets datasets(parts);
  HF_TRY(const auto dataset,
         datasets.find(version.workspace, requirements->dataset, requirements->dataset_version));
  HF_TRY(const auto profile, datasets.train_profile(dataset));
  HF_TRY(const auto features, profile.only(task.features));
  HF_TRY(loaded.guard, make_guard(loaded.pool->signature(), features.schema(), task.features, settings));

  HF_TRY(const auto csv, datasets.open(dataset));
  const auto split = dataset.split();
  HF_TRY(const auto rows, assess::read_rows(formats::MemorySource(csv), dataset.schema, task, &split,
                                            data::Part::kValidation));
  HF_TRY(const auto scores,
         assess::score(*loaded.pool, rows.matrix(), std::chrono::steady_clock::now() + kReferenceTime));
  HF_TRY(auto reference,
         monitor::Reference::freeze(features,
                                    {.scores = scores, .labels = rows.labels, .threshold = task.threshold}));
  loaded.reference = std::make_shared<const monitor::Reference>(std::move(reference));
  return loaded;
}

Result<> Deployment::serve(const release::Endpoint& endpoint, const registry::Version& version, Loaded loaded,
                           std::int64_t serial) {
  const auto rate = static_cast<double>(endpoint.settings.requests_per_second);
  auto served = endpoints_;
  served.insert_or_assign(endpoint.name,
                          gateway::Endpoint{.name = endpoint.name,
                                            .versions = {{.name = fmt::format("{}", version.version),
                                                          .release = static_cast<std::uint64_t>(serial),
                                                          .share = gateway::Snapshot::kAllTraffic,
                                                          .predictor = loaded.pool,
                                                          .guard = loaded.guard,
                                                          .outputs = {}}},
                                            .limits = {},
                                            .rate = {.per_second = rate, .burst = 2 * rate}});
  HF_CHECK(swap(std::move(served)));
  if (loaded.reference) watch_.begin(endpoint.name, version.version, loaded.reference);
  const base::MutexLock lock(pools_mutex_);
  pools_.insert_or_assign(endpoint.name, loaded.pool);
  return {};
}

Result<> Deployment::swap(std::map<std::string, gateway::Endpoint> served) {
  std::vector<gateway::Endpoint> all;
  for (const auto& [name, one] : served) all.push_back(one);
  HF_TRY(auto snapshot, gateway::Snapshot::create(std::move(all)));
  gateway_->swap(std::move(snapshot));
  endpoints_ = std::move(served);
  return {};
}

Result<> Deployment::restore() {
  const base::MutexLock lock(mutex_);
  HF_TRY(const auto endpoints, installation_->releases().list(Installation::workspace()));
  for (const auto& endpoint : endpoints) {
    HF_TRY(const auto current, installation_->releases().current(endpoint));
    if (!current) continue;
    HF_TRY(const auto version,
           installation_->models().find(endpoint.workspace, endpoint.model, current->model_version));
    auto loaded = version.digest == current->digest
                      ? load(version, endpoint.settings)
                      : Result<Loaded>(fail(ErrorCode::kDataCorrupt, "the release names other bytes"));
    if (!loaded) {
      base::log(base::LogLevel::kError, "release-not-served",
                {{"endpoint", endpoint.name}, {"why", loaded.error().message}});
      continue;
    }
    HF_CHECK(serve(endpoint, version, *std::move(loaded), current->serial));
  }
  if (endpoints_.empty()) {
    HF_TRY(auto snapshot, gateway::Snapshot::create({}));
    gateway_->swap(std::move(snapshot));
  }
  return {};
}

Result<release::Release> Deployment::release(const access::Authorised& authorised,
                                             const release::Endpoint& endpoint,
                                             const registry::Version& version) {
  return bind(authorised, endpoint, version, release::ReleaseKind::kRelease);
}

Result<release::Release> Deployment::rollback(const access::Authorised& authorised,
                                              const release::Endpoint& endpoint,
                                              const registry::Version& version) {
  return bind(authorised, endpoint, version, release::ReleaseKind::kRollback);
}

Result<release::Release> Deployment::bind(const access::Authorised& authorised,
                                          const release::Endpoint& endpoint, const registry::Version& version,
                                          release::ReleaseKind kind) {
  const base::MutexLock lock(mutex_);
  auto& releases = installation_->releases();
  HF_TRY(const auto expected, releases.last_serial(endpoint));
  if (version.state != registry::VersionState::kApproved) {
    return fail(ErrorCode::kPermissionDenied,
                fmt::format("version {} of {} is in quarantine: evaluate and approve it first",
                            version.version, version.model));
  }
  HF_CHECK(installation_->gates().check_waivers(authorised.caller(), version));
  // As they are by now: a change of them may have come in between.
  HF_TRY(const auto newest, releases.find(endpoint.workspace, endpoint.name));
  HF_TRY(auto loaded, load(version, newest.settings));
  auto bound = kind == release::ReleaseKind::kRollback ? releases.rollback(authorised, version, expected)
                                                       : releases.release(authorised, version, expected);
  if (!bound) return bound;
  HF_CHECK(serve(newest, version, std::move(loaded), bound->serial));
  return bound;
}

Result<release::Endpoint> Deployment::change(const access::Authorised& authorised,
                                             const release::Endpoint& endpoint,
                                             const release::EndpointSettings& wanted) {
  const base::MutexLock lock(mutex_);
  auto& releases = installation_->releases();
  HF_TRY(const auto current, releases.current(endpoint));
  if (!current) return releases.change_endpoint(authorised, wanted);
  HF_TRY(const auto version,
         installation_->models().find(endpoint.workspace, endpoint.model, current->model_version));
  HF_TRY(auto loaded, load(version, wanted));
  loaded.reference = nullptr;  // the window that is being filled goes on
  HF_TRY(auto changed, releases.change_endpoint(authorised, wanted));
  HF_CHECK(serve(changed, version, std::move(loaded), current->serial));
  return changed;
}

Result<release::Release> Deployment::withdraw(const access::Authorised& authorised,
                                              const release::Endpoint& endpoint) {
  const base::MutexLock lock(mutex_);
  auto& releases = installation_->releases();
  HF_TRY(const auto expected, releases.last_serial(endpoint));
  HF_TRY(auto withdrawn, releases.withdraw(authorised, expected));
  auto served = endpoints_;
  served.erase(endpoint.name);
  HF_CHECK(swap(std::move(served)));
  watch_.end(endpoint.name);
  const base::MutexLock pools_lock(pools_mutex_);
  pools_.erase(endpoint.name);
  return withdrawn;
}

Result<> Deployment::remove(const access::Authorised& authorised, const std::string& endpoint) {
  const base::MutexLock lock(mutex_);
  if (endpoint != authorised.resource().id) {
    return fail(ErrorCode::kPermissionDenied, "what was decided was not the end of this endpoint");
  }
  return installation_->releases().remove_endpoint(authorised);
}

}  // namespace holdfast::server
