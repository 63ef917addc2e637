#pragma once

#include "base/file.h"
#include "base/result.h"
#include "worker/process.h"

namespace holdfast::worker {

// Ends a process from another thread than the one that speaks with it, which then sees that it was killed.
// Of a process that has ended it does nothing, whoever has its number by then.
class Stopper {
 public:
  // While the process object lives, since an unreaped process keeps its number.
  static base::Result<Stopper> of(pid_t process);
  // Thread-safe.
  void stop() const;

 private:
  explicit Stopper(base::UniqueFd pidfd) : pidfd_(std::move(pidfd)) {}
  base::UniqueFd pidfd_;
};

}  // namespace holdfast::worker
