#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "data/json_fields.h"
#include "server/api.h"
#include "server/request_body.h"
#include "server/signature_routes.h"

namespace holdfast::server {

using access::Action;
using access::ResourceType;
using base::ErrorCode;
using base::fail;
using base::Result;
using data::JsonFields;
using nlohmann::json;

namespace {

constexpr std::uint64_t kMaxModelBytes = 64ULL << 30;
constexpr std::size_t kPageSize = 500;

constexpr const char* kVersion =
    R"({"type":"object","properties":{"model":{"type":"string"},"version":{"type":"integer"},
"digest":{"type":"string"},"size_bytes":{"type":"integer"},"format":{"type":"string"},
"state":{"enum":["quarantined","approved"]}}})";
constexpr const char* kGate = R"({"type":"object","properties":{"passed":{"type":"boolean"},
"requirements":{"type":"array"},"looks_at_test_part":{"type":"integer"},"waivers":{"type":"array"}}})";

Result<registry::Version> version_of(const Installation& installation, const base::WorkspaceId& workspace,
                                     const Parameters& parameters) {
  const std::string& text = parameters.find("version")->second;
  const bool digits =
      !text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == std::string::npos;
  if (!digits) return fail(ErrorCode::kInvalidArgument, "version in the path is a whole number");
  return installation.models().find(workspace, parameters.find("model")->second, std::stol(text));
}

// Who made a version may not approve or waive it, so the decision needs the makers. One that is not there is
// decided on too: else who may read nothing learns from the 404 what there is.
ResourceOf on_version(Installation& installation) {
  return [&installation](const access::Caller& caller,
                         const Parameters& parameters) -> Result<access::Resource> {
    const auto version = version_of(installation, caller.workspace(), parameters);
    if (version) return version->resource();
    if (version.error().code != ErrorCode::kNotFound) return fail(version.error());
    const std::string& model = parameters.find("model")->second;
    return access::Resource{.type = ResourceType::kVersion,
                            .workspace = caller.workspace(),
                            .id = fmt::format("{}/{}", model, parameters.find("version")->second),
                            .model = model};
  };
}

json findings_json(const inspect::Report& report) {
  json findings = json::array();
  for (const auto& file : report.files) {
    for (const auto& finding : file.findings) {
      json one{{"rule", finding.rule_id},
               {"severity", to_string(finding.severity)},
               {"path", finding.path},
               {"message", finding.message}};
      if (finding.offset) one["offset"] = *finding.offset;
      findings.push_back(std::move(one));
    }
  }
  return findings;
}

Result<Response> admit(Installation& installation, Call& call) {
  HF_TRY(const auto file, spool_body(call, installation.options().state, kMaxModelBytes));
  const std::string name = call.query("file");
  HF_TRY(const auto admitted, installation.models().admit(call.allowed(),
                                                          {.model = call.parameter("model"),
                                                           .file_name = name.empty() ? "model" : name,
                                                           .as_is = call.query("as_is")},
                                                          file));
  if (const auto* refusal = std::get_if<registry::Refusal>(&admitted)) {
    const json answer{
        {"accepted", false}, {"reason", refusal->reason}, {"findings", findings_json(refusal->report)}};
    return json_response(answer.dump(-1, ' ', false, json::error_handler_t::replace), 422);
  }
  const json answer{{"accepted", true}, {"version", std::get<registry::Version>(admitted).json()}};
  return json_response(answer.dump(), 201);
}

Result<Response> write_requirements(Installation& installation, Call& call) {
  HF_TRY(const json body, read_json_body(call));
  HF_TRY(auto fields, JsonFields::of(body, "the body"));
  registry::NewRequirements wanted{.model = call.parameter("model")};
  HF_TRY(wanted.dataset, fields.text("dataset"));
  HF_TRY(wanted.task_toml, fields.text("task"));
  HF_TRY(wanted.policies_cedar, fields.text("policies"));
  HF_CHECK(fields.end());
  HF_TRY(const auto written, registry::RequirementsRoom(installation.parts()).write(call.allowed(), wanted));
  return json_response(written.json().dump());
}

