#include <fmt/format.h>

#include <charconv>

#include <nlohmann/json.hpp>

#include "alerts/webhooks.h"
#include "data/json_fields.h"
#include "net/egress.h"
#include "net/url.h"
#include "server/api.h"
#include "server/request_body.h"
#include "server/rows_record.h"

namespace holdfast::server {

using access::Action;
using base::fail;
using base::Result;
using data::JsonFields;
using nlohmann::json;

namespace {

constexpr const char* kObject = R"({"type":"object"})";
constexpr std::int64_t kPageSize = 200;

// What a person does to alerts and webhooks is in the log before it is done.
RowsRecord record_of(const Installation& installation, const Call& call, std::string_view action,
                     json details) {
  return {installation.log(),
          {.workspace = call.caller().workspace(),
           .actor = call.caller().text(),
           .action = std::string(action),
           .resource = call.allowed().resource().text(),
           .decision = "allow",
           .details = {}},
          std::move(details)};
}

Result<Response> list(Installation& installation, Call& call) {
  std::optional<alerts::State> state;
  if (const std::string text = call.query("state"); !text.empty()) {
    HF_TRY(state, alerts::parse_state(text));
  }
  std::optional<alerts::AlertId> after;
  if (const std::string text = call.query("after"); !text.empty()) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) {
      return fail(base::ErrorCode::kInvalidArgument, "after is the number of an alert");
    }
    after.emplace(number);
  }
  HF_TRY(const auto snapshot, installation.database().snapshot());
  HF_TRY(const auto page, alerts::list_alerts(snapshot, call.caller().workspace(), state, after, kPageSize));
  json all = json::array();
  for (const auto& alert : page.alerts) all.push_back(alerts::to_json(alert));
  json answer{{"alerts", std::move(all)}};
  if (page.next) answer["next"] = page.next->value();
  return json_response(answer.dump());
}

Result<Response> read(Installation& installation, Call& call) {
  HF_TRY(const auto id, call.number("alert"));
  HF_TRY(const auto snapshot, installation.database().snapshot());
  HF_TRY(const auto details, alerts::find_alert(snapshot, call.caller().workspace(), alerts::AlertId(id)));
  return json_response(alerts::to_json(details).dump());
}

Result<Response> act(Installation& installation, Call& call, bool resolve) {
  HF_TRY(const auto id, call.number("alert"));
  HF_TRY(const json body, read_json_body(call));
  HF_TRY(auto fields, JsonFields::of(body, "the body"));
  std::string comment;
  if (fields.has("comment")) {
    HF_TRY(comment, fields.text("comment"));
  }
  HF_CHECK(fields.end());
  auto record =
      record_of(installation, call, resolve ? "alert.resolve" : "alert.acknowledge", {{"alert", id}});
  const alerts::Alerts::Act deed{.workspace = call.caller().workspace(),
                                 .id = alerts::AlertId(id),
                                 .who = call.caller().text(),
                                 .comment = comment,
                                 .record = record.writer()};
  HF_TRY(auto change, installation.database().begin());
  HF_CHECK(resolve ? installation.alerts().resolve(change, deed)
                   : installation.alerts().acknowledge(change, deed));
  HF_CHECK(record.commit(change));
  installation.wake_delivery();
  return read(installation, call);
}

Result<Response> acknowledge(Installation& installation, Call& call) {
  return act(installation, call, false);
}
Result<Response> resolve(Installation& installation, Call& call) { return act(installation, call, true); }

// Where nothing could ever be sent, nobody is told: that is said now, not when an alert is there.
Result<> check_reachable(const Installation& installation, const std::string& url) {
  HF_TRY(const auto egress, net::EgressPolicy::parse(installation.options().egress));
  HF_TRY(const auto target, net::Url::parse(url));
  auto permitted = egress.permit(target);
  if (permitted) return {};
  return fail(permitted.error().code,
              fmt::format("{} in the server's settings, and start it again", permitted.error().message));
}

