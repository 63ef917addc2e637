#include "govern/log_facts.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "access/actions.h"
#include "access/principal.h"
#include "base/json.h"

namespace holdfast::govern {

using base::Result;

namespace {

// What an actor is, as the log writes it: Service::"default/5f..".
bool is_service(std::string_view actor) { return actor.starts_with("Service::"); }

// A person who proved who they are, which the server's own user did not have to.
bool is_signed_in_person(std::string_view actor, const base::WorkspaceId& workspace) {
  const std::string own = "Person::\"" + workspace.value() + "/" + std::string(access::kLocalOperator) + "\"";
  return actor.starts_with("Person::") && actor != own;
}

bool is_endpoint(std::string_view resource) { return resource.starts_with("Endpoint::"); }

// Of a prediction that was refused: what the inputs brought about (gateway/gateway.h). Others, such as an
// engine that is not there, say nothing of the guard.
constexpr std::int64_t kNotUnderstood = 400;
constexpr std::int64_t kNotTaken = 422;

// 0 where there is no such integer.
std::int64_t number_in(const nlohmann::json& details, const char* name) {
  const auto found = details.find(name);
  return found != details.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

constexpr std::string_view kEndpointPrefix = "endpoint:";

Result<nlohmann::json> details_of(const audit::StoredRecord& record) {
  HF_TRY(auto details, base::parse_json(record.record.details));
  if (details.is_object()) return details;
  return base::fail(base::ErrorCode::kDataCorrupt,
                    "the details of record " + std::to_string(record.receipt.index) + " are no JSON object");
}

std::string text_in(const nlohmann::json& details, const char* name) {
  const auto found = details.find(name);
  return found != details.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool is_true(const nlohmann::json& details, const char* name) {
  const auto found = details.find(name);
  return found != details.end() && found->is_boolean() && found->get<bool>();
}

std::uint64_t count_in(const nlohmann::json& details, const char* name) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, number_in(details, name)));
}

// Actions that say all by themselves.
constexpr std::pair<std::string_view, Happening> kPlain[] = {
    {"dataset.register", Happening::kDatasetRegistered}, {"model.register", Happening::kModelRegistered},
    {"model.refuse", Happening::kModelRefused},          {"endpoint.release", Happening::kReleased},
    {"endpoint.rollback", Happening::kRolledBack},       {"key.rotated", Happening::kKeysRotated},
};

}  // namespace

void LogFacts::note(Happening what, const audit::StoredRecord& record) {
  const auto place = static_cast<std::size_t>(what);
  Seen& seen = seen_.at(place);
  ++seen.count;
  seen.record = record.receipt.index;
  seen.at = record.time;
  seen.actor = record.record.actor;
  seen.resource = record.record.resource;
  const std::string_view resource = record.record.resource;
  // An endpoint that refused a request need not exist: its name is the caller's, and takes no memory here.
  if (!resource.starts_with(kEndpointPrefix) || what == Happening::kGuardRefused) return;
  Seen& own = of_endpoints_[std::string(resource.substr(kEndpointPrefix.size()))].at(place);
  const std::uint64_t count = own.count + 1;
  own = seen;
  own.count = count;
}

void LogFacts::add_decision(const audit::StoredRecord& record) {
  const auto& said = record.record;
  if (said.decision == "deny") {
    note(Happening::kDenied, record);
    if (said.action == "infer" && is_endpoint(said.resource)) note(Happening::kInferenceDenied, record);
    return;
  }
  if (said.decision != "allow") return;
  note(Happening::kAllowed, record);
  if (said.action == "grant") note(Happening::kGranted, record);
  if (said.action == "readMetrics") note(Happening::kMetricsRead, record);
}

Result<> LogFacts::add_prediction(const audit::StoredRecord& record) {
  HF_TRY(const auto details, details_of(record));
  if (record.record.decision != "allow") {
    const std::int64_t status = number_in(details, "status");
    if (status == kNotUnderstood || status == kNotTaken) note(Happening::kGuardRefused, record);
    return {};
  }
  note(Happening::kPredicted, record);
  if (is_service(record.record.actor)) note(Happening::kPredictedForService, record);
  if (number_in(details, "flagged") > 0) note(Happening::kFlagged, record);
  return {};
}

// A window that could not tell measured nothing.
Result<> LogFacts::add_window(const audit::StoredRecord& record) {
  constexpr std::string_view kCouldNotTell = "could not tell";
  HF_TRY(const auto details, details_of(record));
  if (record.record.decision != kCouldNotTell) note(Happening::kDriftMeasured, record);
  const std::string estimate = text_in(details, "estimate");
  if (!estimate.empty() && estimate != kCouldNotTell) note(Happening::kQualityEstimated, record);
  return {};
}

Result<> LogFacts::add_connections(const audit::StoredRecord& record) {
  HF_TRY(const auto details, details_of(record));
  if (!channels_) channels_.emplace();
  channels_->address = text_in(details, "address");
  channels_->is_private = is_true(details, "private");
  channels_->record = record.receipt.index;
  channels_->at = record.time;
  channels_->tls13_connections += count_in(details, "tls13");
  channels_->old_version_refused += count_in(details, "old_version_refused");
  channels_->plaintext_refused += count_in(details, "plaintext_refused");
  return {};
}

bool LogFacts::add_action(const audit::StoredRecord& record) {
  const auto& said = record.record;
  for (const auto& [action, happening] : kPlain) {
    if (said.action != action) continue;
    note(happening, record);
    return true;
  }
  if (said.action == "signIn") {
    if (said.decision == "allow" && is_service(said.actor)) note(Happening::kServiceSignedIn, record);
    return true;
  }
  if (said.action != "model.approve") return false;
  if (said.decision == "done") {
    note(Happening::kApproved, record);
    if (is_signed_in_person(said.actor, workspace_)) note(Happening::kApprovedByPerson, record);
  } else {
    note(Happening::kApprovalRefused, record);
  }
  return true;
}

Result<> LogFacts::add(const audit::StoredRecord& record) {
  if (record.body != audit::BodyState::kOpen || record.record.workspace != workspace_) return {};
  ++opened_;
  if (record.record.action == "predict") return add_prediction(record);
  if (record.record.action == "drift.measure") return add_window(record);
  if (record.record.action == "listener.count") return add_connections(record);
  if (add_action(record)) return {};
  if (access::action_named(record.record.action)) add_decision(record);
  return {};
}

Result<bool> LogFacts::read_on(const audit::Log& log) {
  const std::uint64_t last = next_ + kMaxRecordsAtOnce;
  while (next_ < last) {
    HF_TRY(const auto page, log.read(next_, audit::Log::kMaxRead));
    if (page.empty()) return true;
    for (const auto& record : page) {
      HF_CHECK(add(record));
      next_ = record.receipt.index + 1;
    }
  }
  return next_ >= log.size();
}

const Seen* LogFacts::find(Happening what) const {
  const Seen& seen = seen_.at(static_cast<std::size_t>(what));
  return seen.count == 0 ? nullptr : &seen;
}

const Seen* LogFacts::find(Happening what, const std::string& endpoint) const {
  const auto found = of_endpoints_.find(endpoint);
  if (found == of_endpoints_.end()) return nullptr;
  const Seen& seen = found->second.at(static_cast<std::size_t>(what));
  return seen.count == 0 ? nullptr : &seen;
}

}  // namespace holdfast::govern