// Answered once it is sure that it will be worked on; how far it is, the run says.
Result<Response> train(Installation& installation, Call& call) {
  HF_TRY(const json body, read_json_body(call));
  HF_TRY(const auto order, registry::TrainOrder::parse(call.parameter("model"), body, "the body"));
  HF_CHECK(installation.trials().check(call.caller().workspace(), order));
  HF_TRY(auto run, installation.run_queue().ask(call.allowed(), order));
  HF_CHECK(installation.work_off_runs());
  HF_TRY(run, registry::Runs(installation.parts()).find(run.workspace, run.id));
  auto response = json_response(json{{"run", run.json()}}.dump(), 202);
  response.headers.emplace_back("Location", fmt::format("/v1/runs/{}", run.id));
  return response;
}

Result<Response> evaluate(Installation& installation, Call& call) {
  HF_TRY(const auto version, version_of(installation, call.caller().workspace(), call.parameters));
  HF_TRY(const json body, read_json_body(call));
  HF_TRY(auto fields, JsonFields::of(body, "the body"));
  std::optional<registry::Version> champion;
  if (fields.has("champion")) {
    HF_TRY(const auto number, fields.count("champion"));
    HF_TRY(champion,
           installation.models().find(version.workspace, version.model, static_cast<std::int64_t>(number)));
  }
  HF_CHECK(fields.end());
  HF_TRY(const auto evaluated, installation.trials().evaluate(call.allowed(), version, champion, {}));
  HF_TRY(const std::string evaluation, evaluate::to_json(evaluated.evaluation));
  HF_TRY(const auto gate, installation.gates().decide(call.caller(), version));
  const json answer{
      {"evaluation", json::parse(evaluation)}, {"gate", gate.json()}, {"warnings", evaluated.warnings}};
  return json_response(answer.dump());
}

Result<Response> approve(Installation& installation, Call& call) {
  HF_TRY(const auto version, version_of(installation, call.caller().workspace(), call.parameters));
  HF_TRY(const auto decision, installation.gates().approve(call.allowed(), version));
  return json_response(decision.json().dump(), decision.passed ? 200 : 422);
}

Result<Response> waive(Installation& installation, Call& call) {
  HF_TRY(const auto version, version_of(installation, call.caller().workspace(), call.parameters));
  HF_TRY(const json body, read_json_body(call));
  HF_TRY(auto fields, JsonFields::of(body, "the body"));
  HF_TRY(const std::string requirement, fields.text("requirement"));
  HF_TRY(const std::string reason, fields.text("reason"));
  HF_TRY(const auto days, fields.count("days"));
  HF_CHECK(fields.end());
  constexpr std::uint64_t kMostDays = 90;
  const auto until =
      installation.parts().clock.now() + std::chrono::days(static_cast<int>(std::min(days, kMostDays + 1)));
  HF_TRY(const auto waiver, installation.gates().waive(call.allowed(), version, requirement, reason, until));
  const json answer{{"id", waiver.id},
                    {"requirement", waiver.requirement},
                    {"reason", waiver.reason},
                    {"granted_by", waiver.granted_by},
                    {"expires_at", waiver.expires_at.text()}};
  return json_response(answer.dump(), 201);
}

Result<Response> evidence(Installation& installation, Call& call) {
  HF_TRY(const auto version, version_of(installation, call.caller().workspace(), call.parameters));
  const registry::EvidenceRoom room(installation.parts());
  HF_TRY(const auto all, room.about(version.workspace, version.digest));
  HF_TRY(const auto key, room.public_key(version.workspace));
  json list = json::array();
  for (const auto& one : all) {
    list.push_back({{"id", one.id},
                    {"digest", one.digest.prefixed()},
                    {"predicate_type", one.statement.predicate_type},
                    {"created_at", one.created_at.text()},
                    {"envelope", one.envelope}});
  }
  return json_response(json{{"evidence", std::move(list)}, {"public_key", key.to_pem()}}.dump());
}

