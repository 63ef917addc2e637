#include "cli/row_check.h"

#include <nlohmann/json.hpp>

#include "cli/answer.h"
#include "cli/api_client.h"
#include "cli/settings.h"

namespace holdfast::cli {
namespace {

namespace fs = std::filesystem;
using base::Result;

// What is not there must not be made by looking at it.
Result<> check_openable(const base::Config& settings, const fs::path& state) {
  for (const fs::path& file : {state / "holdfast.db", fs::path(settings.text("keys.master_file"))}) {
    std::error_code ignored;
    if (fs::exists(file, ignored)) continue;
    return base::fail(base::ErrorCode::kNotFound, "there is no " + file.string());
  }
  return {};
}

Result<std::string> ask(const Invocation& invocation, const fs::path& state) {
  HF_TRY(auto settings, invocation.settings());
  HF_TRY(auto bearer, bearer_token(invocation.token_file));
  const auto openable = check_openable(settings, state);
  HF_TRY(const auto client,
         ApiClient::connect({.state = state, .settings = std::move(settings), .bearer = std::move(bearer)},
                            invocation.backend));
  if (!client.is_remote()) HF_CHECK(openable);
  HF_TRY(const auto response, client.get("/v1/audit/rows"));
  HF_TRY(const auto answer, accepted(response));
  return field(answer, "/fault");
}

}  // namespace

RowCheck check_rows(const Invocation& invocation, const fs::path& state) {
  auto fault = ask(invocation, state);
  if (fault) return {.fault = *std::move(fault), .not_compared = {}};
  // An installation whose rows are not as its log says does not open.
  if (fault.error().code == base::ErrorCode::kDataCorrupt) return {fault.error().message, {}};
  return {.fault = {}, .not_compared = fault.error().message};
}

}  // namespace holdfast::cli
