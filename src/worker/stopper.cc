#include "worker/stopper.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace holdfast::worker {

base::Result<Stopper> Stopper::of(pid_t process) {
  base::UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
  if (!pidfd.valid()) return base::fail_errno("cannot hold on to a worker", errno);
  return Stopper(std::move(pidfd));
}

void Stopper::stop() const {
  // It can fail only because the process is gone, which is what was wanted.
  static_cast<void>(::syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0));
}

}  // namespace holdfast::worker
