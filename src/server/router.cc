#include "server/router.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"

namespace holdfast::server {

using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

constexpr std::size_t kMaxParameterBytes = 128;

std::string_view next_segment(std::string_view& path) {
  path.remove_prefix(1);
  const auto end = std::min(path.find('/'), path.size());
  const auto segment = path.substr(0, end);
  path.remove_prefix(end);
  return segment;
}

bool is_parameter(std::string_view value) {
  return !value.empty() && value.size() <= kMaxParameterBytes &&
         std::all_of(value.begin(), value.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '_' || c == '.';
         });
}

bool fits(std::string_view pattern, std::string_view path, Parameters& parameters) {
  while (!pattern.empty() && !path.empty()) {
    const auto wanted = next_segment(pattern);
    const auto given = next_segment(path);
    if (!wanted.starts_with('{')) {
      if (wanted != given) return false;
      continue;
    }
    if (!is_parameter(given)) return false;
    parameters.emplace(wanted.substr(1, wanted.size() - 2), given);
  }
  return pattern.empty() && path.empty();
}

bool has_scheme(std::string_view authorization, std::string_view scheme) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(authorization.substr(0, scheme.size()), scheme, {}, lower, lower);
}

Result<> check_query(const Route& route, const RequestHead& head) {
  for (const auto& [name, value] : head.query) {
    if (std::find(route.query.begin(), route.query.end(), name) != route.query.end()) continue;
    return fail(ErrorCode::kInvalidArgument, fmt::format("{} takes no query parameter {}", route.path, name));
  }
  return {};
}

Response method_not_allowed(const std::vector<Method>& others) {
  auto response = problem(405, "this path takes another method");
  std::string allow;
  for (const auto method : others) {
    if (!allow.empty()) allow += ", ";
    allow += to_string(method);
  }
  response.headers.emplace_back("Allow", std::move(allow));
  return response;
}

}  // namespace

Router::Router(std::vector<Route> routes, access::Access& access, base::WorkspaceId workspace, uid_t owner)
    : routes_(std::move(routes)), access_(&access), workspace_(std::move(workspace)), owner_(owner) {
  for (const auto& route : routes_) {
    HF_ASSERT(route.handler != nullptr);
    HF_ASSERT(route.action.has_value() == route.open_because.empty());
    HF_ASSERT(route.action.has_value() || route.max_body_bytes <= kEarlyBodyBytes);
  }
}

Router::Match Router::match(const RequestHead& head) const {
  Match found;
  const Method method = head.method == Method::kHead ? Method::kGet : head.method;
  for (const auto& route : routes_) {
    Parameters parameters;
    if (!fits(route.path, head.path, parameters)) continue;
    if (route.method == method) return {&route, std::move(parameters), {}};
    found.others.push_back(route.method);
  }
  return found;
}

Response Router::serve(const RequestHead& head, BodyReader& body) {
  const Match found = match(head);
  if (found.route == nullptr) {
    if (!found.others.empty()) return method_not_allowed(found.others);
    return problem(404, fmt::format("there is nothing at {}", head.path));
  }
  auto answered = answer(found, head, body);
  if (answered) return *std::move(answered);
  auto response = problem(answered.error());
  // RFC 6750, section 3.
  if (response.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

std::uint64_t Router::max_body_bytes(const RequestHead& head) const {
  const Match found = match(head);
  return found.route == nullptr ? 0 : found.route->max_body_bytes;
}

Result<Response> Router::answer(const Match& found, const RequestHead& head, BodyReader& body) {
  const Route& route = *found.route;
  HF_CHECK(check_query(route, head));
  body.limit(route.max_body_bytes);
  Call call{
      .head = head, .parameters = found.parameters, .body = body, .max_body_bytes = route.max_body_bytes};
  if (!route.action || route.decides_itself) return route.handler(call);
  HF_TRY(const auto caller, identify(*access_, head, kAudience, workspace_, owner_));
  call.known_caller = &caller;
  if (!route.resource) return route.handler(call);
  HF_TRY(const auto resource, route.resource(caller, found.parameters));
  HF_TRY(const auto authorised, access_->authorise(caller, *route.action, resource, head.peer.address));
  call.authorised = &authorised;
  return route.handler(call);
}

Result<access::Caller> identify(access::Access& access, const RequestHead& head, std::string_view audience,
                                const base::WorkspaceId& workspace, uid_t owner) {
  constexpr std::string_view kScheme = "Bearer ";
  const auto authorization = head.header("authorization");
  if (authorization.empty() && head.peer.local_uid == owner) return access.local_operator(workspace);
  // RFC 9110, section 11.1: the scheme in any case.
  if (!has_scheme(authorization, kScheme)) {
    return fail(ErrorCode::kUnauthenticated,
                "say who calls: send the header Authorization: Bearer with a token (see docs/access.md)");
  }
  auto caller = access.authenticate(authorization.substr(kScheme.size()), audience);
  if (!caller && caller.error().code == ErrorCode::kUnauthenticated) {
    HF_CHECK(access.refuse_bearer(workspace, head.peer.address, caller.error()));
  }
  return caller;
}

}  // namespace holdfast::server
