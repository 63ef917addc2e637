#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "cli/api_client.h"

// Runs that a server works on, seen from the command line.

namespace holdfast::cli {

// The run once it has ended, however; says how far it is meanwhile. An error is one of asking: the run goes
// on, and the message says how to come back to it.
base::Result<nlohmann::json> wait_for_run(const ApiClient& client, const std::string& id,
                                          std::string_view doing);

// Of a run that has ended: the error that it ended with, unless it is done.
base::Result<> outcome_of(const nlohmann::json& run);

// "training, epoch 4 of 20 (20 %)"; empty where nothing is known yet.
std::string progress_line(const nlohmann::json& run);

}  // namespace holdfast::cli
