#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "worker/layers.h"

namespace holdfast::worker {

using base::ErrorCode;
using base::fail;
using base::fail_errno;
using base::Result;

namespace {

// Lowers a limit to `wanted`, or leaves it where it is lower already; gives the one in force. `slack`: how
// far the hard limit may lie above.
Result<rlim_t> lower(__rlimit_resource resource, rlim_t wanted, rlim_t slack = 0) {
  rlimit now{};
  if (::getrlimit(resource, &now) != 0) return fail_errno("cannot read a worker's resource limits", errno);
  const rlimit lowered{std::min(wanted, now.rlim_max), std::min(wanted + slack, now.rlim_max)};
  if (::setrlimit(resource, &lowered) != 0) return fail_errno("cannot set a worker's resource limits", errno);
  return lowered.rlim_cur;
}

}  // namespace

Result<JailLimits> limit_resources(JailLimits limits, bool own_users) {
  HF_CHECK(lower(RLIMIT_CORE, 0));
  HF_CHECK(lower(RLIMIT_FSIZE, 0));
  HF_CHECK(lower(RLIMIT_MSGQUEUE, 0));
  HF_CHECK(lower(RLIMIT_MEMLOCK, 0));
  HF_TRY(const rlim_t descriptors, lower(RLIMIT_NOFILE, limits.descriptors));
  limits.descriptors = static_cast<std::uint32_t>(descriptors);
  if (limits.cpu) {
    // SIGXCPU at the limit, which says what happened; SIGKILL a second later to who ignores it.
    HF_TRY(const rlim_t seconds, lower(RLIMIT_CPU, static_cast<rlim_t>(limits.cpu->count()), 1));
    limits.cpu = std::chrono::seconds(seconds);
  }
#ifndef HOLDFAST_SANITIZED
  // Sanitizers reserve terabytes of address space for their shadow, and run threads of their own.
  HF_TRY(limits.memory_bytes, lower(RLIMIT_AS, limits.memory_bytes));
  // Counted for each user and user namespace (getrlimit(2)): elsewhere it would count what others of that
  // user run.
  if (own_users) HF_CHECK(lower(RLIMIT_NPROC, limits.threads));
#else
  static_cast<void>(own_users);
#endif
  return limits;
}

Result<> drop_capabilities() {
  // The bounding set may stay: what it bounds is execve(2), which is not among the allowed calls.
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  if (::syscall(SYS_capset, &header, none.data()) != 0) return fail_errno("cannot drop capabilities", errno);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail_errno("cannot renounce privileges", errno);
  return {};
}

Result<> tie_to_parent(pid_t parent) {
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return fail_errno("cannot forbid dumps", errno);
  // After every change of user, which would undo it (prctl(2), PR_SET_PDEATHSIG).
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
    return fail_errno("cannot tie a worker to its parent", errno);
  }
  if (::getppid() != parent) {
    return fail(ErrorCode::kUnavailable, "the process that started this worker has ended");
  }
  return {};
}

}  // namespace holdfast::worker
