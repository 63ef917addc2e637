#include "server/openapi.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace holdfast::server {
namespace {

using nlohmann::ordered_json;

// A schema is a JSON text; anything else is the media type of a body that is no JSON.
ordered_json content_of(const std::string& what) {
  if (what.starts_with('{')) return {{"application/json", {{"schema", ordered_json::parse(what)}}}};
  return {{what, {{"schema", {{"type", "string"}, {"format", "binary"}}}}}};
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return out;
}

ordered_json parameters_of(const Route& route) {
  auto parameters = ordered_json::array();
  for (std::size_t at = 0; (at = route.path.find('{', at)) != std::string::npos; ++at) {
    const auto name = route.path.substr(at + 1, route.path.find('}', at) - at - 1);
    parameters.push_back(
        {{"name", name}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}});
  }
  for (const auto& name : route.query) {
    parameters.push_back({{"name", name}, {"in", "query"}, {"schema", {{"type", "string"}}}});
  }
  return parameters;
}

ordered_json operation_of(const Route& route) {
  ordered_json operation{{"operationId", route.operation}, {"summary", route.summary}};
  auto parameters = parameters_of(route);
  if (!parameters.empty()) operation["parameters"] = std::move(parameters);
  if (!route.request.empty())
    operation["requestBody"] = {{"required", true}, {"content", content_of(route.request)}};
  ordered_json ok{{"description", "done"}};
  if (!route.response.empty()) ok["content"] = content_of(route.response);
  operation["responses"] = {
      {"200", std::move(ok)},
      {"default",
       {{"description", "an error (RFC 9457)"},
        {"content",
         {{"application/problem+json", {{"schema", {{"$ref", "#/components/schemas/Problem"}}}}}}}}}};
  if (route.action) {
    operation["security"] = ordered_json::array({{{"bearer", ordered_json::array()}}});
    operation["x-holdfast-action"] = access::info(*route.action).name;
  }
  return operation;
}

}  // namespace

std::string openapi(const std::vector<Route>& routes, std::string_view version) {
  ordered_json paths = ordered_json::object();
  for (const auto& route : routes) paths[route.path][lower(to_string(route.method))] = operation_of(route);
  const ordered_json problem{{"type", "object"},
                             {"properties",
                              {{"type", {{"type", "string"}}},
                               {"title", {{"type", "string"}}},
                               {"status", {{"type", "integer"}}},
                               {"detail", {{"type", "string"}}}}}};
  const ordered_json document{
      {"openapi", "3.1.0"},
      {"info", {{"title", "Holdfast"}, {"version", version}}},
      {"paths", std::move(paths)},
      {"components",
       {{"schemas", {{"Problem", problem}}},
        {"securitySchemes", {{"bearer", {{"type", "http"}, {"scheme", "bearer"}}}}}}}};
  return document.dump(2);
}

}  // namespace holdfast::server
