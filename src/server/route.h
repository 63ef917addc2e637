#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/access.h"
#include "base/result.h"
#include "server/http.h"

// Routes as data: the router, the OpenAPI document and the test that every route is decided come from one
// table.

namespace holdfast::server {

using Parameters = std::map<std::string, std::string, std::less<>>;

// What a handler is called with. The parameters of the path have the shape of names already.
struct Call {
  const RequestHead& head;
  const Parameters& parameters;
  BodyReader& body;
  std::uint64_t max_body_bytes = 0;  // the route's
  // Who calls; none on a route that is open to everyone.
  const access::Caller* known_caller = nullptr;
  // The decision that let the call through; none where the handler's own call of access decides.
  const access::Authorised* authorised = nullptr;

  [[nodiscard]] const access::Authorised& allowed() const;                  // asserted
  [[nodiscard]] const access::Caller& caller() const;                       // asserted
  [[nodiscard]] const std::string& parameter(std::string_view name) const;  // asserted
  // kInvalidArgument, naming the parameter, where it is no number from 1 on.
  [[nodiscard]] base::Result<std::int64_t> number(std::string_view name) const;
  // Of the query; empty where it is absent.
  [[nodiscard]] std::string query(std::string_view name) const;
};

using Handler = std::function<base::Result<Response>(Call&)>;
// What is to be decided on. Errors answer the request: kNotFound for a thing that is not there.
using ResourceOf = std::function<base::Result<access::Resource>(const access::Caller&, const Parameters&)>;

struct Route {
  Method method = Method::kGet;
  std::string path;       // "/v1/models/{model}/versions/{version}"
  std::string operation;  // "registerModel": the operationId
  std::string summary;    // one line
  // What is decided, on what. Without `resource` the handler's first call of access::Access decides it.
  std::optional<access::Action> action;
  ResourceOf resource;
  std::string open_because;        // of a route without action, which is open to everyone: why
  std::vector<std::string> query;  // names that it takes; others are refused
  std::string request;   // a JSON Schema, or a media type for a body that is no JSON; empty: no body
  std::string response;  // likewise
  std::uint64_t max_body_bytes = 64UL << 10;
  // The handler itself establishes who calls, and decides: inference, whose tokens and errors are its own.
  bool decides_itself = false;
  Handler handler;
};

// The workspace itself.
ResourceOf on_workspace();
// The thing of this type that the path names by one parameter.
ResourceOf on_named(access::ResourceType type, std::string parameter);

// 200 with a JSON text.
Response json_response(std::string body, int status = 200);

}  // namespace holdfast::server
