#include <fmt/format.h>

#include <charconv>

#include <nlohmann/json.hpp>

#include "server/api.h"
#include "server/request_body.h"

namespace holdfast::server {

using access::Action;
using access::ResourceType;
using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;

namespace {

constexpr std::uint64_t kMaxDatasetBytes = 8ULL << 30;
constexpr std::size_t kPageSize = 500;
constexpr std::int64_t kMaxKeepDays = 36'500;

constexpr const char* kDataset =
    R"({"type":"object","properties":{"name":{"type":"string"},"version":{"type":"integer"},
"digest":{"type":"string"},"rows":{"type":"integer"},"columns":{"type":"array"},"parts":{"type":"object"},
"purpose":{"type":"string"},"keep_until":{"type":"string","format":"date-time"}}})";

Result<base::Timestamp> keep_until(const Call& call, const base::Clock& clock) {
  const std::string text = call.query("keep_days");
  std::int64_t days = 365;
  if (!text.empty()) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), days);
    if (error != std::errc() || end != text.data() + text.size() || days < 1 || days > kMaxKeepDays) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("keep_days is a whole number from 1 to {}", kMaxKeepDays));
    }
  }
  return clock.now() + std::chrono::days(days);
}

Result<Response> add(Installation& installation, Call& call) {
  HF_TRY(const auto until, keep_until(call, installation.parts().clock));
  HF_TRY(const auto csv, spool_body(call, installation.options().state, kMaxDatasetBytes));
  HF_TRY(const auto dataset,
         registry::Datasets(installation.parts())
             .add(call.allowed(),
                  {.name = call.query("name"), .purpose = call.query("purpose"), .keep_until = until}, csv));
  return json_response(dataset.json().dump(), 201);
}

}  // namespace

std::vector<Route> dataset_routes(const Api& api) {
  Installation& installation = api.installation;
  std::vector<Route> routes;
  routes.push_back({.method = Method::kPost,
                    .path = "/v1/datasets",
                    .operation = "registerDataset",
                    .summary = "Register a dataset, sealed, with its schema, profile and parts",
                    .action = Action::kRegisterDataset,
                    .resource = on_workspace(),
                    .query = {"name", "purpose", "keep_days"},
                    .request = "text/csv",
                    .response = kDataset,
                    .max_body_bytes = kMaxDatasetBytes,
                    .handler = [&installation](Call& call) { return add(installation, call); }});
  routes.push_back({.method = Method::kGet,
                    .path = "/v1/datasets",
                    .operation = "listDatasets",
                    .summary = "The newest version of each dataset, by name",
                    .action = Action::kReadDataset,
                    .resource = on_workspace(),
                    .query = {"after"},
                    .response = R"({"type":"object","properties":{"datasets":{"type":"array"}}})",
                    .handler = [&installation](Call& call) -> Result<Response> {
                      HF_TRY(const auto datasets,
                             registry::Datasets(installation.parts())
                                 .list(call.caller().workspace(), call.query("after"), kPageSize));
                      json list = json::array();
                      for (const auto& dataset : datasets) list.push_back(dataset.json());
                      return json_response(json{{"datasets", std::move(list)}}.dump());
                    }});
  routes.push_back({.method = Method::kGet,
                    .path = "/v1/datasets/{dataset}",
                    .operation = "readDataset",
                    .summary = "One dataset, its newest version",
                    .action = Action::kReadDataset,
                    .resource = on_named(ResourceType::kDataset, "dataset"),
                    .response = kDataset,
                    .handler = [&installation](Call& call) -> Result<Response> {
                      HF_TRY(const auto dataset,
                             registry::Datasets(installation.parts())
                                 .find(call.caller().workspace(), call.parameter("dataset")));
                      return json_response(dataset.json().dump());
                    }});
  return routes;
}

}  // namespace holdfast::server
