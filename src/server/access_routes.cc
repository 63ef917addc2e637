#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "data/json_fields.h"
#include "server/api.h"
#include "server/request_body.h"
#include "server/router.h"

namespace holdfast::server {

using access::Action;
using access::PrincipalId;
using base::ErrorCode;
using base::fail;
using base::Result;
using data::JsonFields;
using nlohmann::json;

namespace {

constexpr const char* kObject = R"({"type":"object"})";
constexpr std::string_view kAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

Response no_store(Response response) {
  response.headers.emplace_back("Cache-Control", "no-store");  // RFC 6749, section 5.1
  return response;
}

Result<std::string> form_field(const Parameters& form, std::string_view name) {
  const auto found = form.find(name);
  if (found != form.end()) return found->second;
  return fail(ErrorCode::kInvalidArgument, fmt::format("the form lacks {}", name));
}

base::Secret secret_of(const std::string& text) { return base::Secret::copy_of(base::as_bytes(text)); }

Response token_response(const access::IssuedToken& issued, base::Timestamp now) {
  const auto life = std::chrono::duration_cast<std::chrono::seconds>(issued.expires - now);
  return no_store(json_response(json{
      {"access_token", issued.token.reveal_text()},
      {"token_type", "Bearer"},
      {"expires_in", life.count()},
      {"token_id",
       issued.id.value()}}.dump()));
}

// RFC 6749, section 4.3 for people, RFC 7523, section 2.2 for services.
Result<Response> token(Installation& installation, Call& call) {
  HF_TRY(const auto form, read_form_body(call));
  HF_TRY(const std::string grant, form_field(form, "grant_type"));
  const auto given = form.find("audience");
  const std::string audience(given == form.end() ? std::string(access::kApiAudience) : given->second);
  const auto now = installation.parts().clock.now();
  if (grant == "password") {
    HF_TRY(const std::string name, form_field(form, "username"));
    HF_TRY(const std::string text, form_field(form, "password"));
    const auto password = secret_of(text);
    HF_TRY(const auto issued,
           installation.access().sign_in(access::PasswordSignIn{.workspace = Installation::workspace(),
                                                                .name = name,
                                                                .password = password,
                                                                .source = call.head.peer.network(),
                                                                .audience = audience}));
    return token_response(issued, now);
  }
  if (grant != "client_credentials") {
    return fail(ErrorCode::kInvalidArgument,
                "grant_type is password, for people, or client_credentials, for services");
  }
  HF_TRY(const std::string type, form_field(form, "client_assertion_type"));
  if (type != kAssertionType) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("client_assertion_type must be {}", kAssertionType));
  }
  HF_TRY(const std::string assertion, form_field(form, "client_assertion"));
  HF_TRY(const auto issued,
         installation.access().sign_in(access::AssertionSignIn{.workspace = Installation::workspace(),
                                                               .assertion = assertion,
                                                               .source = call.head.peer.network(),
                                                               .audience = audience}));
  return token_response(issued, now);
}

Result<Response> change_password(Installation& installation, Call& call) {
  HF_TRY(const json body, read_json_body(call));
  HF_TRY(auto fields, JsonFields::of(body, "the body"));
  HF_TRY(const std::string name, fields.text("name"));
  HF_TRY(const std::string current, fields.text("current"));
  HF_TRY(const std::string wanted, fields.text("new"));
  HF_CHECK(fields.end());
  const auto old_password = secret_of(current);
  HF_CHECK(installation.access().change_password({.workspace = Installation::workspace(),
                                                  .name = name,
                                                  .password = old_password,
                                                  .source = call.head.peer.network()},
                                                 secret_of(wanted)));
  return json_response("{}");
}

json principal_json(const access::Principal& principal) {
  json groups = json::array();
  for (const auto& group : principal.groups) groups.push_back(group.value());
  json value{{"id", principal.id.value()},
             {"kind", to_string(principal.kind)},
             {"name", principal.name},
             {"enabled", principal.enabled},
             {"groups", std::move(groups)}};
  if (principal.owner) value["owner"] = principal.owner->value();
  return value;
}

Result<Response> list_principals(Installation& installation, Call& call) {
  HF_TRY(const auto principals, installation.access().list_principals(call.caller()));
  json list = json::array();
  for (const auto& principal : principals) list.push_back(principal_json(principal));
  return json_response(json{{"principals", std::move(list)}}.dump());
}

