#include "server/signature_routes.h"

#include <nlohmann/json.hpp>

#include "audit/tlog_proof.h"
#include "data/json_fields.h"
#include "registry/signature_log.h"
#include "server/api.h"
#include "server/request_body.h"

namespace holdfast::server {

using base::Result;
using data::JsonFields;
using nlohmann::json;

namespace {

constexpr const char* kProof =
    R"({"type":"object","properties":{"proof":{"type":"string"},"log_key":{"type":"string"}}})";
constexpr const char* kSignature =
    R"({"type":"object","required":["bundle","signer","root"],"properties":{"bundle":{"type":"string"},
"signer":{"type":"string"},"root":{"type":"string"},"version":{"type":"string"}}})";

Result<Response> proof_response(const Installation& installation, const audit::TlogProof& proof, int status) {
  const json answer{{"proof", audit::write_tlog_proof(proof)},
                    {"log_key", installation.parts().log.verifier().text()}};
  return json_response(answer.dump(), status);
}

Result<base::Digest> digest(JsonFields& fields, const char* name) {
  HF_TRY(const std::string text, fields.text(name));
  auto parsed = base::Digest::from_hex(text);
  if (!parsed) return base::fail(std::move(parsed).error().within(name));
  return *parsed;
}

Result<Response> log_signature(Installation& installation, Call& call) {
  HF_TRY(const json body, read_json_body(call));
  HF_TRY(auto fields, JsonFields::of(body, "the body"));
  registry::OutsideSignature signature;
  HF_TRY(signature.bundle, digest(fields, "bundle"));
  HF_TRY(signature.signer, digest(fields, "signer"));
  HF_TRY(signature.root, digest(fields, "root"));
  if (fields.has("version")) {
    HF_TRY(signature.version, fields.text("version"));
  }
  HF_CHECK(fields.end());
  HF_TRY(const auto proof, registry::log_signature(installation.parts(), call.allowed(), signature));
  return proof_response(installation, proof, 201);
}

}  // namespace

void add_signature_routes(Installation& installation, std::vector<Route>& routes,
                          const ResourceOf& on_version) {
  routes.push_back({.method = Method::kPost,
                    .path = "/v1/models/{model}/signatures",
                    .operation = "logSignature",
                    .summary = "Record a signature made elsewhere, and prove that the log has it",
                    .action = access::Action::kAddEvidence,
                    .resource = on_named(access::ResourceType::kModel, "model"),
                    .request = kSignature,
                    .response = kProof,
                    .handler = [&installation](Call& call) { return log_signature(installation, call); }});
  routes.push_back({.method = Method::kGet,
                    .path = "/v1/models/{model}/versions/{version}/proof",
                    .operation = "readSignatureProof",
                    .summary = "That the log has the record of a version's approval and signature",
                    .action = access::Action::kReadModel,
                    .resource = on_version,
                    .response = kProof,
                    .handler = [&installation](Call& call) -> Result<Response> {
                      const auto& number = call.parameter("version");
                      HF_TRY(const auto version,
                             installation.models().find(call.caller().workspace(), call.parameter("model"),
                                                        std::stol(number)));
                      HF_TRY(const auto proof, installation.models().signature_proof(version));
                      return proof_response(installation, proof, 200);
                    }});
}

}  // namespace holdfast::server
