#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "server/api.h"

namespace holdfast::server {

using access::Action;
using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;

namespace {

constexpr const char* kObject = R"({"type":"object"})";

Result<Response> list_keys(const Installation& installation) {
  HF_TRY(const auto keys, installation.keys().list());
  json list = json::array();
  for (const auto& key : keys) {
    json one{{"name", key.name}, {"destroyed", key.destroyed}};
    if (!key.destroyed) one["kind"] = key.kind;
    if (key.created) one["created_at"] = key.created->text();
    list.push_back(std::move(one));
  }
  return json_response(json{{"keys", std::move(list)}}.dump());
}

Result<Response> rotate_key(Installation& installation, const Call& call) {
  const std::string& which = call.parameter("key");
  if (which == "master") {
    HF_CHECK(installation.rotate_master_key());
  } else if (which == "blobs") {
    HF_CHECK(installation.keys().rotate_blob_keys(call.caller().workspace()));
  } else {
    return fail(ErrorCode::kNotFound,
                fmt::format("there is no key {} to rotate: master and blobs are", which));
  }
  // The decision was recorded before; this says that it was carried out.
  HF_CHECK(installation.log().append({.workspace = call.caller().workspace(),
                                      .actor = call.caller().text(),
                                      .action = "key.rotated",
                                      .resource = which,
                                      .decision = "allow",
                                      .details = {}}));
  return json_response(json{{"rotated", which}}.dump());
}

}  // namespace

std::vector<Route> key_routes(const Api& api) {
  Installation& installation = api.installation;
  std::vector<Route> routes;
  routes.push_back({.method = Method::kGet,
                    .path = "/v1/keys",
                    .operation = "listKeys",
                    .summary = "The names and ages of all keys",
                    .action = Action::kReadKeys,
                    .resource = on_workspace(),
                    .response = kObject,
                    .handler = [&installation](Call& /*call*/) { return list_keys(installation); }});
  routes.push_back({.method = Method::kPost,
                    .path = "/v1/keys/{key}/rotations",
                    .operation = "rotateKey",
                    .summary = "A new key in the place of this one",
                    .action = Action::kRotateKey,
                    .resource = on_workspace(),
                    .response = kObject,
                    .handler = [&installation](Call& call) { return rotate_key(installation, call); }});
  return routes;
}

}  // namespace holdfast::server