Response one_time_response(const access::OneTimePassword& made, int status) {
  return no_store(json_response(json{{"id", made.principal.value()},
                                     {"name", made.name},
                                     {"one_time_password", made.password.reveal_text()},
                                     {"expires_at", made.expires.text()}}
                                    .dump(),
                                status));
}

Result<Response> create_person(Installation& installation, Call& call) {
  HF_TRY(const json body, read_json_body(call));
  HF_TRY(auto fields, JsonFields::of(body, "the body"));
  HF_TRY(const std::string name, fields.text("name"));
  HF_CHECK(fields.end());
  HF_TRY(const auto made, installation.access().create_person(call.caller(), name));
  return one_time_response(made, 201);
}

Result<Response> reset_password(Installation& installation, Call& call) {
  HF_TRY(const auto made,
         installation.access().reset_password(call.caller(), PrincipalId(call.parameter("principal"))));
  return one_time_response(made, 200);
}

Result<Response> create_service(Installation& installation, Call& call) {
  HF_TRY(const json body, read_json_body(call));
  HF_TRY(auto fields, JsonFields::of(body, "the body"));
  HF_TRY(const std::string name, fields.text("name"));
  std::optional<PrincipalId> owner;
  if (fields.has("owner")) {
    HF_TRY(std::string id, fields.text("owner"));
    owner.emplace(std::move(id));
  }
  HF_CHECK(fields.end());
  HF_TRY(const auto id, installation.access().create_service(call.caller(), {.name = name, .owner = owner}));
  return json_response(json{{"id", id.value()}}.dump(), 201);
}

Result<Response> add_service_key(Installation& installation, Call& call) {
  HF_TRY(const json body, read_json_body(call));
  HF_TRY(auto fields, JsonFields::of(body, "the body"));
  HF_TRY(const std::string pem, fields.text("pem"));
  HF_CHECK(fields.end());
  HF_TRY(const auto key, crypto::PublicKey::from_pem(pem));
  HF_TRY(const std::string id,
         installation.access().add_service_key(call.caller(), PrincipalId(call.parameter("principal")), key));
  return json_response(json{{"key_id", id}}.dump(), 201);
}

Result<Response> create_group(Installation& installation, Call& call) {
  HF_TRY(const json body, read_json_body(call));
  HF_TRY(auto fields, JsonFields::of(body, "the body"));
  HF_TRY(const std::string name, fields.text("name"));
  HF_CHECK(fields.end());
  HF_TRY(const auto id, installation.access().create_group(call.caller(), name));
  return json_response(json{{"id", id.value()}}.dump(), 201);
}

Result<Response> list_service_keys(Installation& installation, Call& call) {
  HF_TRY(const auto ids,
         installation.access().list_service_keys(call.caller(), PrincipalId(call.parameter("principal"))));
  return json_response(json{{"keys", ids}}.dump());
}

Result<Response> remove_service_key(Installation& installation, Call& call) {
  HF_CHECK(installation.access().remove_service_key(call.caller(), PrincipalId(call.parameter("principal")),
                                                    call.parameter("key")));
  return json_response("{}");
}

Result<Response> list_tokens(Installation& installation, Call& call) {
  HF_TRY(const auto tokens,
         installation.access().list_tokens(call.caller(), PrincipalId(call.parameter("principal"))));
  json list = json::array();
  for (const auto& token : tokens) {
    list.push_back(
        {{"id", token.id.value()}, {"audience", token.audience}, {"expires_at", token.expires.text()}});
  }
  return json_response(json{{"tokens", std::move(list)}}.dump());
}

Result<Response> revoke_token(Installation& installation, Call& call) {
  HF_CHECK(installation.access().revoke_token(call.caller(), access::TokenId(call.parameter("token"))));
  return json_response("{}");
}

Result<Response> revoke_tokens(Installation& installation, Call& call) {
  HF_CHECK(installation.access().revoke_tokens(call.caller(), PrincipalId(call.parameter("principal"))));
  return json_response("{}");
}

// The token that the request bears, whatever it is for.
Result<Response> sign_out(Installation& installation, Call& call) {
  const auto given = call.query("audience");
  HF_TRY(const auto caller, identify(installation.access(), call.head,
                                     given.empty() ? access::kApiAudience : std::string_view(given),
                                     Installation::workspace(), ::geteuid()));
  HF_CHECK(installation.access().sign_out(caller));
  return json_response("{}");
}

