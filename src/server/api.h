#pragma once

#include <vector>

#include "server/deployment.h"
#include "server/installation.h"
#include "server/route.h"

// The routes of the API, by what they are about. What they are given outlives them.

namespace holdfast::server {

struct Api {
  Installation& installation;
  Deployment& deployment;
};

std::vector<Route> access_routes(const Api& api);
std::vector<Route> dataset_routes(const Api& api);
std::vector<Route> model_routes(const Api& api);
std::vector<Route> run_routes(const Api& api);
std::vector<Route> endpoint_routes(const Api& api);
std::vector<Route> alert_routes(const Api& api);
std::vector<Route> key_routes(const Api& api);
std::vector<Route> audit_routes(const Api& api);
std::vector<Route> inference_routes(const Api& api);
std::vector<Route> posture_routes(const Api& api);

// All of them, with /v1/health and /openapi.json, which describes them.
std::vector<Route> api_routes(const Api& api);

}  // namespace holdfast::server
