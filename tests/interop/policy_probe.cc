// Reads one JSON object a line, {"policies" or "policies_json", "schema", "entities", "request"}, and answers
// each with a line: the decision, its reasons and the policies that failed, or why the input is refused; with
// a schema, the ids of the policies that don't validate too. For tests/interop/cedar_differential.py.

#include <iostream>
#include <optional>
#include <set>
#include <string>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "policy/authorizer.h"
#include "policy/entity_json.h"
#include "policy/parser.h"
#include "policy/schema.h"
#include "policy/validator.h"

namespace {

using holdfast::base::Result;
using nlohmann::json;
namespace policy = holdfast::policy;

Result<json> answer(const std::string& line) {
  HF_TRY(const json asked, holdfast::base::parse_json(line));
  HF_TRY(policy::PolicySet policies,
         asked.contains("policies") ? policy::parse_policies(asked["policies"].get<std::string>())
                                    : policy::parse_policies_json(asked["policies_json"].get<std::string>()));
  json reply = json::object();
  std::optional<policy::Schema> schema;
  if (asked.contains("schema")) {
    HF_TRY(schema, policy::Schema::parse(asked["schema"].get<std::string>()));
    std::set<std::string> invalid;
    for (const auto& issue : policy::validate_policies(policies, *schema).errors)
      invalid.insert(issue.policy);
    reply["invalid"] = invalid;
  }
  if (!asked.contains("request")) return reply;
  HF_TRY(const policy::Entities entities,
         policy::parse_entities(asked["entities"].dump(), schema ? &*schema : nullptr));
  HF_TRY(const policy::Request request,
         policy::parse_request(asked["request"].dump(), schema ? &*schema : nullptr));
  std::string text;
  for (const policy::Policy& each : policies.policies()) text += each.text();
  reply["text"] = text;
  const policy::Authorizer authorizer(std::move(policies));
  const policy::Decision decision = authorizer.decide(request, entities);
  std::set<std::string> errors;
  for (const auto& error : decision.errors) errors.insert(error.policy);
  reply["decision"] = decision.verdict == policy::Verdict::kAllow ? "Allow" : "Deny";
  reply["reasons"] = std::set(decision.determining.begin(), decision.determining.end());
  reply["errors"] = errors;
  return reply;
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    const auto reply = answer(line);
    std::cout << (reply ? *reply : json{{"refused", reply.error().message}}).dump() << std::endl;
  }
  return 0;
}
