#include "release/releases.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "data/json_fields.h"
#include "registry/evidence.h"
#include "registry/names.h"
#include "registry/row_record.h"
#include "trust/predicates.h"

namespace holdfast::release {

using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;
using registry::Version;
using store::Sql;

namespace {

constexpr std::size_t kMaxEndpoints = 1000;
constexpr std::array kKinds{ReleaseKind::kRelease, ReleaseKind::kRollback, ReleaseKind::kWithdrawal};

// How the guard is written in the row: not at all where nothing was chosen, as in rows from before there was
// a choice.
std::string guard_text(const EndpointSettings& settings) {
  const auto guard = settings.guard_json();
  return guard == EndpointSettings().guard_json() ? std::string() : data::canonical_text(guard);
}

// All of what the rows say.
audit::RowName name_row(const Endpoint& endpoint, base::Timestamp removed_at) {
  json contents{{"model", endpoint.model},
                {"requests_per_second", endpoint.settings.requests_per_second},
                {"created_at", endpoint.created_at.microseconds()},
                {"created_by", endpoint.created_by}};
  if (auto guard = guard_text(endpoint.settings); !guard.empty()) contents["guard"] = std::move(guard);
  if (removed_at != base::Timestamp()) contents["removed_at"] = removed_at.microseconds();
  return audit::name_row(fmt::format("endpoints/{}/{}", endpoint.workspace.value(), endpoint.name),
                         std::move(contents));
}

audit::RowName name_row(const base::WorkspaceId& workspace, const Release& release) {
  return audit::name_row(
      fmt::format("releases/{}/{}/{}", workspace.value(), release.endpoint, release.serial),
      {{"model_version", release.model_version},
       {"digest", release.digest.hex()},
       {"kind", to_string(release.kind)},
       {"released_at", release.released_at.microseconds()},
       {"released_by", release.released_by}});
}

using ReleaseRow =
    std::tuple<std::int64_t, std::int64_t, base::Digest, std::string, base::Timestamp, std::string>;

Result<Release> release_of(const std::string& endpoint, ReleaseRow row) {
  auto& [serial, version, digest, kind_text, released_at, released_by] = row;
  const auto* const kind =
      std::ranges::find(kKinds, kind_text, [](ReleaseKind one) { return to_string(one); });
  if (kind == kKinds.end()) {
    return fail(ErrorCode::kDataCorrupt,
                fmt::format("the release {} of the endpoint {} is of no known kind", serial, endpoint));
  }
  return Release{.endpoint = endpoint,
                 .serial = serial,
                 .model_version = version,
                 .digest = digest,
                 .kind = *kind,
                 .released_at = released_at,
                 .released_by = std::move(released_by)};
}

Result<std::vector<Release>> newest(const store::Snapshot& snapshot, const Endpoint& endpoint,
                                    std::size_t limit) {
  auto rows =
      snapshot.rows<std::int64_t, std::int64_t, base::Digest, std::string, base::Timestamp, std::string>(
          Sql("SELECT serial, model_version, digest, kind, released_at, released_by FROM releases"
              " WHERE workspace = $1 AND endpoint = $2 ORDER BY serial DESC LIMIT $3"),
          endpoint.workspace, endpoint.name, static_cast<std::int64_t>(limit));
  if (!rows) return fail(std::move(rows).error());
  std::vector<Release> releases;
  for (auto& row : *rows) {
    HF_TRY(auto release, release_of(endpoint.name, std::move(row)));
    releases.push_back(std::move(release));
  }
  return releases;
}

Result<EndpointSettings> settings_of(std::int64_t requests_per_second, const std::string& guard) {
  EndpointSettings settings{.requests_per_second = requests_per_second};
  if (guard.empty()) return settings;
  HF_TRY(const auto value, base::parse_json(guard));
  auto read = settings.change_guard(value);
  if (!read) return fail(ErrorCode::kDataCorrupt, "what the guard of an endpoint goes by can't be read");
  return settings;
}

Result<std::vector<Endpoint>> endpoints_in(const store::Snapshot& snapshot,
                                           const base::WorkspaceId& workspace,
                                           const std::optional<std::string_view>& name) {
  auto rows = snapshot.rows<std::string, std::string, std::int64_t, std::string, base::Timestamp,
                            std::string>(
      Sql("SELECT name, model, requests_per_second, guard, created_at, created_by FROM endpoints"
          " WHERE workspace = $1 AND ($2 IS NULL OR name = $2) AND removed_at = 0 ORDER BY name LIMIT $3"),
      workspace, name, static_cast<std::int64_t>(kMaxEndpoints));
  if (!rows) return fail(std::move(rows).error());
  std::vector<Endpoint> endpoints;
  for (auto& [own, model, rate, guard, created_at, created_by] : *rows) {
    HF_TRY(auto settings, settings_of(rate, guard));
    endpoints.push_back({.workspace = workspace,
                         .name = std::move(own),
                         .model = std::move(model),
                         .settings = std::move(settings),
                         .created_at = created_at,
                         .created_by = std::move(created_by)});
  }
  return endpoints;
}

// A version behind one that was released here before goes out as a rollback alone, which is decided and
// recorded as such; and what never went out, or is ahead, is no rollback.
Result<> check_direction(const store::Snapshot& view, const Endpoint& endpoint, const Version& version,
                         bool rollback) {
  HF_TRY(const auto highest, view.row<std::int64_t>(Sql("SELECT coalesce(max(model_version), 0) FROM releases"
                                                        " WHERE workspace = $1 AND endpoint = $2"),
                                                    endpoint.workspace, endpoint.name));
  const std::int64_t newest = highest ? std::get<0>(*highest) : 0;
  if (!rollback && version.version < newest) {
    return fail(
        ErrorCode::kPermissionDenied,
        fmt::format("version {} is older than version {}, which the endpoint {} has served; to go back on "
                    "purpose: holdfast rollback {} --to {}",
                    version.version, newest, endpoint.name, endpoint.name, version.version));
  }
  if (rollback && version.version > newest) {
    return fail(
        ErrorCode::kPermissionDenied,
        fmt::format("version {} is newer than all that the endpoint {} has served, so it is no rollback: "
                    "release it",
                    version.version, endpoint.name));
  }
  return {};
}

registry::Statement release_statement(const Version& version, const Release& release) {
  return {.subject_name = version.model,
          .subject = version.digest,
          .predicate_type = std::string(trust::kRelease),
          .predicate_json = trust::release_json(
              {.purl = trust::generic_purl(version.model, std::to_string(version.version)),
               .release_id = fmt::format("{}/{}", release.endpoint, release.serial)})};
}

Result<> check_version(const Endpoint& endpoint, const Version& version) {
  if (version.model != endpoint.model) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("the endpoint {} serves the model {}, not {}",
                                                         endpoint.name, endpoint.model, version.model));
  }
  if (version.state == registry::VersionState::kApproved) return {};
  return fail(ErrorCode::kPermissionDenied,
              fmt::format("version {} of {} is in quarantine: evaluate and approve it first", version.version,
                          version.model));
}