Result<Response> enable(Installation& installation, Call& call) {
  HF_TRY(const json body, read_json_body(call));
  HF_TRY(auto fields, JsonFields::of(body, "the body"));
  HF_TRY(const bool enabled, fields.boolean("enabled"));
  HF_CHECK(fields.end());
  HF_CHECK(
      installation.access().set_enabled(call.caller(), PrincipalId(call.parameter("principal")), enabled));
  return json_response("{}");
}

Result<Response> add_member(Installation& installation, Call& call) {
  HF_CHECK(installation.access().add_member(call.caller(), PrincipalId(call.parameter("group")),
                                            PrincipalId(call.parameter("principal"))));
  return json_response("{}");
}

Result<Response> remove_member(Installation& installation, Call& call) {
  HF_CHECK(installation.access().remove_member(call.caller(), PrincipalId(call.parameter("group")),
                                               PrincipalId(call.parameter("principal"))));
  return json_response("{}");
}

Result<access::ResourceType> resource_type(std::string_view name) {
  using access::ResourceType;
  for (const auto type :
       {ResourceType::kWorkspace, ResourceType::kPrincipal, ResourceType::kDataset, ResourceType::kModel,
        ResourceType::kVersion, ResourceType::kEndpoint, ResourceType::kRun, ResourceType::kPolicy}) {
    if (name == to_string(type)) return type;
  }
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("there is no type of resource {}; Endpoint is one", name));
}

Result<Response> grant(Installation& installation, Call& call) {
  HF_TRY(const json body, read_json_body(call));
  HF_TRY(auto fields, JsonFields::of(body, "the body"));
  HF_TRY(std::string principal, fields.text("principal"));
  HF_TRY(const std::string action_name, fields.text("action"));
  HF_TRY(const std::string type_name, fields.text("type"));
  HF_TRY(std::string id, fields.text("id"));
  HF_CHECK(fields.end());
  const auto action = access::action_named(action_name);
  if (!action) return fail(ErrorCode::kInvalidArgument, fmt::format("there is no action {}", action_name));
  HF_TRY(const auto type, resource_type(type_name));
  HF_TRY(const std::string policy,
         installation.access().grant(
             call.caller(), PrincipalId(std::move(principal)), *action,
             {.type = type, .workspace = call.caller().workspace(), .id = std::move(id)}));
  return json_response(json{{"policy", policy}}.dump(), 201);
}

Result<Response> revoke_grant(Installation& installation, Call& call) {
  HF_CHECK(installation.access().revoke_grant(call.caller(), call.parameter("policy")));
  return json_response("{}");
}

Result<Response> list_policies(Installation& installation, Call& call) {
  HF_TRY(const auto policies, installation.access().list_policies(call.caller()));
  json list = json::array();
  for (const auto& policy : policies) list.push_back({{"id", policy.id}, {"text", policy.text}});
  return json_response(json{{"policies", std::move(list)}}.dump());
}

Result<Response> write_policy(Installation& installation, Call& call) {
  HF_TRY(const json body, read_json_body(call));
  HF_TRY(auto fields, JsonFields::of(body, "the body"));
  HF_TRY(const std::string text, fields.text("text"));
  HF_CHECK(fields.end());
  HF_CHECK(installation.access().write_policy(call.caller(), call.parameter("policy"), text));
  return json_response("{}");
}

Result<Response> remove_policy(Installation& installation, Call& call) {
  HF_CHECK(installation.access().remove_policy(call.caller(), call.parameter("policy")));
  return json_response("{}");
}