Result<Response> put_webhook(Installation& installation, Call& call) {
  HF_TRY(const json body, read_json_body(call));
  HF_TRY(auto fields, JsonFields::of(body, "the body"));
  HF_TRY(const std::string url, fields.text("url"));
  HF_TRY(const std::string secret, fields.text("secret"));
  HF_CHECK(fields.end());
  HF_CHECK(check_reachable(installation, url));
  const std::string& name = call.parameter("webhook");
  auto record = record_of(installation, call, "webhook.write", {{"webhook", name}});
  HF_TRY(auto change, installation.database().begin());
  const alerts::Webhook webhook{.workspace = call.caller().workspace(),
                                .name = name,
                                .url = url,
                                .changed_at = installation.parts().clock.now()};
  HF_CHECK(alerts::put_webhook(change, webhook, base::Secret::copy_of(base::as_bytes(secret)),
                               installation.webhook_key(), base::system_random(), record.writer()));
  HF_CHECK(record.commit(change));
  return json_response(json{{"name", name}, {"url", alerts::shown_url(webhook)}}.dump());
}

Result<Response> remove_webhook(Installation& installation, Call& call) {
  const std::string& name = call.parameter("webhook");
  auto record = record_of(installation, call, "webhook.remove", {{"webhook", name}});
  HF_TRY(auto change, installation.database().begin());
  HF_CHECK(alerts::remove_webhook(change, call.caller().workspace(), name, record.writer()));
  HF_CHECK(record.commit(change));
  return json_response("{}");
}

Result<Response> list_webhooks(Installation& installation, Call& call) {
  HF_TRY(const auto snapshot, installation.database().snapshot());
  HF_TRY(const auto webhooks, alerts::list_webhooks(snapshot, call.caller().workspace()));
  json all = json::array();
  for (const auto& webhook : webhooks)
    all.push_back({{"name", webhook.name}, {"url", alerts::shown_url(webhook)}});
  return json_response(json{{"webhooks", std::move(all)}}.dump());
}

}  // namespace

std::vector<Route> alert_routes(const Api& api) {
  Installation& installation = api.installation;
  struct Verb {
    Method method;
    const char* path;
    const char* operation;
    const char* summary;
    Action action;
    Result<Response> (*run)(Installation&, Call&);
    std::vector<std::string> query = {};
  };
  const Verb verbs[] = {
      {Method::kGet,
       "/v1/alerts",
       "listAlerts",
       "Alerts, newest first",
       Action::kReadAlerts,
       list,
       {"state", "after"}},
      {Method::kGet, "/v1/alerts/{alert}", "readAlert", "One alert with its signals and history",
       Action::kReadAlerts, read},
      {Method::kPost, "/v1/alerts/{alert}/acknowledge", "acknowledgeAlert", "Take an alert on",
       Action::kAcknowledgeAlert, acknowledge},
      {Method::kPost, "/v1/alerts/{alert}/resolve", "resolveAlert", "End an alert, with a reason",
       Action::kAcknowledgeAlert, resolve},
      {Method::kGet, "/v1/webhooks", "listWebhooks", "Where alerts are told", Action::kReadPolicy,
       list_webhooks},
      {Method::kPut, "/v1/webhooks/{webhook}", "writeWebhook", "Tell alerts to an address, signed",
       Action::kWritePolicy, put_webhook},
      {Method::kDelete, "/v1/webhooks/{webhook}", "removeWebhook", "Tell an address no more",
       Action::kWritePolicy, remove_webhook},
  };
  std::vector<Route> routes;
  for (const auto& verb : verbs) {
    const bool body = verb.method == Method::kPost || verb.method == Method::kPut;
    routes.push_back(
        {.method = verb.method,
         .path = verb.path,
         .operation = verb.operation,
         .summary = verb.summary,
         .action = verb.action,
         .resource = on_workspace(),
         .query = verb.query,
         .request = body ? kObject : "",
         .response = kObject,
         .handler = [&installation, run = verb.run](Call& call) { return run(installation, call); }});
  }
  return routes;
}

}  // namespace holdfast::server
