#include "release/releases.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

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
constexpr std::string_view kRollback = "rollback";
constexpr std::string_view kRelease = "release";

// All of what the rows say.
audit::RowName name_row(const Endpoint& endpoint) {
  return audit::name_row(fmt::format("endpoints/{}/{}", endpoint.workspace.value(), endpoint.name),
                         {{"model", endpoint.model},
                          {"requests_per_second", endpoint.requests_per_second},
                          {"created_at", endpoint.created_at.microseconds()},
                          {"created_by", endpoint.created_by}});
}

audit::RowName name_row(const base::WorkspaceId& workspace, const Release& release) {
  return audit::name_row(
      fmt::format("releases/{}/{}/{}", workspace.value(), release.endpoint, release.serial),
      {{"model_version", release.model_version},
       {"digest", release.digest.hex()},
       {"kind", release.rollback ? kRollback : kRelease},
       {"released_at", release.released_at.microseconds()},
       {"released_by", release.released_by}});
}

using ReleaseRow =
    std::tuple<std::int64_t, std::int64_t, base::Digest, std::string, base::Timestamp, std::string>;

Release release_of(const std::string& endpoint, ReleaseRow row) {
  auto& [serial, version, digest, kind, released_at, released_by] = row;
  return {.endpoint = endpoint,
          .serial = serial,
          .model_version = version,
          .digest = digest,
          .rollback = kind == kRollback,
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
  for (auto& row : *rows) releases.push_back(release_of(endpoint.name, std::move(row)));
  return releases;
}

Result<std::vector<Endpoint>> endpoints_in(const store::Snapshot& snapshot,
                                           const base::WorkspaceId& workspace,
                                           const std::optional<std::string_view>& name) {
  auto rows = snapshot.rows<std::string, std::string, std::int64_t, base::Timestamp, std::string>(
      Sql("SELECT name, model, requests_per_second, created_at, created_by FROM endpoints"
          " WHERE workspace = $1 AND ($2 IS NULL OR name = $2) ORDER BY name LIMIT $3"),
      workspace, name, static_cast<std::int64_t>(kMaxEndpoints));
  if (!rows) return fail(std::move(rows).error());
  std::vector<Endpoint> endpoints;
  for (auto& [own, model, rate, created_at, created_by] : *rows) {
    endpoints.push_back({.workspace = workspace,
                         .name = std::move(own),
                         .model = std::move(model),
                         .requests_per_second = rate,
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

}  // namespace

json Endpoint::json() const {
  return {{"name", name},
          {"model", model},
          {"requests_per_second", requests_per_second},
          {"created_at", created_at.text()},
          {"created_by", created_by}};
}

json Release::json() const {
  return {{"endpoint", endpoint},
          {"serial", serial},
          {"version", model_version},
          {"digest", digest.prefixed()},
          {"kind", rollback ? kRollback : kRelease},
          {"released_at", released_at.text()},
          {"released_by", released_by}};
}

Result<Endpoint> Releases::create_endpoint(const access::Authorised& authorised, const NewEndpoint& wanted) {
  HF_CHECK(registry::check_name("an endpoint's name", wanted.name));
  HF_CHECK(registry::check_name("a model's name", wanted.model));
  if (wanted.requests_per_second < 1 || wanted.requests_per_second > 1'000'000) {
    return fail(ErrorCode::kInvalidArgument, "requests_per_second lies between 1 and 1000000");
  }
  const Endpoint endpoint{.workspace = authorised.caller().workspace(),
                          .name = wanted.name,
                          .model = wanted.model,
                          .requests_per_second = wanted.requests_per_second,
                          .created_at = parts_.clock.now(),
                          .created_by = authorised.caller().text()};
  HF_TRY(auto change, parts_.database.begin());
  HF_TRY(const auto before, endpoints_in(change.view(), endpoint.workspace, endpoint.name));
  if (!before.empty()) {
    return fail(ErrorCode::kAlreadyExists, fmt::format("there is an endpoint {} already", endpoint.name));
  }
  HF_TRY(auto recorded, registry::record_row(parts_.log, authorised, "endpoint.create", name_row(endpoint),
                                             {{"name", endpoint.name}, {"model", endpoint.model}}));
  HF_CHECK(change.execute(Sql("INSERT INTO endpoints (workspace, name, model, requests_per_second, "
                              "created_at, created_by, record_index,"
                              " record) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"),
                          endpoint.workspace, endpoint.name, endpoint.model, endpoint.requests_per_second,
                          endpoint.created_at, endpoint.created_by,
                          static_cast<std::int64_t>(recorded.receipt().index), recorded.receipt().leaf));
  HF_CHECK(change.next_change(endpoint.workspace, "endpoint", endpoint.name));
  HF_CHECK(recorded.commit(change));
  return endpoint;
}

Result<Release> Releases::release(const access::Authorised& authorised, const Version& version,
                                  std::int64_t expected) {
  return bind(authorised, version, expected, /*rollback=*/false);
}

Result<Release> Releases::rollback(const access::Authorised& authorised, const Version& version,
                                   std::int64_t expected) {
  return bind(authorised, version, expected, /*rollback=*/true);
}

Result<Release> Releases::bind(const access::Authorised& authorised, const Version& version,
                               std::int64_t expected, bool rollback) {
  const auto& workspace = authorised.caller().workspace();
  const auto& name = authorised.resource().id;
  const auto action = rollback ? access::Action::kRollback : access::Action::kRelease;
  if (!authorised.is_for(action, access::ResourceType::kEndpoint, workspace, name)) {
    return fail(ErrorCode::kPermissionDenied, "what was decided was not this release");
  }
  HF_TRY(auto change, parts_.database.begin());
  HF_TRY(const auto endpoints, endpoints_in(change.view(), workspace, name));
  if (endpoints.empty()) return fail(ErrorCode::kNotFound, fmt::format("there is no endpoint {}", name));
  HF_CHECK(check_version(endpoints.front(), version));
  HF_TRY(const auto before, newest(change.view(), endpoints.front(), 1));
  const std::int64_t last = before.empty() ? 0 : before.front().serial;
  if (last != expected) {
    return fail(
        ErrorCode::kConflict,
        fmt::format("the endpoint {} is at release {} meanwhile; look at it and ask again", name, last));
  }
  HF_CHECK(check_direction(change.view(), endpoints.front(), version, rollback));
  const Release release{.endpoint = name,
                        .serial = last + 1,
                        .model_version = version.version,
                        .digest = version.digest,
                        .rollback = rollback,
                        .released_at = parts_.clock.now(),
                        .released_by = authorised.caller().text()};
  HF_TRY(auto recorded,
         registry::record_row(parts_.log, authorised, rollback ? "endpoint.rollback" : "endpoint.release",
                              name_row(workspace, release),
                              {{"serial", release.serial},
                               {"version", release.model_version},
                               {"digest", release.digest.prefixed()}}));
  HF_CHECK(change.execute(Sql("INSERT INTO releases (workspace, endpoint, serial, model_version, digest, "
                              "kind, released_at, released_by,"
                              " record_index, record) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"),
                          workspace, release.endpoint, release.serial, release.model_version, release.digest,
                          rollback ? kRollback : kRelease, release.released_at, release.released_by,
                          static_cast<std::int64_t>(recorded.receipt().index), recorded.receipt().leaf));
  HF_CHECK(registry::EvidenceRoom(parts_).add(change, workspace, release_statement(version, release)));
  HF_CHECK(change.next_change(workspace, "release", release.endpoint));
  HF_CHECK(recorded.commit(change));
  return release;
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
  if (releases.empty()) return std::optional<Release>();
  return std::optional(std::move(releases.front()));
}

Result<std::vector<Release>> Releases::history(const Endpoint& endpoint, std::size_t limit) const {
  HF_TRY(const auto snapshot, parts_.database.snapshot());
  return newest(snapshot, endpoint, limit);
}

namespace {

Result<> claim_endpoints(const store::Snapshot& view, std::vector<audit::RowClaim>& claims) {
  using Key = std::pair<base::WorkspaceId, std::string>;
  const auto query = [&view](const Key& after) {
    return view.rows<base::WorkspaceId, std::string, std::string, std::int64_t, base::Timestamp, std::string,
                     std::int64_t, base::Digest>(
        Sql("SELECT workspace, name, model, requests_per_second, created_at, created_by, record_index, record"
            " FROM endpoints WHERE (workspace, name) > ($1, $2) ORDER BY workspace, name LIMIT $3"),
        after.first, after.second, audit::kClaimsPage);
  };
  return audit::claim_pages(Key(), query, [&claims](auto& row) -> Result<Key> {
    auto& [workspace, name, model, rate, created_at, created_by, index, leaf] = row;
    const Endpoint endpoint{.workspace = workspace,
                            .name = name,
                            .model = model,
                            .requests_per_second = rate,
                            .created_at = created_at,
                            .created_by = created_by};
    claims.push_back(audit::claim_row(name_row(endpoint), index, leaf));
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
    if (kind != kRollback && kind != kRelease) {
      return fail(ErrorCode::kDataCorrupt, fmt::format("the row releases/{}/{}/{} is of no known kind",
                                                       workspace.value(), endpoint, serial));
    }
    const auto release = release_of(endpoint, ReleaseRow(serial, version, digest, kind, at, by));
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
