#include "server/upkeep.h"

#include "base/log.h"

namespace holdfast::server {

using base::MutexLock;
using base::Result;

Result<> keep_up(Installation& installation, Deployment& deployment) {
  Result<> all;
  const auto also = [&all](Result<> step) {
    if (all && !step) all = std::move(step);
  };
  const auto refreshed = installation.access().refresh();
  also(refreshed ? Result<>() : Result<>(base::fail(refreshed.error())));
  also(installation.forget_ended());
  also(deployment.record_counts(Deployment::Counts::kEnded));
  return all;
}

Upkeep::Upkeep(Installation& installation, Deployment& deployment, const UpkeepOptions& options)
    : installation_(&installation),
      deployment_(&deployment),
      options_(options),
      thread_([this] { work(); }) {}

Upkeep::~Upkeep() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Upkeep::work() {
  while (wait()) {
    if (const auto kept = keep_up(*installation_, *deployment_); !kept) {
      base::log(base::LogLevel::kError, "upkeep_failed", {{"error", kept.error().message}});
    }
    if (!options_.also) continue;
    if (const auto done = options_.also(); !done) {
      base::log(base::LogLevel::kError, "upkeep_failed", {{"error", done.error().message}});
    }
  }
}

// False when it is to stop.
bool Upkeep::wait() {
  const MutexLock lock(mutex_);
  const auto until = std::chrono::steady_clock::now() + options_.period;
  while (!stopping_) {
    if (changed_.wait_until(mutex_, until) == std::cv_status::timeout) return !stopping_;
  }
  return false;
}

}  // namespace holdfast::server
