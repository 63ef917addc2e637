#include "worker/exit.h"

#include <fmt/format.h>

#include <csignal>
#include <cstring>

namespace holdfast::worker {

using base::ErrorCode;

Exit exit_of(int code, int status, bool stopped) {
  if (code == CLD_EXITED) {
    return {status == kExitOutOfMemory ? ExitCause::kOutOfMemory : ExitCause::kFinished, status};
  }
  switch (status) {
    case SIGKILL:
      return {stopped ? ExitCause::kStopped : ExitCause::kKilled, status};
    case SIGXCPU:
      return {ExitCause::kCpuLimit, status};
    case SIGXFSZ:  // it may grow no file
    case SIGSYS:
      return {ExitCause::kForbiddenCall, status};
    case SIGSEGV:
    case SIGBUS:
    case SIGILL:
    case SIGFPE:
    case SIGTRAP:
    case SIGABRT:
      return {ExitCause::kCrashed, status};
    default:
      return {ExitCause::kKilled, status};
  }
}

std::string Exit::sentence() const {
  switch (cause) {
    case ExitCause::kFinished:
      return fmt::format("ended by itself with status {}", number);
    case ExitCause::kOutOfMemory:
      return "needed more memory than it may have";
    case ExitCause::kCpuLimit:
      return "needed more processor time than it may have";
    case ExitCause::kForbiddenCall:
      return number == SIGXFSZ
                 ? "tried to write to a file, which its jail forbids, and was ended"
                 : "made a system call that its jail forbids, and was ended; the kernel's log names "
                   "the call";
    case ExitCause::kCrashed:
      return number == SIGABRT ? "gave up (abort: an assertion, an uncaught exception, or no memory)"
                               : fmt::format("crashed ({})", ::strsignal(number));
    case ExitCause::kStopped:
      return "was stopped";
    case ExitCause::kKilled:
      return number == SIGKILL
                 ? "was killed: by the system for want of memory, at its limit of processor time, or by hand"
                 : fmt::format("was ended by a signal ({})", ::strsignal(number));
    case ExitCause::kUnknown:
      return "ended, and the system did not keep how";
  }
  return "ended";
}

ErrorCode Exit::error_code() const {
  switch (cause) {
    case ExitCause::kOutOfMemory:
    case ExitCause::kCpuLimit:
      return ErrorCode::kLimitExceeded;
    case ExitCause::kForbiddenCall:
      return ErrorCode::kPermissionDenied;
    default:
      return ErrorCode::kUnavailable;
  }
}

}  // namespace holdfast::worker