Result<> check_decided(const access::Authorised& authorised, access::Action action) {
  if (authorised.is_for(action, access::ResourceType::kEndpoint, authorised.caller().workspace(),
                        authorised.resource().id)) {
    return {};
  }
  return fail(ErrorCode::kPermissionDenied, "what was decided was not this release");
}

Result<> check_owner(const access::Authorised& authorised) {
  if (authorised.is_for(access::Action::kCreateEndpoint, access::ResourceType::kEndpoint,
                        authorised.caller().workspace(), authorised.resource().id)) {
    return {};
  }
  return fail(ErrorCode::kPermissionDenied, "what was decided was not a change of this endpoint");
}

// Of one that was removed: its releases name versions of that model.
Result<> check_same_model(const store::Snapshot& view, const Endpoint& endpoint) {
  HF_TRY(const auto removed,
         view.row<std::string>(Sql("SELECT model FROM endpoints WHERE workspace = $1 AND name = $2"),
                               endpoint.workspace, endpoint.name));
  if (!removed || std::get<0>(*removed) == endpoint.model) return {};
  return fail(
      ErrorCode::kConflict,
      fmt::format("the endpoint {} that was removed served the model {}, and its releases stay on record: "
                  "give the one of {} another name",
                  endpoint.name, std::get<0>(*removed), endpoint.model));
}

// The one that was decided about.
Result<Endpoint> one_endpoint(const store::Snapshot& view, const access::Authorised& authorised) {
  const auto& name = authorised.resource().id;
  HF_TRY(auto endpoints, endpoints_in(view, authorised.caller().workspace(), name));
  if (endpoints.empty()) return fail(ErrorCode::kNotFound, fmt::format("there is no endpoint {}", name));
  return std::move(endpoints.front());
}

