#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "server/api.h"

namespace holdfast::server {

using access::Action;
using access::ResourceType;
using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;

namespace {

constexpr const char* kRun =
    R"({"type":"object","properties":{"id":{"type":"integer"},"kind":{"enum":["train","harden","evaluate"]},
"state":{"enum":["waiting","running","done","failed","cancelled"]},"model":{"type":"string"},
"step":{"type":"string"},"share_done":{"type":"number"},"progress":{"type":"string"},"metrics":{"type":"object"},
"attempt":{"type":"integer"},"result":{"type":"object"}}})";
constexpr std::size_t kPageSize = 200;

Result<std::int64_t> id_of(const Parameters& parameters) {
  const std::string& text = parameters.find("run")->second;
  const bool digits =
      !text.empty() && text.size() < 16 && text.find_first_not_of("0123456789") == std::string::npos;
  if (digits) return std::stoll(text);
  return fail(ErrorCode::kInvalidArgument, "run in the path is a whole number");
}

// The model whose run it is. One that is not there is decided on too: else who may train nothing learns from
// the 404 what there is.
ResourceOf on_model_of_run(Installation& installation) {
  return [&installation](const access::Caller& caller,
                         const Parameters& parameters) -> Result<access::Resource> {
    HF_TRY(const auto id, id_of(parameters));
    const auto run = registry::Runs(installation.parts()).find(caller.workspace(), id);
    if (!run && run.error().code != ErrorCode::kNotFound) return fail(run.error());
    return access::Resource{.type = ResourceType::kModel,
                            .workspace = caller.workspace(),
                            .id = run ? run->model : fmt::format("run-{}", id)};
  };
}

Result<Response> list(Installation& installation, Call& call) {
  HF_TRY(const auto runs, registry::Runs(installation.parts()).list(call.caller().workspace(), kPageSize));
  json all = json::array();
  for (const auto& run : runs) all.push_back(run.json());
  return json_response(json{{"runs", std::move(all)}}.dump());
}

Result<Response> show(Installation& installation, Call& call) {
  HF_TRY(const auto id, call.number("run"));
  HF_TRY(const auto run, registry::Runs(installation.parts()).find(call.caller().workspace(), id));
  return json_response(run.json().dump());
}

Result<Response> cancel(Installation& installation, Call& call) {
  HF_TRY(const auto id, call.number("run"));
  HF_TRY(const auto run, installation.run_queue().cancel(call.allowed(), id));
  return json_response(run.json().dump());
}

}  // namespace

std::vector<Route> run_routes(const Api& api) {
  Installation& installation = api.installation;
  std::vector<Route> routes;
  routes.push_back({.method = Method::kGet,
                    .path = "/v1/runs",
                    .operation = "listRuns",
                    .summary = "Trainings and evaluations, newest first",
                    .action = Action::kReadModel,
                    .resource = on_workspace(),
                    .response = R"({"type":"object","properties":{"runs":{"type":"array"}}})",
                    .handler = [&installation](Call& call) { return list(installation, call); }});
  routes.push_back({.method = Method::kGet,
                    .path = "/v1/runs/{run}",
                    .operation = "readRun",
                    .summary = "One training or evaluation: how far it is, and what came of it",
                    .action = Action::kReadModel,
                    .resource = on_named(ResourceType::kRun, "run"),
                    .response = kRun,
                    .handler = [&installation](Call& call) { return show(installation, call); }});
  routes.push_back({.method = Method::kPost,
                    .path = "/v1/runs/{run}/cancel",
                    .operation = "cancelRun",
                    .summary = "End a training that waits or runs; nothing comes of it",
                    .action = Action::kTrainModel,
                    .resource = on_model_of_run(installation),
                    .response = kRun,
                    .handler = [&installation](Call& call) { return cancel(installation, call); }});
  return routes;
}

}  // namespace holdfast::server
