#pragma once

#include <functional>
#include <string>

#include "base/mutex.h"
#include "store/connection.h"
#include "store/database.h"

// For store/ alone: up to a number of connections, opened when first needed, lent to one thread at a time.
// Thread-safe. Whatever it lent must be back before it goes.

namespace holdfast::store {

class ConnectionPool {
 public:
  using Open = std::function<base::Result<std::unique_ptr<Connection>>()>;

  ConnectionPool(Open open, int limit, std::chrono::milliseconds wait)
      : open_(std::move(open)), limit_(limit), wait_(wait) {}
  ~ConnectionPool();
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  // kDeadline where none is free within the wait; kUnavailable after stop().
  base::Result<PooledConnection> take() HF_EXCLUDES(mutex_);
  void give_back(std::unique_ptr<Connection> connection) HF_EXCLUDES(mutex_);
  // Lends none any more, and says why.
  void stop(std::string reason) HF_EXCLUDES(mutex_);

 private:
  const Open open_;
  const int limit_;
  const std::chrono::milliseconds wait_;
  base::Mutex mutex_;
  base::ConditionVariable free_;
  std::vector<std::unique_ptr<Connection>> idle_ HF_GUARDED_BY(mutex_);
  int lent_ HF_GUARDED_BY(mutex_) = 0;
  std::string stopped_ HF_GUARDED_BY(mutex_);  // why, once it is
};

}  // namespace holdfast::store
