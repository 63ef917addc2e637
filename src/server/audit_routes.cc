#include <fmt/format.h>

#include <charconv>

#include <nlohmann/json.hpp>

#include "server/api.h"

namespace holdfast::server {

using access::Action;
using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;

namespace {

Result<std::uint64_t> number_in_query(const Call& call, std::string_view name, std::uint64_t otherwise) {
  const std::string text = call.query(name);
  if (text.empty()) return otherwise;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  return fail(ErrorCode::kInvalidArgument, fmt::format("{} is a whole number", name));
}

json record_json(const audit::StoredRecord& stored) {
  json value{{"index", stored.receipt.index}, {"leaf", stored.receipt.leaf.hex()}};
  if (stored.body != audit::BodyState::kOpen) {
    value["body"] = "destroyed";
    return value;
  }
  value["at"] = stored.time.text();
  value["actor"] = stored.record.actor;
  value["action"] = stored.record.action;
  value["resource"] = stored.record.resource;
  value["decision"] = stored.record.decision;
  if (!stored.record.details.empty()) {
    value["details"] = json::parse(stored.record.details, nullptr, /*allow_exceptions=*/false);
  }
  return value;
}

Result<Response> records(const Installation& installation, Call& call) {
  HF_TRY(const auto from, number_in_query(call, "from", 0));
  HF_TRY(const auto limit, number_in_query(call, "limit", 100));
  if (limit < 1 || limit > audit::Log::kMaxRead) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("limit lies between 1 and {}", audit::Log::kMaxRead));
  }
  HF_TRY(const auto found, installation.log().read(from, limit));
  json all = json::array();
  for (const auto& stored : found) {
    if (stored.body == audit::BodyState::kOpen && stored.record.workspace != call.caller().workspace())
      continue;
    all.push_back(record_json(stored));
  }
  json answer{{"records", std::move(all)}, {"size", installation.log().size()}};
  if (!found.empty()) answer["next"] = found.back().receipt.index + 1;
  return json_response(answer.dump());
}

// What it says of the rows is the answer, not an error of the request.
Result<Response> rows(const Installation& installation) {
  const auto checked = installation.check_rows();
  if (!checked && checked.error().code != ErrorCode::kDataCorrupt) return fail(checked.error());
  return json_response(
      json{{"hold", checked.has_value()}, {"fault", checked ? json() : json(checked.error().message)}}
          .dump());
}

}  // namespace

std::vector<Route> audit_routes(const Api& api) {
  Installation& installation = api.installation;
  std::vector<Route> routes;
  routes.push_back({.method = Method::kGet,
                    .path = "/v1/audit/records",
                    .operation = "readAudit",
                    .summary = "Records of the log, oldest first",
                    .action = Action::kReadAudit,
                    .resource = on_workspace(),
                    .query = {"from", "limit"},
                    .response = R"({"type":"object"})",
                    .handler = [&installation](Call& call) { return records(installation, call); }});
  routes.push_back(
      {.method = Method::kGet,
       .path = "/v1/audit/rows",
       .operation = "checkRows",
       .summary = "Whether the rows of the database are as the log says; else the first that is not",
       .action = Action::kReadAudit,
       .resource = on_workspace(),
       .response = R"({"type":"object","properties":{"hold":{"type":"boolean"},)"
                   R"("fault":{"type":["string","null"]}}})",
       .handler = [&installation](Call& /*call*/) { return rows(installation); }});
  return routes;
}

}  // namespace holdfast::server