// Out of memory, verified before the first byte is given.
class BytesSource final : public BodySource {
 public:
  explicit BytesSource(base::Bytes bytes) : bytes_(std::move(bytes)) {}
  Result<std::size_t> read(base::MutableByteView buffer) override {
    const auto rest = base::ByteView(bytes_).subspan(at_);
    const std::size_t count = std::min(rest.size(), buffer.size());
    std::copy_n(rest.begin(), count, buffer.begin());
    at_ += count;
    return count;
  }

 private:
  base::Bytes bytes_;
  std::size_t at_ = 0;
};

Result<Response> content(Installation& installation, Call& call) {
  HF_TRY(const auto version, version_of(installation, call.caller().workspace(), call.parameters));
  HF_TRY(auto bytes, installation.models().open(version));
  return Response{.content_type = "application/octet-stream",
                  .headers = {},
                  .body = std::make_unique<BytesSource>(std::move(bytes))};
}

Result<Response> signature(Installation& installation, Call& call) {
  HF_TRY(const auto version, version_of(installation, call.caller().workspace(), call.parameters));
  HF_TRY(const std::string bundle, installation.models().signature(version));
  HF_TRY(const auto key, installation.models().public_key(version.workspace));
  return json_response(json{{"bundle", bundle}, {"public_key", key.to_pem()}}.dump());
}

// What is asked of a version, and answered about it.
void add_version_routes(Installation& installation, std::vector<Route>& routes) {
  struct Verb {
    Method method;
    const char* path;
    const char* operation;
    const char* summary;
    Action action;
    const char* request;
    const char* response;
    Result<Response> (*run)(Installation&, Call&);
  };
  static constexpr const char* kNothing = R"({"type":"object"})";
  static constexpr const char* kWaiver =
      R"({"type":"object","required":["requirement","reason","days"],"properties":{"requirement":{"type":"string"},
"reason":{"type":"string"},"days":{"type":"integer","minimum":1,"maximum":90}}})";
  static constexpr const char* kEvaluate =
      R"({"type":"object","properties":{"champion":{"type":"integer"}}})";
  const Verb verbs[] = {
      {Method::kPost, "evaluate", "evaluateVersion",
       "Measure a version on the test part, which is a look that counts", Action::kAddEvidence, kEvaluate,
       kNothing, evaluate},
      {Method::kPost, "approve", "approveVersion", "Let the gates decide; sign the version where they pass",
       Action::kApprove, kNothing, kGate, approve},
      {Method::kPost, "waivers", "waiveRequirement", "Forgive a version one requirement, for a time",
       Action::kWaive, kWaiver, kNothing, waive},
      {Method::kGet, "evidence", "readEvidence", "Signed statements about a version", Action::kReadModel, "",
       kNothing, evidence},
      {Method::kGet, "content", "readContent", "The bytes of a version, as they were registered",
       Action::kReadModel, "", "application/octet-stream", content},
      {Method::kGet, "signature", "readSignature", "The OpenSSF Model Signing bundle of a version",
       Action::kReadModel, "", kNothing, signature},
  };
  for (const auto& verb : verbs) {
    routes.push_back(
        {.method = verb.method,
         .path = fmt::format("/v1/models/{{model}}/versions/{{version}}/{}", verb.path),
         .operation = verb.operation,
         .summary = verb.summary,
         .action = verb.action,
         .resource = on_version(installation),
         .request = verb.request,
         .response = verb.response,
         .handler = [&installation, run = verb.run](Call& call) { return run(installation, call); }});
  }
  routes.push_back({.method = Method::kGet,
                    .path = "/v1/models/{model}/versions/{version}/gate",
                    .operation = "readGate",
                    .summary = "What the gates say of a version now",
                    .action = Action::kReadModel,
                    .resource = on_version(installation),
                    .response = kGate,
                    .handler = [&installation](Call& call) -> Result<Response> {
                      HF_TRY(const auto version,
                             version_of(installation, call.caller().workspace(), call.parameters));
                      HF_TRY(const auto decision, installation.gates().decide(call.caller(), version));
                      return json_response(decision.json().dump());
                    }});
  routes.push_back({.method = Method::kGet,
                    .path = "/v1/models/{model}/versions/{version}",
                    .operation = "readVersion",
                    .summary = "One version of a model",
                    .action = Action::kReadModel,
                    .resource = on_version(installation),
                    .response = kVersion,
                    .handler = [&installation](Call& call) -> Result<Response> {
                      HF_TRY(const auto version,
                             version_of(installation, call.caller().workspace(), call.parameters));
                      return json_response(version.json().dump());
                    }});
}

