#include "server/listener.h"

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/log.h"
#include "base/mutex.h"
#include "server/connection_shared.h"

namespace holdfast::server {
namespace {

using base::ErrorCode;
using base::fail;

int select_http1(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                 unsigned offered_size, void*) {
  // What is chosen points into it, and is read after this returns.
  static constexpr unsigned char kHttp1[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  const int outcome =
      SSL_select_next_proto(&chosen, out_size, kHttp1, sizeof kHttp1 - 1, offered, offered_size);
  *out = chosen;
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

using TlsContext =
    std::shared_ptr<asio::ssl::context>;  // of the listener and of who is accepted at the moment

base::Result<TlsContext> make_tls(const std::string& chain_pem, const base::Secret& key_pem) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  boost::system::error_code error;
  context->use_certificate_chain(asio::buffer(chain_pem), error);
  if (error) {
    return fail(ErrorCode::kInvalidArgument,
                "the server's certificate chain can't be used: " + error.message());
  }
  const auto key = key_pem.reveal();
  context->use_private_key(asio::buffer(key.data(), key.size()), asio::ssl::context::pem, error);
  if (error || SSL_CTX_check_private_key(context->native_handle()) != 1) {
    return fail(ErrorCode::kInvalidArgument, "the server's private key doesn't belong to its certificate");
  }
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_3_VERSION);
  SSL_CTX_set_alpn_select_cb(context->native_handle(), select_http1, nullptr);
  return context;
}

tl::unexpected<base::Error> cannot_listen(const std::string& where, const boost::system::error_code& error) {
  if (error == boost::system::errc::address_in_use) {
    return fail(
        ErrorCode::kAlreadyExists,
        fmt::format("{} is taken by another program; choose another by --port or server.port", where));
  }
  return base::fail_errno(fmt::format("cannot listen on {}", where), error.value());
}

template <typename Acceptor, typename Endpoint>
boost::system::error_code open_acceptor(Acceptor& acceptor, const Endpoint& endpoint, bool reuse) {
  boost::system::error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error && reuse) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  return error;
}

std::vector<std::unique_ptr<asio::io_context>> make_contexts(std::uint32_t count) {
  std::vector<std::unique_ptr<asio::io_context>> contexts;
  for (std::uint32_t i = 0; i < std::max(count, 1U); ++i) {
    contexts.push_back(std::make_unique<asio::io_context>(/*concurrency_hint=*/1));
  }
  return contexts;
}

// What is left to the rest of the process: the log, the database, blobs and engines.
constexpr std::uint64_t kReservedDescriptors = 256;
// Over the Unix socket beyond max_connections: whoever runs the server gets in when it is full.
constexpr std::uint32_t kReservedLocal = 32;
// How long nobody is accepted after somebody could not be: they still wait, so trying at once would not end.
constexpr std::chrono::milliseconds kAcceptPause{100};

std::uint32_t affordable(std::uint32_t connections) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return connections;
  const std::uint64_t half = limit.rlim_cur / 2;
  const std::uint64_t most = std::max(half, limit.rlim_cur - std::min(limit.rlim_cur, kReservedDescriptors));
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(connections, most));
}

// An IPv4 client of a socket that takes both comes as ::ffff:10.0.0.7, which no rule about 10.0.0.0/8 means.
std::string text_of(const asio::ip::address& address) {
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address.to_string();
  return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
}

asio::awaitable<void> pause_after(const boost::system::error_code& error) {
  base::log(base::LogLevel::kWarning, "connection_not_accepted", {{"why", error.message()}});
  asio::steady_timer timer(co_await asio::this_coro::executor, kAcceptPause);
  [[maybe_unused]] const auto [ended] = co_await timer.async_wait(kAsTuple);
}

std::optional<std::uint32_t> peer_uid(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return std::nullopt;
  return credentials.uid;
}

}  // namespace

struct Listener::State {
  State(ListenerOptions given, Service& service)
      : options(std::move(given)),
        ios(make_contexts(options.io_threads)),
        pool(options.pool_threads),
        shared(options, service, pool) {
    options.max_connections = affordable(options.max_connections);
  }

  base::Result<> listen();
  void take(TlsContext fresh) {
    const base::MutexLock lock(tls_mutex);
    tls = std::move(fresh);
  }
  TlsContext current_tls() {
    const base::MutexLock lock(tls_mutex);
    return tls;
  }
  asio::awaitable<void> accept_tls();
  asio::awaitable<void> accept_local();
  void run();
  ~State();

