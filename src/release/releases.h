#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/decision.h"
#include "audit/row_history.h"
#include "base/strong.h"
#include "base/time.h"
#include "registry/models.h"
#include "registry/parts.h"
#include "release/endpoint_settings.h"

namespace holdfast::release {

struct Endpoint {
  base::WorkspaceId workspace;
  std::string name;
  std::string model;
  EndpointSettings settings;
  base::Timestamp created_at;
  std::string created_by;

  [[nodiscard]] nlohmann::json json() const;
};

enum class ReleaseKind { kRelease, kRollback, kWithdrawal };
std::string_view to_string(ReleaseKind kind);  // "release", "rollback", "withdrawal"

// A model version bound to an endpoint. Serial numbers of an endpoint rise by one and never go back: a
// rollback is a new release that names an older version, and a withdrawal one of nothing, which names what
// was served.
struct Release {
  std::string endpoint;
  std::int64_t serial = 0;
  std::int64_t model_version = 0;
  base::Digest digest;  // of the version's bytes
  ReleaseKind kind = ReleaseKind::kRelease;
  base::Timestamp released_at;
  std::string released_by;

  [[nodiscard]] nlohmann::json json() const;
};

struct NewEndpoint {
  std::string name;
  std::string model;
  EndpointSettings settings;
};

// What serves where. Thread-safe. It starts no engine: the caller has loaded the version before it asks for
// the release of it.
class Releases {
 public:
  Releases(const registry::Parts& parts, const registry::Models& models) : parts_(parts), models_(&models) {}

  // `authorised` is for createEndpoint. kAlreadyExists. One that was removed comes back with this: its
  // releases stay on record, and their serial numbers go on; kConflict for another model than theirs.
  base::Result<Endpoint> create_endpoint(const access::Authorised& authorised, const NewEndpoint& endpoint);
  // `authorised` is for createEndpoint on the endpoint, as for its removal. Errors of EndpointSettings.
  base::Result<Endpoint> change_endpoint(const access::Authorised& authorised,
                                         const EndpointSettings& wanted);
  // kConflict while a release is in force: withdraw it first.
  base::Result<> remove_endpoint(const access::Authorised& authorised);

  // `authorised` is for release on the endpoint. kPermissionDenied, with the remedy, for a version that is
  // not approved; kConflict where another release came in between `expected` (the serial of the current one,
  // 0 for none) and this.
  base::Result<Release> release(const access::Authorised& authorised, const registry::Version& version,
                                std::int64_t expected);
  // `authorised` is for rollback on the endpoint. The errors of release().
  base::Result<Release> rollback(const access::Authorised& authorised, const registry::Version& version,
                                 std::int64_t expected);
  // Ends the release in force without another. `authorised` is for rollback on the endpoint. kNotFound where
  // nothing is served; kConflict as for release().
  base::Result<Release> withdraw(const access::Authorised& authorised, std::int64_t expected);
  // What a rollback without a version goes back to: the version that was served before the current one.
  // kNotFound where there was none.
  [[nodiscard]] base::Result<registry::Version> rollback_target(const Endpoint& endpoint) const;

  [[nodiscard]] base::Result<Endpoint> find(const base::WorkspaceId& workspace, std::string_view name) const;
  [[nodiscard]] base::Result<std::vector<Endpoint>> list(const base::WorkspaceId& workspace) const;
  // The one in force; none after a withdrawal.
  [[nodiscard]] base::Result<std::optional<Release>> current(const Endpoint& endpoint) const;
  // Of the newest release, in force or withdrawn; 0 where there was none.
  [[nodiscard]] base::Result<std::int64_t> last_serial(const Endpoint& endpoint) const;
  // Newest first.
  [[nodiscard]] base::Result<std::vector<Release>> history(const Endpoint& endpoint, std::size_t limit) const;

 private:
  base::Result<Release> bind(const access::Authorised& authorised, const registry::Version& version,
                             std::int64_t expected, ReleaseKind kind);
  base::Result<> store_release(store::Transaction& change, const access::Authorised& authorised,
                               const Release& release);
  base::Result<> store_endpoint(store::Transaction& change, const access::Authorised& authorised,
                                const Endpoint& endpoint, bool removed, std::string_view what);
  registry::Parts parts_;
  const registry::Models* models_;
};

// Every row of this module that carries a record, in any workspace; the releases of an endpoint in the order
// of their serial numbers.
base::Result<std::vector<audit::RowClaim>> row_claims(const store::Snapshot& view);

}  // namespace holdfast::release
