#pragma once

#include <chrono>
#include <memory>

#include "registry/run_queue.h"

namespace holdfast::registry {

struct RunWorkersOptions {
  int threads = 1;  // runs at once, so that they leave processors for what serves; 1 to 8
  std::chrono::milliseconds poll{1'000};  // how often to look for what has come due
};

// Works off a queue in threads of their own, until it is gone: then what is under way is stopped, and is due
// again at the next start.
class RunWorkers {
 public:
  explicit RunWorkers(RunQueue& queue, const RunWorkersOptions& options = {});
  RunWorkers(const RunWorkers&) = delete;
  RunWorkers& operator=(const RunWorkers&) = delete;
  ~RunWorkers();

  // Looks now: call it when something was asked for.
  void wake();

 private:
  class Pool;
  std::unique_ptr<Pool> pool_;
};

}  // namespace holdfast::registry
