#pragma once

#include <cstdint>
#include <filesystem>

#include "base/result.h"
#include "worker/process.h"

namespace holdfast::intake {

// Starts `executable`, which runs run_inspect_worker() when told to, in its jail. The errors of
// worker::Process::start().
base::Result<worker::Process> start_inspect_process(const std::filesystem::path& executable,
                                                    std::uint64_t memory_bytes,
                                                    worker::JailStrength weakest_jail);

}  // namespace holdfast::intake
