#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/mutex.h"
#include "gateway/gateway.h"
#include "monitor/drift.h"
#include "monitor/estimate.h"
#include "monitor/reference.h"
#include "monitor/window.h"
#include "server/installation.h"

namespace holdfast::server {

// What the last whole window of an endpoint showed.
struct WatchReport {
  std::string endpoint;
  std::int64_t version = 0;
  base::Timestamp at;
  monitor::DriftReport drift;
  std::optional<monitor::PerformanceEstimate> estimate;

  [[nodiscard]] nlohmann::json json() const;
};

struct WatchOptions {
  std::uint64_t window_rows = 500;
  std::size_t max_waiting = 64;     // windows not yet measured; beyond it the oldest is dropped, and said so
  double most_of_processor = 0.02;  // of one, that measuring takes while requests keep coming; over 0
};

// Watches the traffic of every endpoint in windows of so many rows, against what its model was released for.
// Rows are counted in the thread of the request; windows are measured by a thread of its own, which raises
// alerts and resolves them. Measuring takes no more than a share of one processor: under traffic that fills
// windows faster, those that wait are measured together. Thread-safe.
class Watch final : public gateway::PredictionSink {
 public:
  Watch(Installation& installation, const WatchOptions& options);
  ~Watch() override;

  // From now on predictions of the endpoint are held against this; the window begins anew.
  void begin(const std::string& endpoint, std::int64_t version,
             std::shared_ptr<const monitor::Reference> reference);

  // The endpoint serves nothing any more: nothing is held against anything, and its last window is forgotten.
  void end(const std::string& endpoint);

  base::Result<> on_prediction(const gateway::PredictionRecord& record) override;
  base::Result<> on_refusal(const gateway::RefusalRecord& record) override;

  [[nodiscard]] std::optional<WatchReport> last(const std::string& endpoint) const;
  // Rows in the window that is not whole yet.
  [[nodiscard]] std::uint64_t waiting_rows(const std::string& endpoint) const;
  // Waits until every whole window has been measured, each by itself and without a rest.
  void settle();

 private:
  struct Watched {
    std::int64_t version = 0;
    std::shared_ptr<const monitor::Reference> reference;
    std::unique_ptr<monitor::Window> window;
  };
  struct Whole {
    std::string endpoint;
    std::int64_t version = 0;
    monitor::Window window;
  };
  void work();
  std::optional<Whole> next();
  Whole take_next() HF_REQUIRES(mutex_);
  base::Result<> measure(const Whole& whole);
  base::Result<> tell(const WatchReport& report);

  Installation* installation_;
  WatchOptions options_;
  mutable base::Mutex mutex_;
  base::ConditionVariable changed_;
  std::map<std::string, Watched> watched_ HF_GUARDED_BY(mutex_);
  std::map<std::string, WatchReport> last_ HF_GUARDED_BY(mutex_);
  std::deque<Whole> whole_ HF_GUARDED_BY(mutex_);
  bool busy_ HF_GUARDED_BY(mutex_) = false;
  std::size_t settling_ HF_GUARDED_BY(mutex_) = 0;  // who waits in settle()
  std::chrono::steady_clock::time_point rested_ HF_GUARDED_BY(mutex_){};
  bool stopping_ HF_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace holdfast::server
