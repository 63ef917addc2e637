#pragma once

#include <optional>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "cli/backend.h"

// What gates decided, for people: every requirement with its sentence.

namespace holdfast::cli {

// The answer where it is an object whose member `verdict` is false: a no of the gates, whatever the status.
std::optional<nlohmann::json> refusal_in(const ApiResponse& response, std::string_view verdict);

// Prints the requirements, the waivers and the looks at the test part; gives kDone or kRefused.
ExitCode show_gate(const nlohmann::json& decision);

// Prints the answer to a request for approval, as it came or by show_gate().
base::Result<ExitCode> print_decision(const ApiResponse& response, bool as_json);

}  // namespace holdfast::cli
