#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "formats/source.h"
#include "server/http.h"
#include "server/route.h"

namespace holdfast::server {

// The body as a JSON object; an absent one is an empty object. kInvalidArgument.
base::Result<nlohmann::json> read_json_body(Call& call);

// The body as application/x-www-form-urlencoded (URL standard, section 5.1). kInvalidArgument, also for a
// name that stands twice.
base::Result<Parameters> read_form_body(Call& call);

// The body in a file of `folder` that has no name, and is gone with this process whatever happens.
base::Result<formats::FileSource> spool_body(Call& call, const std::filesystem::path& folder,
                                             std::uint64_t max_bytes);

}  // namespace holdfast::server