  // One context a thread: a connection stays with one of them, and needs no lock and no strand. The first
  // accepts.
  asio::io_context& next_io() { return *ios[next_++ % ios.size()]; }

  ListenerOptions options;
  std::vector<std::unique_ptr<asio::io_context>> ios;
  base::Mutex tls_mutex;
  TlsContext tls HF_GUARDED_BY(tls_mutex);
  asio::thread_pool pool;
  ConnectionShared shared;
  Tcp::acceptor tcp{*ios.front()};
  Local::acceptor local{*ios.front()};
  std::vector<std::thread> threads;

 private:
  std::size_t next_ = 0;
};

base::Result<> Listener::State::listen() {
  HF_TRY(auto context, make_tls(options.certificate_chain_pem, options.private_key_pem));
  take(std::move(context));
  const auto where = fmt::format("{}:{}", options.address, options.port);
  boost::system::error_code error;
  const auto address = asio::ip::make_address(options.address, error);
  if (error)
    return fail(ErrorCode::kInvalidArgument, fmt::format("{} is no address to listen on", options.address));
  error = open_acceptor(tcp, Tcp::endpoint(address, options.port), /*reuse=*/true);
  if (error) return cannot_listen(where, error);
  if (options.unix_socket.empty()) return {};
  // The caller holds the folder's lock, so a socket that is there was left by a process that is gone.
  ::unlink(options.unix_socket.c_str());
  const mode_t previous = ::umask(0177);
  error = open_acceptor(local, Local::endpoint(options.unix_socket.string()), /*reuse=*/false);
  ::umask(previous);
  if (error) return cannot_listen(options.unix_socket.string(), error);
  return {};
}

asio::awaitable<void> Listener::State::accept_tls() {
  while (tcp.is_open()) {
    auto [error, socket] = co_await tcp.async_accept(next_io(), kAsTuple);
    if (error == asio::error::operation_aborted || !tcp.is_open()) co_return;
    if (error) co_await pause_after(error);
    if (error || shared.connections.load() >= options.max_connections) continue;
    boost::system::error_code ignored;
    socket.set_option(Tcp::no_delay(true), ignored);
    const auto remote = socket.remote_endpoint(ignored);
    Peer peer{.address = ignored ? std::string() : text_of(remote.address()), .local_uid = {}};
    const TlsContext context = current_tls();
    serve_tls(std::move(socket), *context, shared, std::move(peer));
  }
}

asio::awaitable<void> Listener::State::accept_local() {
  while (local.is_open()) {
    auto [error, socket] = co_await local.async_accept(next_io(), kAsTuple);
    if (error == asio::error::operation_aborted || !local.is_open()) co_return;
    if (error) co_await pause_after(error);
    if (error || shared.connections.load() >= options.max_connections + kReservedLocal) continue;
    const auto uid = peer_uid(socket.native_handle());
    serve_local(std::move(socket), shared, {.address = "local", .local_uid = uid});
  }
}

void Listener::State::run() {
  asio::co_spawn(*ios.front(), accept_tls(), asio::detached);
  if (local.is_open()) asio::co_spawn(*ios.front(), accept_local(), asio::detached);
  for (const auto& io : ios) {
    threads.emplace_back([&io = *io] {
      const auto guard = asio::make_work_guard(io);
      io.run();
    });
  }
}

Listener::State::~State() {
  asio::post(*ios.front(), [this] {
    boost::system::error_code ignored;
    tcp.close(ignored);
    local.close(ignored);
  });
  shared.stop();
  shared.wait_until_idle(kDrain);
  for (const auto& io : ios) io->stop();
  for (auto& thread : threads) thread.join();
  pool.join();
  if (!options.unix_socket.empty()) ::unlink(options.unix_socket.c_str());
}

base::Result<Listener> Listener::start(ListenerOptions options, Service& service) {
  auto state = std::make_unique<State>(std::move(options), service);
  HF_CHECK(state->listen());
  state->run();
  return Listener(std::move(state));
}

Listener::Listener(std::unique_ptr<State> state) : state_(std::move(state)) {}
Listener::Listener(Listener&&) noexcept = default;
Listener& Listener::operator=(Listener&&) noexcept = default;
Listener::~Listener() = default;

base::Result<> Listener::renew_certificate(const std::string& chain_pem, const base::Secret& key_pem) {
  HF_TRY(auto context, make_tls(chain_pem, key_pem));
  state_->take(std::move(context));
  return {};
}

std::uint16_t Listener::port() const { return state_->tcp.local_endpoint().port(); }

}  // namespace holdfast::server
