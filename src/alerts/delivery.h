#pragma once

#include <chrono>
#include <memory>
#include <stop_token>

#include "base/result.h"
#include "base/time.h"
#include "crypto/aead.h"
#include "net/http.h"
#include "store/database.h"
#include "store/outbox.h"

// Sends what the outbox holds to the webhooks: leases a message, posts it, reports what came of it. A message
// goes out at least once and in the order of its webhook; the outbox decides when it is tried again and when
// given up.

namespace holdfast::alerts {

struct DeliveryOptions {
  std::chrono::milliseconds deadline{10'000};  // of one post
  std::chrono::milliseconds poll{1'000};       // how often to look for what has come due
  int threads = 2;                             // so that one slow receiver doesn't hold up all; 1 to 8
};

class Delivery {
 public:
  // What it needs, kept alive by the caller until it is gone.
  struct Parts {
    store::Database* database = nullptr;
    const store::Outbox* outbox = nullptr;
    const net::HttpClient* client = nullptr;
    const crypto::AeadKey* key = nullptr;  // of the webhooks' secrets
    const base::Clock* clock = nullptr;
  };

  // Starts to work at once.
  Delivery(const Parts& parts, const DeliveryOptions& options = {});
  // Stops: ends a post that is under way within about a second (the message goes out again at the next
  // start).
  ~Delivery();
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  // Looks now: call it after a commit that posted a message.
  void wake();

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

// One step of it, in the caller's thread: takes the next message that is due, if there is one, and sends it.
// True where there was one, whatever came of it. Errors are the database's.
base::Result<bool> deliver_next(const Delivery::Parts& parts, const DeliveryOptions& options,
                                const std::stop_token& stop = {});

}  // namespace holdfast::alerts
