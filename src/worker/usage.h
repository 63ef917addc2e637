#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>

#include "base/result.h"

namespace holdfast::worker {

// What a running process has taken so far.
struct Usage {
  std::chrono::milliseconds processor{0};  // of all its threads, in user and in system mode
  std::uint64_t resident_bytes = 0;        // of memory, at this moment
};

// Of a process that this one started, from /proc/PID/stat (proc(5)). kNotFound where there is no such
// process, or where it is no child of this one: then the id has gone to somebody else.
base::Result<Usage> usage_of(pid_t child);

}  // namespace holdfast::worker
