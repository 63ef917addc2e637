#include "intake/inspect_process.h"

#include "intake/inspect_worker.h"

namespace holdfast::intake {

base::Result<worker::Process> start_inspect_process(const std::filesystem::path& executable,
                                                    std::uint64_t memory_bytes,
                                                    worker::JailStrength weakest_jail) {
  return worker::Process::start(
      {.executable = executable,
       .argv = {"holdfast", std::string(kInspectWorkerArgument)},
       .jail = {.limits = {.memory_bytes = memory_bytes, .cpu = std::nullopt}, .weakest = weakest_jail}});
}

}  // namespace holdfast::intake
