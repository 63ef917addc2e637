#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <initializer_list>
#include <memory>

#include "worker/layers.h"

namespace holdfast::worker {

using base::fail_errno;
using base::Result;

namespace {

// What a program needs that computes on memory and talks over the descriptors it holds.
constexpr auto kAllowed = std::to_array<int>({
    // descriptors
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(pread64),
    SCMP_SYS(preadv),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(lseek),
    SCMP_SYS(close),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendmsg),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    // glibc 2.36 asks for a descriptor's status through newfstatat(2), whose path a filter can't read:
    // without
    // an empty root, a worker can learn that a file is there, and its size, but not what it holds.
    SCMP_SYS(fstat),
    SCMP_SYS(newfstatat),
    // memory
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    // time, chance and itself
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(getrandom),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sysinfo),
    // signals within the process, locks, and the end
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(futex),
    SCMP_SYS(sched_yield),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
});

// What libraries try in passing and do without: locales, time zones, the number of processors, a terminal's
// width.
constexpr auto kRefused = std::to_array<int>({
    SCMP_SYS(open),
    SCMP_SYS(openat),
    SCMP_SYS(access),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(stat),
    SCMP_SYS(lstat),
    SCMP_SYS(statx),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(getcwd),
    SCMP_SYS(uname),
    SCMP_SYS(ioctl),
    SCMP_SYS(prctl),
    SCMP_SYS(sched_setaffinity),
});

// A thread, as glibc starts one: it shares what threads share, and enters no namespace.
constexpr scmp_datum_t kThreadFlags = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;
constexpr scmp_datum_t kNamespaceFlags =
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

class Filter {
 public:
  Filter() : context_(::seccomp_init(SCMP_ACT_KILL_PROCESS)) {
    if (!context_) error_ = ENOMEM;
    keep(context_ ? ::seccomp_attr_set(context_.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) : 0);
    // A binary tree over the calls rather than a list (seccomp_attr_set(3)).
    keep(context_ ? ::seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2) : 0);
  }

  void allow(int call, std::initializer_list<scmp_arg_cmp> arguments = {}) {
    rule(SCMP_ACT_ALLOW, call, arguments);
  }
  void refuse(int call, std::uint16_t error) { rule(SCMP_ACT_ERRNO(error), call, {}); }

  Result<> load() {
    if (error_ == 0) keep(::seccomp_load(context_.get()));
    if (error_ != 0) return fail_errno("cannot set the list of allowed system calls", error_);
    return {};
  }

 private:
  void rule(std::uint32_t action, int call, std::initializer_list<scmp_arg_cmp> arguments) {
    if (error_ != 0) return;
    keep(::seccomp_rule_add_array(context_.get(), action, call, static_cast<unsigned>(arguments.size()),
                                  arguments.begin()));
  }
  // The first error stays (libseccomp gives a negative errno).
  void keep(int result) {
    if (error_ == 0 && result < 0) error_ = -result;
  }

  struct Release {
    void operator()(void* context) const { ::seccomp_release(context); }
  };
  std::unique_ptr<void, Release> context_;
  int error_ = 0;
};

void allow_memory(Filter& filter, bool executable) {
  for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)}) {
    if (executable) {
      filter.allow(call);
    } else {
      filter.allow(call, {{2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}});
    }
  }
}

void allow_threads(Filter& filter) {
  filter.refuse(SCMP_SYS(clone3), ENOSYS);  // a filter can't read its flags; glibc falls back to clone(2)
  filter.allow(SCMP_SYS(clone), {{0, SCMP_CMP_MASKED_EQ, kThreadFlags | kNamespaceFlags, kThreadFlags}});
  for (const int call : {SCMP_SYS(set_robust_list), SCMP_SYS(rseq)}) filter.allow(call);
}

}  // namespace

Result<> filter_calls(const JailOptions& options) {
  Filter filter;
  for (const int call : kAllowed) filter.allow(call);
  for (const int call : kRefused) filter.refuse(call, EPERM);
  allow_memory(filter, options.executable_memory);
  if (options.limits.threads > 1) allow_threads(filter);
  filter.allow(SCMP_SYS(tgkill), {{0, SCMP_CMP_EQ, static_cast<scmp_datum_t>(::getpid()), 0}});  // abort(3)
  for (const int command : {F_GETFD, F_GETFL, F_DUPFD_CLOEXEC}) {
    filter.allow(SCMP_SYS(fcntl), {{1, SCMP_CMP_EQ, static_cast<scmp_datum_t>(command), 0}});
  }
  // Reading one's own limits, as pthread_attr_init does; setting none.
  filter.allow(SCMP_SYS(prlimit64), {{0, SCMP_CMP_EQ, 0, 0}, {2, SCMP_CMP_EQ, 0, 0}});
#ifdef HOLDFAST_SANITIZED
  // UndefinedBehaviorSanitizer finds out through a pipe whether it can read an object's address.
  for (const int call : {SCMP_SYS(pipe), SCMP_SYS(pipe2)}) filter.allow(call);
#endif
  return filter.load();
}

}  // namespace holdfast::worker
