#include "server/api.h"

#include <iterator>

#include "server/openapi.h"

namespace holdfast::server {

using base::Result;

std::vector<Route> api_routes(const Api& api) {
  std::vector<Route> routes;
  routes.push_back(
      {.method = Method::kGet,
       .path = "/v1/health",
       .operation = "health",
       .summary = "Whether the server runs",
       .open_because = "it tells nothing but that",
       .response = R"({"type":"object"})",
       .handler = [](Call& /*call*/) -> Result<Response> { return json_response(R"({"live":true})"); }});
  for (auto* part : {access_routes, dataset_routes, model_routes, run_routes, endpoint_routes, alert_routes,
                     key_routes, audit_routes, inference_routes, posture_routes}) {
    auto some = part(api);
    std::move(some.begin(), some.end(), std::back_inserter(routes));
  }
  routes.push_back({.method = Method::kGet,
                    .path = "/openapi.json",
                    .operation = "openapi",
                    .summary = "This document",
                    .open_because = "it is the same for everyone",
                    .response = R"({"type":"object"})",
                    .handler = nullptr});
  const std::string document = openapi(routes, api.installation.options().version);
  routes.back().handler = [document](Call& /*call*/) -> Result<Response> { return json_response(document); };
  return routes;
}

}  // namespace holdfast::server
