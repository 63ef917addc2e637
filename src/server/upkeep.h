#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <thread>

#include "base/mutex.h"
#include "server/deployment.h"
#include "server/installation.h"

namespace holdfast::server {

// What is done from time to time while an installation serves, each time a bounded piece of it: takes over
// what others changed in the identities, drops what has ended (tokens, assertions, delivered messages), and
// records what was only counted (connections, refusals). Every step is tried, whatever came of the others;
// gives the first error.
base::Result<> keep_up(Installation& installation, Deployment& deployment);

struct UpkeepOptions {
  std::chrono::milliseconds period{10'000};
  std::function<base::Result<>()> also = {};  // one step more
};

// Keeps up in a thread of its own. What fails is logged, and tried again the next time.
class Upkeep {
 public:
  Upkeep(Installation& installation, Deployment& deployment, const UpkeepOptions& options = {});
  Upkeep(const Upkeep&) = delete;
  Upkeep& operator=(const Upkeep&) = delete;
  ~Upkeep();

 private:
  void work();
  bool wait();

  Installation* installation_;
  Deployment* deployment_;
  UpkeepOptions options_;
  base::Mutex mutex_;
  base::ConditionVariable changed_;
  bool stopping_ HF_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace holdfast::server
