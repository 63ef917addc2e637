#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "access/access.h"
#include "base/result.h"
#include "server/http.h"
#include "server/route.h"

namespace holdfast::server {

// Finds the route of a request, establishes who calls, has it decided, and calls the handler. Errors become
// problem details (RFC 9457). Thread-safe.
class Router final : public Service {
 public:
  // The name that a bearer token for the API is bound to.
  static constexpr std::string_view kAudience = access::kApiAudience;

  // `owner` is the operating system's user whose requests over the Unix socket are the local operator's.
  // Aborts on a route without handler, and on one that neither names its action nor says why it is open.
  Router(std::vector<Route> routes, access::Access& access, base::WorkspaceId workspace, uid_t owner);

  Response serve(const RequestHead& head, BodyReader& body) override;
  [[nodiscard]] std::uint64_t max_body_bytes(const RequestHead& head) const override;

  [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }

 private:
  struct Match {
    const Route* route = nullptr;
    Parameters parameters;
    std::vector<Method> others;  // what the path takes instead
  };
  [[nodiscard]] Match match(const RequestHead& head) const;
  base::Result<Response> answer(const Match& match, const RequestHead& head, BodyReader& body);

  std::vector<Route> routes_;
  access::Access* access_;
  base::WorkspaceId workspace_;
  uid_t owner_;
};

// Who sends a request: the bearer of its token, or over the Unix socket, without a token, the local operator.
// kUnauthenticated otherwise.
base::Result<access::Caller> identify(access::Access& access, const RequestHead& head,
                                      std::string_view audience, const base::WorkspaceId& workspace,
                                      uid_t owner);

}  // namespace holdfast::server
