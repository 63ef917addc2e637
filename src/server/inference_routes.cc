#include <unistd.h>

#include "gateway/inference_answer.h"
#include "server/api.h"
#include "server/router.h"

namespace holdfast::server {

using access::Action;
using access::ResourceType;
using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

constexpr const char* kOpenBecause =
    "the Open Inference Protocol's health and name tell nothing of any model";
constexpr std::uint64_t kMaxRequestBytes = 4UL << 20;

Response response_of(gateway::Answer answer) {
  return {.status = answer.status,
          .content_type = std::move(answer.content_type),
          .headers = std::move(answer.headers),
          .body = std::move(answer.body)};
}

// The protocol's own shape of an error.
Response refusal(const base::Error& error) {
  const int status = problem(error).status;
  Response response{
      .status = status,
      .headers = {},
      .body = gateway::encode_error(status == 500 ? "the server failed to do this" : error.message)};
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

// A token for this endpoint alone; or, over the Unix socket, the local operator.
Result<access::Caller> caller_of(Installation& installation, const Call& call, const std::string& endpoint) {
  return identify(installation.access(), call.head, "endpoint:" + endpoint, Installation::workspace(),
                  ::geteuid());
}

// A denial is durable in the log before the caller learns of it; that a call was allowed is in the record of
// the prediction that follows.
Result<access::Authorised> decide(Installation& installation, const Call& call, const std::string& endpoint) {
  HF_TRY(const auto caller, caller_of(installation, call, endpoint));
  const access::Resource resource{
      .type = ResourceType::kEndpoint, .workspace = caller.workspace(), .id = endpoint};
  HF_TRY(const auto decided,
         installation.access().decide(caller, Action::kInfer, resource, call.head.peer.address));
  if (!decided.allowed()) HF_CHECK(installation.access().refuse(decided));
  return decided.authorised();
}

std::optional<std::string_view> version_in(const Call& call) {
  const auto found = call.parameters.find("version");
  return found == call.parameters.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

Result<Response> infer(const Api& api, Call& call) {
  const std::string& endpoint = call.parameter("endpoint");
  const auto authorised = decide(api.installation, call, endpoint);
  if (!authorised) return refusal(authorised.error());
  const auto body = read_body(call.body, kMaxRequestBytes);
  if (!body) return refusal(body.error());
  const std::string principal = authorised->caller().text();
  return response_of(
      api.deployment.gateway().infer({.endpoint = endpoint,
                                      .version = version_in(call),
                                      .principal = principal,
                                      .body = base::as_bytes(*body),
                                      .json_bytes = call.head.header("inference-header-content-length")}));
}

Result<Response> metadata(const Api& api, Call& call) {
  const std::string& endpoint = call.parameter("endpoint");
  const auto authorised = decide(api.installation, call, endpoint);
  if (!authorised) return refusal(authorised.error());
  return response_of(api.deployment.gateway().model_metadata(endpoint, version_in(call)));
}

Result<Response> model_ready(const Api& api, Call& call) {
  const std::string& endpoint = call.parameter("endpoint");
  const auto authorised = decide(api.installation, call, endpoint);
  if (!authorised) return refusal(authorised.error());
  return response_of(api.deployment.gateway().model_ready(endpoint, version_in(call)));
}

void add_open_routes(const Api& api, std::vector<Route>& routes) {
  struct Open {
    const char* path;
    const char* operation;
    const char* summary;
    gateway::Answer (gateway::Gateway::*answer)() const;
  };
  const Open open[] = {
      {"/v2", "serverMetadata", "Name, version and extensions", &gateway::Gateway::server_metadata},
      {"/v2/health/live", "serverLive", "Whether the server runs", &gateway::Gateway::live},
  };
  for (const auto& one : open) {
    routes.push_back({.method = Method::kGet,
                      .path = one.path,
                      .operation = one.operation,
                      .summary = one.summary,
                      .open_because = kOpenBecause,
                      .response = R"({"type":"object"})",
                      .handler = [api, answer = one.answer](Call& /*call*/) -> Result<Response> {
                        return response_of((api.deployment.gateway().*answer)());
                      }});
  }
  routes.push_back({.method = Method::kGet,
                    .path = "/v2/health/ready",
                    .operation = "serverReady",
                    .summary = "Whether the server answers inferences",
                    .open_because = kOpenBecause,
                    .response = R"({"type":"object"})",
                    .handler = [api](Call& /*call*/) -> Result<Response> {
                      if (!api.deployment.recording()) return json_response(R"({"ready":false})", 503);
                      return response_of(api.deployment.gateway().ready());
                    }});
}

}  // namespace

std::vector<Route> inference_routes(const Api& api) {
  struct Verb {
    Method method;
    const char* path;
    const char* operation;
    const char* summary;
    Result<Response> (*run)(const Api&, Call&);
  };
  const Verb verbs[] = {
      {Method::kPost, "/v2/models/{endpoint}/infer", "infer", "One inference", infer},
      {Method::kPost, "/v2/models/{endpoint}/versions/{version}/infer", "inferByVersion",
       "One inference by a version that the endpoint serves", infer},
      {Method::kGet, "/v2/models/{endpoint}", "modelMetadata", "What a model takes and gives", metadata},
      {Method::kGet, "/v2/models/{endpoint}/versions/{version}", "versionMetadata",
       "What a version takes and gives", metadata},
      {Method::kGet, "/v2/models/{endpoint}/ready", "modelReady", "Whether a model answers", model_ready},
      {Method::kGet, "/v2/models/{endpoint}/versions/{version}/ready", "versionReady",
       "Whether a version answers", model_ready},
  };
  std::vector<Route> routes;
  add_open_routes(api, routes);
  for (const auto& verb : verbs) {
    routes.push_back({.method = verb.method,
                      .path = verb.path,
                      .operation = verb.operation,
                      .summary = verb.summary,
                      .action = Action::kInfer,
                      .resource = nullptr,
                      .request = verb.method == Method::kPost ? R"({"type":"object"})" : "",
                      .response = R"({"type":"object"})",
                      .max_body_bytes = kMaxRequestBytes,
                      .decides_itself = true,
                      .handler = [api, run = verb.run](Call& call) { return run(api, call); }});
  }
  return routes;
}

}  // namespace holdfast::server
