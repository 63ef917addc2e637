#include "alerts/delivery.h"

#include <fmt/format.h>

#include <thread>
#include <vector>

#include "alerts/webhooks.h"
#include "base/assert.h"
#include "base/log.h"
#include "base/mutex.h"

namespace holdfast::alerts {
namespace {

using base::ErrorCode;
using base::Result;

// A lease outlasts its post by this much, for the report: else another deliverer would send the message
// again.
constexpr std::chrono::seconds kReportTime{30};
constexpr std::size_t kMaxAnswerBytes = 64UL << 10;  // of a receiver; its text is not used
constexpr int kMaxThreads = 8;

Result<std::string> webhook_name(const store::Delivery& message) {
  const std::string prefix = webhook_destination("");
  if (message.destination.starts_with(prefix)) return message.destination.substr(prefix.size());
  return base::fail(ErrorCode::kUnsupported, fmt::format("{} is no webhook", message.destination));
}

net::Request to_request(const OpenWebhook& open, const store::Delivery& message, const Delivery::Parts& parts,
                        const DeliveryOptions& options) {
  constexpr std::int64_t kMicrosecondsInSecond = 1'000'000;
  const std::string timestamp = std::to_string(parts.clock->now().microseconds() / kMicrosecondsInSecond);
  return {.method = "POST",
          .target = open.webhook.url,
          .headers = {{"Content-Type", "application/json"},
                      {"X-Holdfast-Event", message.kind},
                      {"X-Holdfast-Delivery",
                       fmt::format("{}/{}", message.workspace.value(), message.id.value())},
                      {"X-Holdfast-Timestamp", timestamp},
                      {"X-Holdfast-Signature-256", sign_message(open.secret, timestamp, message.body)}},
          .body = std::string(base::as_text(message.body)),
          .deadline = options.deadline,
          .max_body_bytes = kMaxAnswerBytes};
}

Result<> check_status(const net::Response& response) {
  if (response.ok()) return {};
  const bool redirects = response.status >= 300 && response.status < 400;
  return base::fail(ErrorCode::kUnavailable,
                    fmt::format("the receiver answered {}{}", response.status,
                                redirects ? "; redirects are not followed, so name the final address" : ""));
}

Result<> post(const Delivery::Parts& parts, const DeliveryOptions& options, const store::Delivery& message,
              const std::stop_token& stop) {
  HF_TRY(const std::string name, webhook_name(message));
  // The snapshot is over before the post begins.
  HF_TRY(const auto open, [&]() -> Result<OpenWebhook> {
    HF_TRY(const auto snapshot, parts.database->snapshot());
    return open_webhook(snapshot, message.workspace, name, *parts.key);
  }());
  net::Request request = to_request(open, message, parts, options);
  request.stop = stop;
  HF_TRY(const auto response, parts.client->send(request));
  return check_status(response);
}

Result<std::optional<store::Delivery>> lease(const Delivery::Parts& parts, const DeliveryOptions& options) {
  HF_TRY(auto transaction, parts.database->begin());
  HF_TRY(auto message, parts.outbox->lease(transaction, options.deadline + kReportTime));
  HF_CHECK(transaction.commit());
  return message;
}

Result<> report(const Delivery::Parts& parts, const store::Delivery& message, const Result<>& posted) {
  HF_TRY(auto transaction, parts.database->begin());
  if (posted) {
    HF_CHECK(parts.outbox->delivered(transaction, message));
  } else {
    HF_TRY(const auto state, parts.outbox->failed(transaction, message, posted.error().message));
    const bool over = state == store::MessageState::kGivenUp;
    base::log(over ? base::LogLevel::kError : base::LogLevel::kWarning,
              over ? "delivery_given_up" : "delivery_failed",
              {{"workspace", message.workspace.value()},
               {"destination", message.destination},
               {"message", std::to_string(message.id.value())},
               {"attempt", std::to_string(message.attempt)},
               {"error", posted.error().message}});
  }
  return transaction.commit();
}

}  // namespace

Result<bool> deliver_next(const Delivery::Parts& parts, const DeliveryOptions& options,
                          const std::stop_token& stop) {
  HF_TRY(const auto message, lease(parts, options));
  if (!message) return false;
  const auto posted = post(parts, options, *message, stop);
  const auto reported = report(parts, *message, posted);
  if (reported || reported.error().code != ErrorCode::kConflict) {
    HF_CHECK(reported);
    return true;
  }
  base::log(base::LogLevel::kWarning, "delivery_report_late",
            {{"destination", message->destination}, {"error", reported.error().message}});
  return true;
}

class Delivery::Worker {
 public:
  Worker(const Parts& parts, const DeliveryOptions& options) : parts_(parts), options_(options) {
    HF_ASSERT(parts.database != nullptr && parts.outbox != nullptr && parts.client != nullptr &&
              parts.key != nullptr && parts.clock != nullptr);
    HF_ASSERT(options.threads >= 1 && options.threads <= kMaxThreads);
    HF_ASSERT(options.deadline.count() > 0 && options.poll.count() > 0);
    for (int i = 0; i < options.threads; ++i) {
      threads_.emplace_back([this](const std::stop_token& stop) { run(stop); });
    }
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() {
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
      const auto worked = deliver_next(parts_, options_, stop);
      if (!worked) base::log(base::LogLevel::kError, "delivery_stalled", {{"error", worked.error().message}});
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

  const Parts parts_;
  const DeliveryOptions options_;
  base::Mutex mutex_;
  base::ConditionVariable condition_;
  std::int64_t wakes_ HF_GUARDED_BY(mutex_) = 0;
  std::vector<std::jthread> threads_;  // last: they use what stands above
};

Delivery::Delivery(const Parts& parts, const DeliveryOptions& options)
    : worker_(std::make_unique<Worker>(parts, options)) {}
Delivery::~Delivery() = default;
void Delivery::wake() { worker_->wake(); }

}  // namespace holdfast::alerts