void add_requirement_routes(Installation& installation, std::vector<Route>& routes) {
  routes.push_back(
      {.method = Method::kPut,
       .path = "/v1/models/{model}/requirements",
       .operation = "writeRequirements",
       .summary = "Say what a model must show before it is approved",
       .action = Action::kWritePolicy,
       .resource = on_named(ResourceType::kModel, "model"),
       .request = R"({"type":"object","required":["dataset","task","policies"],"properties":{
"dataset":{"type":"string"},"task":{"type":"string"},"policies":{"type":"string"}}})",
       .response = R"({"type":"object"})",
       .max_body_bytes = BodyReader::kDefaultMaxBytes,
       .handler = [&installation](Call& call) { return write_requirements(installation, call); }});
  routes.push_back({.method = Method::kGet,
                    .path = "/v1/models/{model}/requirements",
                    .operation = "readRequirements",
                    .summary = "What a model must show",
                    .action = Action::kReadModel,
                    .resource = on_named(ResourceType::kModel, "model"),
                    .response = R"({"type":"object"})",
                    .handler = [&installation](Call& call) -> Result<Response> {
                      HF_TRY(const auto found, registry::RequirementsRoom(installation.parts())
                                                   .find(call.caller().workspace(), call.parameter("model")));
                      return json_response(found.json().dump());
                    }});
}

}  // namespace

std::vector<Route> model_routes(const Api& api) {
  Installation& installation = api.installation;
  std::vector<Route> routes;
  routes.push_back({.method = Method::kGet,
                    .path = "/v1/models",
                    .operation = "listVersions",
                    .summary = "Versions of models, newest first",
                    .action = Action::kReadModel,
                    .resource = on_workspace(),
                    .query = {"model"},
                    .response = R"({"type":"object","properties":{"versions":{"type":"array"}}})",
                    .handler = [&installation](Call& call) -> Result<Response> {
                      HF_TRY(const auto versions, installation.models().list(call.caller().workspace(),
                                                                             call.query("model"), kPageSize));
                      json list = json::array();
                      for (const auto& version : versions) list.push_back(version.json());
                      return json_response(json{{"versions", std::move(list)}}.dump());
                    }});
  routes.push_back({.method = Method::kPost,
                    .path = "/v1/models/{model}/versions",
                    .operation = "registerModel",
                    .summary = "Inspect a model in a jailed worker, and keep it in quarantine or refuse it",
                    .action = Action::kRegisterModel,
                    .resource = on_named(ResourceType::kModel, "model"),
                    .query = {"file", "as_is"},
                    .request = "application/octet-stream",
                    .response = kVersion,
                    .max_body_bytes = kMaxModelBytes,
                    .handler = [&installation](Call& call) { return admit(installation, call); }});
  routes.push_back(
      {.method = Method::kPost,
       .path = "/v1/models/{model}/train",
       .operation = "trainModel",
       .summary = "Ask for a training in a jailed lab; its run says how far it is and what was registered",
       .action = Action::kTrainModel,
       .resource = on_named(ResourceType::kModel, "model"),
       .request = R"({"type":"object","properties":{"group":{"type":"string"},"attack":{"type":"string"},
"adversarial_share":{"type":"string"},"epochs":{"type":"integer"},"seed":{"type":"integer"}}})",
       .response = R"({"type":"object"})",
       .handler = [&installation](Call& call) { return train(installation, call); }});
  add_requirement_routes(installation, routes);
  add_version_routes(installation, routes);
  add_signature_routes(installation, routes, on_version(installation));
  return routes;
}

}  // namespace holdfast::server
