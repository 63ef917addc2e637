#pragma once

#include <string>

#include "base/result.h"

namespace holdfast::worker {

// A worker's own status when it could not get memory (operator new). A worker gives it to nothing else.
inline constexpr int kExitOutOfMemory = 121;

enum class ExitCause {
  kFinished,       // ended by itself; `number` is its status
  kOutOfMemory,    // reached its limit of memory
  kCpuLimit,       // reached its limit of processor time
  kForbiddenCall,  // made a system call that its jail does not allow
  kCrashed,        // a fault or abort(3); `number` is the signal
  kStopped,        // by the process that started it: a deadline, a broken frame, or no more need
  kKilled,         // by a signal from elsewhere; `number` says which
  kUnknown,        // the system kept no status, since this program was started with SIGCHLD ignored
};

// How a worker ended.
struct Exit {
  ExitCause cause = ExitCause::kUnknown;
  int number = 0;

  // What it did, to go after "the worker": "crashed (segmentation fault)".
  [[nodiscard]] std::string sentence() const;
  // kLimitExceeded for a limit, kPermissionDenied for a forbidden call, kUnavailable for the others.
  [[nodiscard]] base::ErrorCode error_code() const;

  friend bool operator==(const Exit&, const Exit&) = default;
};

// From waitid(2)'s si_code and si_status; `stopped` when this program has killed it.
Exit exit_of(int code, int status, bool stopped);

}  // namespace holdfast::worker
