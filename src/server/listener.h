#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/secret.h"
#include "server/http.h"

namespace holdfast::server {

// What became of connections since the start.
struct ConnectionCounts {
  std::atomic<std::uint64_t> tls13 = 0;
  std::atomic<std::uint64_t> old_version_refused = 0;  // offered nothing newer than TLS 1.2
  std::atomic<std::uint64_t> plaintext_refused = 0;
};

struct ListenerOptions {
  // TLS 1.3 on this address; port 0 takes a free one.
  std::string address = "127.0.0.1";
  std::uint16_t port = 8443;
  std::string certificate_chain_pem;
  base::Secret private_key_pem;
  // Where set, also HTTP without TLS on this Unix socket, mode 0600: its file system is its authentication.
  std::filesystem::path unix_socket;
  std::shared_ptr<ConnectionCounts> counts = std::make_shared<ConnectionCounts>();

  std::uint32_t io_threads = 2;
  std::uint32_t pool_threads = 8;
  std::uint32_t max_connections = 1024;  // fewer where the process may not open so many files
  std::uint32_t max_waiting = 256;       // requests waiting for a pool thread; beyond it 503
  std::uint32_t max_header_bytes = 16'384;
  std::chrono::milliseconds header_timeout{10'000};  // also the TLS handshake
  std::chrono::milliseconds read_timeout{10'000};    // between two pieces of a body
  std::chrono::milliseconds idle_timeout{60'000};    // between two requests
};

// Accepts connections and hands their requests to a Service: I/O on few threads that never block, the
// service's work on a bounded pool. HTTP/1.1; one request at a time on a connection.
class Listener {
 public:
  // Listening on return. kAlreadyExists where the port or socket is taken by a living server,
  // kInvalidArgument for a certificate or key that can't be used. `service` outlives the listener.
  static base::Result<Listener> start(ListenerOptions options, Service& service);

  Listener(Listener&&) noexcept;
  Listener& operator=(Listener&&) noexcept;
  // Accepts no more, lets requests under way end (at most `kDrain`), then closes.
  ~Listener();

  // For connections from now on; those that are open go on with what they began with. kInvalidArgument for
  // what can't be used, and the one before stays.
  base::Result<> renew_certificate(const std::string& chain_pem, const base::Secret& key_pem);

  [[nodiscard]] std::uint16_t port() const;
  static constexpr std::chrono::seconds kDrain{10};

 private:
  struct State;
  explicit Listener(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace holdfast::server
