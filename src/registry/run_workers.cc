#include "registry/run_workers.h"

#include <thread>
#include <vector>

#include "base/assert.h"
#include "base/log.h"

namespace holdfast::registry {

namespace {
constexpr int kMaxThreads = 8;
}

class RunWorkers::Pool {
 public:
  Pool(RunQueue& queue, const RunWorkersOptions& options) : queue_(&queue), options_(options) {
    HF_ASSERT(options.threads >= 1 && options.threads <= kMaxThreads);
    HF_ASSERT(options.poll.count() > 0);
    for (int i = 0; i < options.threads; ++i) {
      threads_.emplace_back([this](const std::stop_token& stop) { run(stop); });
    }
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool() {
    {
      // Under the lock: a thread is either before its look at the stop, or waits and hears the notification.
      const base::MutexLock lock(mutex_);
      for (auto& thread : threads_) thread.request_stop();
    }
    condition_.notify_all();
  }

  void wake() {
    {
      const base::MutexLock lock(mutex_);
      ++wakes_;
    }
    condition_.notify_all();
  }

 private:
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const std::int64_t seen = wakes();
      const auto worked = queue_->work(stop);
      if (!worked) base::log(base::LogLevel::kError, "runs_stalled", {{"error", worked.error().message}});
      if (!worked || !*worked) wait(stop, seen);
    }
  }
  std::int64_t wakes() {
    const base::MutexLock lock(mutex_);
    return wakes_;
  }
  // Until woken since `seen`, stopped, or the poll is due.
  void wait(const std::stop_token& stop, std::int64_t seen) {
    const base::MutexLock lock(mutex_);
    const auto until = std::chrono::steady_clock::now() + options_.poll;
    while (wakes_ == seen && !stop.stop_requested()) {
      if (condition_.wait_until(mutex_, until) == std::cv_status::timeout) return;
    }
  }

  RunQueue* queue_;
  const RunWorkersOptions options_;
  base::Mutex mutex_;
  base::ConditionVariable condition_;
  std::int64_t wakes_ HF_GUARDED_BY(mutex_) = 0;
  std::vector<std::jthread> threads_;  // last: they use what stands above
};

RunWorkers::RunWorkers(RunQueue& queue, const RunWorkersOptions& options)
    : pool_(std::make_unique<Pool>(queue, options)) {}
RunWorkers::~RunWorkers() = default;
void RunWorkers::wake() { pool_->wake(); }

}  // namespace holdfast::registry