Result<> check_last(const Endpoint& endpoint, const std::vector<Release>& newest_one, std::int64_t expected) {
  const std::int64_t last = newest_one.empty() ? 0 : newest_one.front().serial;
  if (last == expected) return {};
  return fail(ErrorCode::kConflict,
              fmt::format("the endpoint {} is at release {} meanwhile; look at it and ask again",
                          endpoint.name, last));
}

}  // namespace

std::string_view to_string(ReleaseKind kind) {
  switch (kind) {
    case ReleaseKind::kRelease:
      return "release";
    case ReleaseKind::kRollback:
      return "rollback";
    case ReleaseKind::kWithdrawal:
      return "withdrawal";
  }
  return "release";
}

json Endpoint::json() const {
  return {{"name", name},
          {"model", model},
          {"requests_per_second", settings.requests_per_second},
          {"guard", settings.guard_json()},
          {"created_at", created_at.text()},
          {"created_by", created_by}};
}

json Release::json() const {
  return {{"endpoint", endpoint},        {"serial", serial},        {"version", model_version},
          {"digest", digest.prefixed()}, {"kind", to_string(kind)}, {"released_at", released_at.text()},
          {"released_by", released_by}};
}

Result<Endpoint> Releases::create_endpoint(const access::Authorised& authorised, const NewEndpoint& wanted) {
  HF_CHECK(registry::check_name("an endpoint's name", wanted.name));
  HF_CHECK(registry::check_name("a model's name", wanted.model));
  HF_CHECK(wanted.settings.check());
  const Endpoint endpoint{.workspace = authorised.caller().workspace(),
                          .name = wanted.name,
                          .model = wanted.model,
                          .settings = wanted.settings,
                          .created_at = parts_.clock.now(),
                          .created_by = authorised.caller().text()};
  HF_TRY(auto change, parts_.database.begin());
  HF_TRY(const auto before, endpoints_in(change.view(), endpoint.workspace, endpoint.name));
  if (!before.empty()) {
    return fail(ErrorCode::kAlreadyExists, fmt::format("there is an endpoint {} already", endpoint.name));
  }
  HF_CHECK(check_same_model(change.view(), endpoint));
  HF_CHECK(store_endpoint(change, authorised, endpoint, /*removed=*/false, "endpoint.create"));
  return endpoint;
}

Result<Endpoint> Releases::change_endpoint(const access::Authorised& authorised,
                                           const EndpointSettings& wanted) {
  HF_CHECK(check_owner(authorised));
  HF_CHECK(wanted.check());
  HF_TRY(auto change, parts_.database.begin());
  HF_TRY(auto endpoint, one_endpoint(change.view(), authorised));
  endpoint.settings = wanted;
  HF_CHECK(store_endpoint(change, authorised, endpoint, /*removed=*/false, "endpoint.change"));
  return endpoint;
}

Result<> Releases::remove_endpoint(const access::Authorised& authorised) {
  HF_CHECK(check_owner(authorised));
  HF_TRY(auto change, parts_.database.begin());
  HF_TRY(const auto endpoint, one_endpoint(change.view(), authorised));
  HF_TRY(const auto before, newest(change.view(), endpoint, 1));
  if (!before.empty() && before.front().kind != ReleaseKind::kWithdrawal) {
    return fail(ErrorCode::kConflict, fmt::format("the endpoint {} serves version {}: withdraw that first",
                                                  endpoint.name, before.front().model_version));
  }
  return store_endpoint(change, authorised, endpoint, /*removed=*/true, "endpoint.remove");
}

// Writes the row and ends the transaction. A row of the same name that was removed gives way.
Result<> Releases::store_endpoint(store::Transaction& change, const access::Authorised& authorised,
                                  const Endpoint& endpoint, bool removed, std::string_view what) {
  const auto removed_at = removed ? parts_.clock.now() : base::Timestamp();
  HF_TRY(auto recorded, registry::record_row(parts_.log, authorised, what, name_row(endpoint, removed_at),
                                             {{"name", endpoint.name},
                                              {"model", endpoint.model},
                                              {"requests_per_second", endpoint.settings.requests_per_second},
                                              {"guard", endpoint.settings.guard_json()}}));
  HF_CHECK(change.execute(
      Sql("INSERT INTO endpoints (workspace, name, model, requests_per_second, guard, created_at, created_by,"
          " removed_at, record_index, record) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
          " ON CONFLICT (workspace, name) DO UPDATE SET model = excluded.model,"
          " requests_per_second = excluded.requests_per_second, guard = excluded.guard,"
          " created_at = excluded.created_at, created_by = excluded.created_by,"
          " removed_at = excluded.removed_at, record_index = excluded.record_index, record = "
          "excluded.record"),
      endpoint.workspace, endpoint.name, endpoint.model, endpoint.settings.requests_per_second,
      guard_text(endpoint.settings), endpoint.created_at, endpoint.created_by, removed_at,
      static_cast<std::int64_t>(recorded.receipt().index), recorded.receipt().leaf));
  HF_CHECK(change.next_change(endpoint.workspace, "endpoint", endpoint.name));
  return recorded.commit(change);
}

