#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/api_client.h"

namespace holdfast::cli {

// The id of the principal that is called so, by name or id. `kind`: "person", "service", "group", or empty
// for any. kNotFound where there is none, kConflict where a name is that of several kinds.
base::Result<std::string> principal_id(const ApiClient& client, std::string_view called,
                                       std::string_view kind = {});

// A request without a body.
base::Result<ApiResponse> send_bare(const ApiClient& client, std::string method, std::string target);

}  // namespace holdfast::cli
