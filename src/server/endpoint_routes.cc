#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "data/json_fields.h"
#include "server/api.h"
#include "server/request_body.h"

namespace holdfast::server {

using access::Action;
using access::ResourceType;
using base::ErrorCode;
using base::fail;
using base::Result;
using data::JsonFields;
using nlohmann::json;

namespace {

constexpr const char* kObject = R"({"type":"object"})";
constexpr std::size_t kHistory = 50;

// What the body names, in place of what is set.
Result<> take_settings(JsonFields& fields, release::EndpointSettings& settings) {
  if (fields.has("requests_per_second")) {
    HF_TRY(const auto rate, fields.count("requests_per_second"));
    if (rate > release::EndpointSettings::kMaxRequests)
      return base::fail(
          fields.wrong("requests_per_second",
                       fmt::format("a number from 1 to {}", release::EndpointSettings::kMaxRequests)));
    settings.requests_per_second = static_cast<std::int64_t>(rate);
  }
  if (fields.has("guard")) {
    HF_TRY(const json* guard, fields.object("guard"));
    HF_CHECK(settings.change_guard(*guard));
  }
  return {};
}

// The endpoint, with the release that it serves, if it serves one.
Result<json> with_release(const Api& api, const release::Endpoint& endpoint) {
  json value = endpoint.json();
  HF_TRY(const auto current, api.installation.releases().current(endpoint));
  if (current) value["release"] = current->json();
  return value;
}

Result<Response> create(const Api& api, Call& call) {
  HF_TRY(const json body, read_json_body(call));
  HF_TRY(auto fields, JsonFields::of(body, "the body"));
  release::NewEndpoint wanted;
  HF_TRY(wanted.name, fields.text("name"));
  HF_TRY(wanted.model, fields.text("model"));
  HF_CHECK(take_settings(fields, wanted.settings));
  HF_CHECK(fields.end());
  HF_TRY(const auto endpoint, api.installation.releases().create_endpoint(call.allowed(), wanted));
  return json_response(endpoint.json().dump(), 201);
}

Result<Response> change(const Api& api, Call& call) {
  HF_TRY(const json body, read_json_body(call));
  HF_TRY(auto fields, JsonFields::of(body, "the body"));
  HF_TRY(const auto endpoint,
         api.installation.releases().find(call.caller().workspace(), call.parameter("endpoint")));
  auto wanted = endpoint.settings;
  HF_CHECK(take_settings(fields, wanted));
  HF_CHECK(fields.end());
  HF_TRY(const auto changed, api.deployment.change(call.allowed(), endpoint, wanted));
  HF_TRY(const json answer, with_release(api, changed));
  return json_response(answer.dump());
}

Result<Response> remove(const Api& api, Call& call) {
  HF_CHECK(api.deployment.remove(call.allowed(), call.parameter("endpoint")));
  return json_response("{}");
}

Result<Response> withdraw(const Api& api, Call& call) {
  HF_TRY(const json body, read_json_body(call));
  HF_TRY(auto fields, JsonFields::of(body, "the body"));
  HF_CHECK(fields.end());
  HF_TRY(const auto endpoint,
         api.installation.releases().find(call.caller().workspace(), call.parameter("endpoint")));
  HF_TRY(const auto withdrawn, api.deployment.withdraw(call.allowed(), endpoint));
  return json_response(withdrawn.json().dump(), 201);
}

Result<Response> list(const Api& api, Call& call) {
  HF_TRY(const auto endpoints, api.installation.releases().list(call.caller().workspace()));
  json all = json::array();
  for (const auto& endpoint : endpoints) {
    HF_TRY(json one, with_release(api, endpoint));
    all.push_back(std::move(one));
  }
  return json_response(json{{"endpoints", std::move(all)}}.dump());
}

Result<Response> read(const Api& api, Call& call) {
  HF_TRY(const auto endpoint,
         api.installation.releases().find(call.caller().workspace(), call.parameter("endpoint")));
  HF_TRY(const auto history, api.installation.releases().history(endpoint, kHistory));
  HF_TRY(json answer, with_release(api, endpoint));
  answer["history"] = json::array();
  for (const auto& one : history) answer["history"].push_back(one.json());
  if (const auto report = api.deployment.watch().last(endpoint.name)) answer["drift"] = report->json();
  answer["rows_in_window"] = api.deployment.watch().waiting_rows(endpoint.name);
  return json_response(answer.dump());
}

Result<std::optional<std::int64_t>> version_asked(Call& call) {
  HF_TRY(const json body, read_json_body(call));
  HF_TRY(auto fields, JsonFields::of(body, "the body"));
  std::optional<std::int64_t> version;
  if (fields.has("version")) {
    HF_TRY(const auto number, fields.count("version"));
    version = static_cast<std::int64_t>(number);
  }
  HF_CHECK(fields.end());
  return version;
}

Result<Response> release_version(const Api& api, Call& call) {
  HF_TRY(const auto number, version_asked(call));
  if (!number) return fail(ErrorCode::kInvalidArgument, "the body lacks version, a whole number");
  HF_TRY(const auto endpoint,
         api.installation.releases().find(call.caller().workspace(), call.parameter("endpoint")));
  HF_TRY(const auto version, api.installation.models().find(endpoint.workspace, endpoint.model, *number));
  HF_TRY(const auto released, api.deployment.release(call.allowed(), endpoint, version));
  return json_response(released.json().dump(), 201);
}

Result<Response> roll_back(const Api& api, Call& call) {
  HF_TRY(const auto number, version_asked(call));
  HF_TRY(const auto endpoint,
         api.installation.releases().find(call.caller().workspace(), call.parameter("endpoint")));
  auto version = number ? api.installation.models().find(endpoint.workspace, endpoint.model, *number)
                        : api.installation.releases().rollback_target(endpoint);
  if (!version) return fail(std::move(version).error());
  HF_TRY(const auto released, api.deployment.rollback(call.allowed(), endpoint, *version));
  return json_response(released.json().dump(), 201);
}

}  // namespace

std::vector<Route> endpoint_routes(const Api& api) {
  struct Verb {
    Method method;
    const char* path;
    const char* operation;
    const char* summary;
    Action action;
    ResourceOf resource;
    Result<Response> (*run)(const Api&, Call&);
  };
  const auto endpoint = on_named(ResourceType::kEndpoint, "endpoint");
  const Verb verbs[] = {
      {Method::kPost, "/v1/endpoints", "createEndpoint", "An endpoint for the versions of one model",
       Action::kCreateEndpoint, on_workspace(), create},
      {Method::kGet, "/v1/endpoints", "listEndpoints", "All endpoints and what they serve",
       Action::kReadEndpoint, on_workspace(), list},
      {Method::kGet, "/v1/endpoints/{endpoint}", "readEndpoint",
       "One endpoint, its releases and its last window", Action::kReadEndpoint, endpoint, read},
      {Method::kPatch, "/v1/endpoints/{endpoint}", "changeEndpoint",
       "Another rate, or another choice of what the guard refuses", Action::kCreateEndpoint, endpoint,
       change},
      {Method::kDelete, "/v1/endpoints/{endpoint}", "removeEndpoint", "An endpoint that serves nothing ends",
       Action::kCreateEndpoint, endpoint, remove},
      {Method::kPost, "/v1/endpoints/{endpoint}/withdraw", "withdraw", "Serve nothing from now on",
       Action::kRollback, endpoint, withdraw},
      {Method::kPost, "/v1/endpoints/{endpoint}/release", "release", "Serve an approved version",
       Action::kRelease, endpoint, release_version},
      {Method::kPost, "/v1/endpoints/{endpoint}/rollback", "rollback",
       "Serve the version before, or an older one", Action::kRollback, endpoint, roll_back},
  };
  std::vector<Route> routes;
  for (const auto& verb : verbs) {
    routes.push_back({.method = verb.method,
                      .path = verb.path,
                      .operation = verb.operation,
                      .summary = verb.summary,
                      .action = verb.action,
                      .resource = verb.resource,
                      .request = verb.method == Method::kPost || verb.method == Method::kPatch ? kObject : "",
                      .response = kObject,
                      .handler = [api, run = verb.run](Call& call) { return run(api, call); }});
  }
  return routes;
}

}  // namespace holdfast::server