Result<Release> Releases::release(const access::Authorised& authorised, const Version& version,
                                  std::int64_t expected) {
  return bind(authorised, version, expected, ReleaseKind::kRelease);
}

Result<Release> Releases::rollback(const access::Authorised& authorised, const Version& version,
                                   std::int64_t expected) {
  return bind(authorised, version, expected, ReleaseKind::kRollback);
}

Result<Release> Releases::bind(const access::Authorised& authorised, const Version& version,
                               std::int64_t expected, ReleaseKind kind) {
  const auto action = kind == ReleaseKind::kRollback ? access::Action::kRollback : access::Action::kRelease;
  HF_CHECK(check_decided(authorised, action));
  HF_TRY(auto change, parts_.database.begin());
  HF_TRY(const auto endpoint, one_endpoint(change.view(), authorised));
  HF_CHECK(check_version(endpoint, version));
  HF_TRY(const auto before, newest(change.view(), endpoint, 1));
  HF_CHECK(check_last(endpoint, before, expected));
  HF_CHECK(check_direction(change.view(), endpoint, version, kind == ReleaseKind::kRollback));
  const Release release{.endpoint = endpoint.name,
                        .serial = expected + 1,
                        .model_version = version.version,
                        .digest = version.digest,
                        .kind = kind,
                        .released_at = parts_.clock.now(),
                        .released_by = authorised.caller().text()};
  HF_CHECK(
      registry::EvidenceRoom(parts_).add(change, endpoint.workspace, release_statement(version, release)));
  HF_CHECK(store_release(change, authorised, release));
  return release;
}

Result<Release> Releases::withdraw(const access::Authorised& authorised, std::int64_t expected) {
  HF_CHECK(check_decided(authorised, access::Action::kRollback));
  HF_TRY(auto change, parts_.database.begin());
  HF_TRY(const auto endpoint, one_endpoint(change.view(), authorised));
  HF_TRY(const auto before, newest(change.view(), endpoint, 1));
  if (before.empty() || before.front().kind == ReleaseKind::kWithdrawal) {
    return fail(ErrorCode::kNotFound, fmt::format("the endpoint {} serves nothing", endpoint.name));
  }
  HF_CHECK(check_last(endpoint, before, expected));
  Release release = before.front();
  release.serial = expected + 1;
  release.kind = ReleaseKind::kWithdrawal;
  release.released_at = parts_.clock.now();
  release.released_by = authorised.caller().text();
  HF_CHECK(store_release(change, authorised, release));
  return release;
}

// Writes the row and ends the transaction.
Result<> Releases::store_release(store::Transaction& change, const access::Authorised& authorised,
                                 const Release& release) {
  const auto& workspace = authorised.caller().workspace();
  const auto what = release.kind == ReleaseKind::kWithdrawal
                        ? std::string("endpoint.withdraw")
                        : fmt::format("endpoint.{}", to_string(release.kind));
  HF_TRY(auto recorded, registry::record_row(parts_.log, authorised, what, name_row(workspace, release),
                                             {{"serial", release.serial},
                                              {"version", release.model_version},
                                              {"digest", release.digest.prefixed()}}));
  HF_CHECK(change.execute(Sql("INSERT INTO releases (workspace, endpoint, serial, model_version, digest, "
                              "kind, released_at, released_by,"
                              " record_index, record) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"),
                          workspace, release.endpoint, release.serial, release.model_version, release.digest,
                          to_string(release.kind), release.released_at, release.released_by,
                          static_cast<std::int64_t>(recorded.receipt().index), recorded.receipt().leaf));
  HF_CHECK(change.next_change(workspace, "release", release.endpoint));
  return recorded.commit(change);
}

Result<Version> Releases::rollback_target(const Endpoint& endpoint) const {
  constexpr std::size_t kLookedAt = 1000;
  HF_TRY(const auto releases, history(endpoint, kLookedAt));
  for (const auto& release : releases) {
    if (release.model_version != releases.front().model_version) {
      return models_->find(endpoint.workspace, endpoint.model, release.model_version);
    }
  }
  return fail(
      ErrorCode::kNotFound,
      fmt::format("the endpoint {} has served no other version that it could go back to", endpoint.name));
}

