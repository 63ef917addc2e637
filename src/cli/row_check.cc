#include "cli/row_check.h"

#include <nlohmann/json.hpp>

#include "cli/answer.h"
#include "cli/api_client.h"
#include "cli/settings.h"

namespace holdfast::cli {
namespace {

namespace fs = std::filesystem;
using base::Result;

Result<std::string> ask(const Invocation& invocation, const fs::path& state) {
  HF_TRY(auto settings, invocation.settings());
  HF_TRY(auto bearer, bearer_token(invocation.token_file));
  HF_TRY(const auto client,
         ApiClient::connect({.state = state, .settings = std::move(settings), .bearer = std::move(bearer)},
                            invocation.backend));
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