void add_sign_in_routes(Installation& installation, std::vector<Route>& routes) {
  routes.push_back({.method = Method::kPost,
                    .path = "/v1/token",
                    .operation = "signIn",
                    .summary = "A short-lived token for a password or a signed client assertion",
                    .open_because = "whoever signs in is not known yet",
                    .request = "application/x-www-form-urlencoded",
                    .response = kObject,
                    .handler = [&installation](Call& call) { return token(installation, call); }});
  routes.push_back({.method = Method::kPost,
                    .path = "/v1/password",
                    .operation = "changePassword",
                    .summary = "Set a password in place of the current, or of a one-time one",
                    .open_because = "it takes the current password",
                    .request = kObject,
                    .response = kObject,
                    .handler = [&installation](Call& call) { return change_password(installation, call); }});
  routes.push_back({.method = Method::kDelete,
                    .path = "/v1/token",
                    .operation = "signOut",
                    .summary = "End the token that the request bears",
                    .open_because = "whoever holds a token may end it, whatever it lets them do",
                    .query = {"audience"},
                    .response = kObject,
                    .handler = [&installation](Call& call) { return sign_out(installation, call); }});
}

}  // namespace

std::vector<Route> access_routes(const Api& api) {
  Installation& installation = api.installation;
  struct Verb {
    Method method;
    const char* path;
    const char* operation;
    const char* summary;
    Action action;
    Result<Response> (*run)(Installation&, Call&);
  };
  const Verb verbs[] = {
      {Method::kGet, "/v1/principals", "listPrincipals", "People, services and groups",
       Action::kListPrincipals, list_principals},
      {Method::kPost, "/v1/people", "createPerson", "A person, with a one-time password",
       Action::kCreatePrincipal, create_person},
      {Method::kDelete, "/v1/people/{principal}/password", "resetPassword",
       "A new one-time password in place of a person's password", Action::kIssueCredential, reset_password},
      {Method::kPost, "/v1/services", "createService", "A service", Action::kCreatePrincipal, create_service},
      {Method::kPost, "/v1/services/{principal}/keys", "addServiceKey",
       "A public key by which a service signs in", Action::kIssueCredential, add_service_key},
      {Method::kGet, "/v1/services/{principal}/keys", "listServiceKeys", "The ids of a service's keys",
       Action::kListPrincipals, list_service_keys},
      {Method::kDelete, "/v1/services/{principal}/keys/{key}", "removeServiceKey",
       "Remove a service's key, which ends the service's tokens", Action::kIssueCredential,
       remove_service_key},
      {Method::kGet, "/v1/principals/{principal}/tokens", "listTokens", "A principal's live tokens",
       Action::kListPrincipals, list_tokens},
      {Method::kDelete, "/v1/principals/{principal}/tokens", "revokeTokens", "End all tokens of a principal",
       Action::kDisablePrincipal, revoke_tokens},
      {Method::kDelete, "/v1/tokens/{token}", "revokeToken", "End one token, by its id",
       Action::kDisablePrincipal, revoke_token},
      {Method::kPost, "/v1/groups", "createGroup", "A group", Action::kCreatePrincipal, create_group},
      {Method::kPut, "/v1/principals/{principal}", "enablePrincipal",
       "Disable a principal, or enable it again", Action::kDisablePrincipal, enable},
      {Method::kPut, "/v1/groups/{group}/members/{principal}", "addMember", "Put a principal into a group",
       Action::kGrant, add_member},
      {Method::kDelete, "/v1/groups/{group}/members/{principal}", "removeMember",
       "Take a principal out of a group", Action::kGrant, remove_member},
      {Method::kPost, "/v1/grants", "grant", "Permit a principal one action on one thing", Action::kGrant,
       grant},
      {Method::kDelete, "/v1/grants/{policy}", "revokeGrant", "Take a grant back", Action::kGrant,
       revoke_grant},
      {Method::kGet, "/v1/policies", "listPolicies", "The workspace's own policies", Action::kReadPolicy,
       list_policies},
      {Method::kPut, "/v1/policies/{policy}", "writePolicy", "Write one Cedar policy", Action::kWritePolicy,
       write_policy},
      {Method::kDelete, "/v1/policies/{policy}", "removePolicy", "Remove one policy", Action::kWritePolicy,
       remove_policy},
  };
  std::vector<Route> routes;
  add_sign_in_routes(installation, routes);
  for (const auto& verb : verbs) {
    const bool body = verb.method == Method::kPost || verb.method == Method::kPut;
    routes.push_back(
        {.method = verb.method,
         .path = verb.path,
         .operation = verb.operation,
         .summary = verb.summary,
         .action = verb.action,
         .request = body ? kObject : "",
         .response = kObject,
         .handler = [&installation, run = verb.run](Call& call) { return run(installation, call); }});
  }
  return routes;
}

}  // namespace holdfast::server