Result<Endpoint> Releases::find(const base::WorkspaceId& workspace, std::string_view name) const {
  HF_TRY(const auto snapshot, parts_.database.snapshot());
  HF_TRY(auto endpoints, endpoints_in(snapshot, workspace, name));
  if (!endpoints.empty()) return std::move(endpoints.front());
  return fail(ErrorCode::kNotFound, fmt::format("there is no endpoint {}", name));
}

Result<std::vector<Endpoint>> Releases::list(const base::WorkspaceId& workspace) const {
  HF_TRY(const auto snapshot, parts_.database.snapshot());
  return endpoints_in(snapshot, workspace, std::nullopt);
}

Result<std::optional<Release>> Releases::current(const Endpoint& endpoint) const {
  HF_TRY(auto releases, history(endpoint, 1));
  if (releases.empty() || releases.front().kind == ReleaseKind::kWithdrawal) return std::optional<Release>();
  return std::optional(std::move(releases.front()));
}

Result<std::int64_t> Releases::last_serial(const Endpoint& endpoint) const {
  HF_TRY(const auto releases, history(endpoint, 1));
  return releases.empty() ? 0 : releases.front().serial;
}

Result<std::vector<Release>> Releases::history(const Endpoint& endpoint, std::size_t limit) const {
  HF_TRY(const auto snapshot, parts_.database.snapshot());
  return newest(snapshot, endpoint, limit);
}

namespace {

Result<> claim_endpoints(const store::Snapshot& view, std::vector<audit::RowClaim>& claims) {
  using Key = std::pair<base::WorkspaceId, std::string>;
  const auto query = [&view](const Key& after) {
    return view.rows<base::WorkspaceId, std::string, std::string, std::int64_t, std::string, base::Timestamp,
                     std::string, base::Timestamp, std::int64_t, base::Digest>(
        Sql("SELECT workspace, name, model, requests_per_second, guard, created_at, created_by, removed_at,"
            " record_index, record FROM endpoints WHERE (workspace, name) > ($1, $2) ORDER BY workspace, "
            "name LIMIT $3"),
        after.first, after.second, audit::kClaimsPage);
  };
  return audit::claim_pages(Key(), query, [&claims](auto& row) -> Result<Key> {
    auto& [workspace, name, model, rate, guard, created_at, created_by, removed_at, index, leaf] = row;
    auto settings = settings_of(rate, guard);
    if (!settings)
      return fail(std::move(settings).error().within(
          fmt::format("the row endpoints/{}/{}", workspace.value(), name)));
    const Endpoint endpoint{.workspace = workspace,
                            .name = name,
                            .model = model,
                            .settings = *std::move(settings),
                            .created_at = created_at,
                            .created_by = created_by};
    claims.push_back(audit::claim_row(name_row(endpoint, removed_at), index, leaf));
    return Key(workspace, name);
  });
}

Result<> claim_releases(const store::Snapshot& view, std::vector<audit::RowClaim>& claims) {
  using Key = std::tuple<base::WorkspaceId, std::string, std::int64_t>;
  const auto query = [&view](const Key& after) {
    const auto& [workspace, endpoint, serial] = after;
    return view.rows<base::WorkspaceId, std::string, std::int64_t, std::int64_t, base::Digest, std::string,
                     base::Timestamp, std::string, std::int64_t, base::Digest>(
        Sql("SELECT workspace, endpoint, serial, model_version, digest, kind, released_at, released_by,"
            " record_index, record FROM releases WHERE (workspace, endpoint, serial) > ($1, $2, $3)"
            " ORDER BY workspace, endpoint, serial LIMIT $4"),
        workspace, endpoint, serial, audit::kClaimsPage);
  };
  return audit::claim_pages(Key(), query, [&claims](auto& row) -> Result<Key> {
    auto& [workspace, endpoint, serial, version, digest, kind, at, by, index, leaf] = row;
    HF_TRY(const auto release, release_of(endpoint, ReleaseRow(serial, version, digest, kind, at, by)));
    claims.push_back(audit::claim_row(name_row(workspace, release), index, leaf));
    return Key(workspace, endpoint, serial);
  });
}

}  // namespace

Result<std::vector<audit::RowClaim>> row_claims(const store::Snapshot& view) {
  std::vector<audit::RowClaim> claims;
  HF_CHECK(claim_endpoints(view, claims));
  HF_CHECK(claim_releases(view, claims));
  return claims;
}

}  // namespace holdfast::release
