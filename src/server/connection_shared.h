#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/mutex.h"
#include "server/listener.h"

namespace holdfast::server {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;
using Local = asio::local::stream_protocol;

inline constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);

// What the connections of one listener have in common.
struct ConnectionShared {
  ConnectionShared(const ListenerOptions& given, Service& answering, asio::thread_pool& threads)
      : options(given), service(answering), pool(threads) {}

  const ListenerOptions& options;
  Service& service;
  asio::thread_pool& pool;
  std::atomic<std::uint32_t> connections = 0;
  std::atomic<std::uint32_t> requests = 0;  // waiting for the pool or being answered
  std::atomic<bool> stopping = false;

  base::Mutex mutex;
  base::ConditionVariable idle;
  // Ends the wait for a next request; called with the mutex held.
  std::map<void*, std::function<void()>> waiting HF_GUARDED_BY(mutex);

  void stop() {
    const base::MutexLock lock(mutex);
    stopping = true;
    for (const auto& [connection, cancel] : waiting) cancel();
  }

  void begin_waiting(void* connection, std::function<void()> cancel) {
    const base::MutexLock lock(mutex);
    if (stopping) cancel();
    waiting[connection] = std::move(cancel);
  }

  void end_waiting(void* connection) {
    const base::MutexLock lock(mutex);
    waiting.erase(connection);
  }

  void ended() {
    const base::MutexLock lock(mutex);
    connections.fetch_sub(1);
    idle.notify_all();
  }

  void wait_until_idle(std::chrono::seconds at_most) {
    const auto deadline = std::chrono::steady_clock::now() + at_most;
    const base::MutexLock lock(mutex);
    while (connections.load() > 0 && idle.wait_until(mutex, deadline) == std::cv_status::no_timeout) {
    }
  }
};

// Each runs one accepted connection on the socket's executor, which one thread serves, until the client or
// the listener closes it.
void serve_tls(Tcp::socket socket, asio::ssl::context& tls, ConnectionShared& shared, Peer peer);
void serve_local(Local::socket socket, ConnectionShared& shared, Peer peer);

}  // namespace holdfast::server
