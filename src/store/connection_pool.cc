#include "store/connection_pool.h"

#include <fmt/format.h>

#include "base/assert.h"
#include "base/log.h"

namespace holdfast::store {

using base::ErrorCode;
using base::fail;
using base::Result;

ConnectionPool::~ConnectionPool() {
  const base::MutexLock lock(mutex_);
  HF_ASSERT(lent_ == 0);
}

Result<PooledConnection> ConnectionPool::take() {
  std::unique_ptr<Connection> connection;
  {
    const base::MutexLock lock(mutex_);
    const auto deadline = std::chrono::steady_clock::now() + wait_;
    while (lent_ == limit_) {
      if (free_.wait_until(mutex_, deadline) == std::cv_status::timeout && lent_ == limit_) {
        return fail(
            ErrorCode::kDeadline,
            fmt::format("no connection to the database was free within {} ms, try again", wait_.count()));
      }
    }
    if (!stopped_.empty()) return fail(ErrorCode::kUnavailable, stopped_);
    ++lent_;
    if (!idle_.empty()) {
      connection = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (connection != nullptr) return PooledConnection(connection.release(), ReturnToPool{this});
  auto opened = open_();
  if (!opened) {
    give_back(nullptr);
    return fail(std::move(opened).error());
  }
  return PooledConnection(opened->release(), ReturnToPool{this});
}

void ConnectionPool::give_back(std::unique_ptr<Connection> connection) {
  if (connection != nullptr) {
    if (const auto ended = connection->rollback(); !ended) {
      base::log(base::LogLevel::kError, "store.rollback_failed", {{"error", ended.error().message}});
      connection.reset();
    }
  }
  {
    const base::MutexLock lock(mutex_);
    --lent_;
    if (connection != nullptr) idle_.push_back(std::move(connection));
  }
  free_.notify_one();
}

void ConnectionPool::stop(std::string reason) {
  const base::MutexLock lock(mutex_);
  stopped_ = std::move(reason);
}

void ReturnToPool::operator()(Connection* connection) const {
  pool->give_back(std::unique_ptr<Connection>(connection));
}

}  // namespace holdfast::store
