#include "cli/principals.h"

#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "cli/answer.h"

namespace holdfast::cli {
namespace {

constexpr std::size_t kIdDigits = 32;  // of the ids that access/ makes

bool is_id(std::string_view text) {
  return text.size() == kIdDigits &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

base::Result<std::string> principal_id(const ApiClient& client, std::string_view called,
                                       std::string_view kind) {
  // Who signs in with an id may not have the right to list anybody.
  if (is_id(called)) return std::string(called);
  HF_TRY(const auto response, client.get("/v1/principals"));
  HF_TRY(const auto answer, accepted(response));
  std::string id;
  for (const auto& principal : items(answer, "principals")) {
    if (!kind.empty() && field(principal, "/kind") != kind) continue;
    if (field(principal, "/id") == called) return std::string(called);
    if (field(principal, "/name") != called) continue;
    if (!id.empty()) {
      return base::fail(base::ErrorCode::kConflict,
                        fmt::format("{} is the name of more than one principal: give the id, which holdfast "
                                    "group list --json shows",
                                    called));
    }
    id = field(principal, "/id");
  }
  if (!id.empty()) return id;
  return base::fail(base::ErrorCode::kNotFound,
                    fmt::format("there is no {} {}", kind.empty() ? "principal" : kind, called));
}

base::Result<ApiResponse> send_bare(const ApiClient& client, std::string method, std::string target) {
  return client.send({.method = std::move(method),
                      .target = std::move(target),
                      .content_type = {},
                      .body = {},
                      .bearer = {}});
}

}  // namespace holdfast::cli
