#include <mutex>

#include <nlohmann/json.hpp>

#include "audit/verify.h"
#include "govern/gather.h"
#include "govern/posture.h"
#include "server/api.h"

namespace holdfast::server {

using access::Action;
using base::Result;

namespace {

// What the log said so far is read once, however often the posture is asked for.
struct Reading {
  std::mutex mutex;
  govern::LogFacts log{Installation::workspace()};
};

Result<govern::LogVerification> verify(const Installation& installation, base::Timestamp now) {
  HF_CHECK(installation.log().flush());
  HF_TRY(const auto report,
         audit::verify_log(installation.options().state / "log", installation.log().verifier()));
  return govern::LogVerification{
      .at = now,
      .records = report.checkpoint.size,
      .fault = report.fault ? report.fault->file + ": " + report.fault->message : std::string()};
}

Result<govern::RuntimeFacts> runtime_facts(const Api& api) {
  const auto now = api.installation.parts().clock.now();
  govern::RuntimeFacts runtime;
  HF_CHECK(api.deployment.record_counts(Deployment::Counts::kEnded));
  HF_TRY(runtime.log, verify(api.installation, now));
  const auto rows = api.installation.check_rows();
  runtime.rows = govern::RowCheck{.at = now, .fault = rows ? std::string() : rows.error().message};
  runtime.engines = api.deployment.engines();
  if (const auto& read_updates = api.installation.options().update_state) {
    HF_TRY(runtime.updates, read_updates());
  }
  return runtime;
}

Result<Response> posture(const Api& api, Reading& reading) {
  HF_TRY(auto runtime, runtime_facts(api));
  const std::scoped_lock lock(reading.mutex);
  HF_TRY(const auto facts, govern::gather_facts({.parts = api.installation.parts(),
                                                 .models = api.installation.models(),
                                                 .gates = api.installation.gates(),
                                                 .releases = api.installation.releases()},
                                                Installation::workspace(), reading.log, std::move(runtime)));
  return json_response(govern::judge(facts).json().dump());
}

}  // namespace

std::vector<Route> posture_routes(const Api& api) {
  const auto reading = std::make_shared<Reading>();
  std::vector<Route> routes;
  routes.push_back({.method = Method::kGet,
                    .path = "/v1/posture",
                    .operation = "readPosture",
                    .summary = "Where this installation stands on each of the 27 practices, by evidence",
                    .action = Action::kReadPosture,
                    .resource = on_workspace(),
                    .response = R"({"type":"object","properties":{"practices":{"type":"array"}}})",
                    .handler = [api, reading](Call& /*call*/) { return posture(api, *reading); }});
  routes.push_back({.method = Method::kGet,
                    .path = "/metrics",
                    .operation = "readMetrics",
                    .summary = "Counters and gauges, in Prometheus's text format",
                    .action = Action::kReadMetrics,
                    .resource = on_workspace(),
                    .response = "text/plain",
                    .handler = [api](Call& /*call*/) -> Result<Response> {
                      HF_TRY(std::string text,
                             api.deployment.meters().text(api.installation, api.deployment.watch(),
                                                          api.deployment.engines()));
                      return Response{.content_type = "text/plain; version=0.0.4; charset=utf-8",
                                      .headers = {},
                                      .body = std::move(text)};
                    }});
  return routes;
}

}  // namespace holdfast::server
