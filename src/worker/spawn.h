#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace holdfast::worker {

// A child process, its end of the connection being kChannelDescriptor.
struct Spawned {
  pid_t pid = 0;
  base::UniqueFd pidfd;
  base::UniqueFd socket;  // this end of the connection
  base::UniqueFd errors;  // what it prints to its standard error; non-blocking
};

// Runs `executable` with exactly these arguments and this environment, in a session of its own, with no
// signal blocked or ignored. It inherits four descriptors and no other: nothing to read on 0, 1 thrown away,
// 2 `errors`, and kChannelDescriptor. Safe in a program with many threads: nothing of ours runs between fork
// and exec. Internal.
base::Result<Spawned> spawn(const std::filesystem::path& executable, std::vector<std::string> arguments,
                            std::vector<std::string> environment);

}  // namespace holdfast::worker
