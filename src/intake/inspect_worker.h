#pragma once

#include <string_view>

namespace holdfast::intake {

// The one argument by which the program is told to be the inspect worker.
inline constexpr std::string_view kInspectWorkerArgument = "--inspect-worker";

// The worker's main: enters the jail, then looks into the files whose descriptors it is sent until the parent
// wants no more. Gives the exit status.
int run_inspect_worker();

}  // namespace holdfast::intake
