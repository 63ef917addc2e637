#pragma once

#include <algorithm>
#include <future>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include "server/connection_shared.h"

// One connection: reads a request's head on an I/O thread, has the service answer on the pool, and writes the
// answer. Included once for each kind of stream, by tls_connection.cc and local_connection.cc: the compiler
// takes half a minute over each.

namespace holdfast::server {

namespace beast = boost::beast;
namespace http = beast::http;

// The head as handlers see it. kInvalidArgument for what could be understood in two ways.
base::Result<RequestHead> request_head(const http::request_header<>& header, const Peer& peer);

template <typename Stream>
class Connection : public std::enable_shared_from_this<Connection<Stream>> {
 public:
  Connection(Stream stream, ConnectionShared& shared, Peer peer)
      : stream_(std::move(stream)),
        shared_(shared),
        peer_(std::move(peer)),
        buffer_(shared.options.max_header_bytes + kBodyChunkBytes) {}

  [[nodiscard]] auto executor() { return stream_.get_executor(); }

  // Until the client or the listener closes. Holds the connection alive.
  static asio::awaitable<void> run(std::shared_ptr<Connection> self) {
    self->shared_.connections.fetch_add(1);
    bool open = co_await self->handshake();
    const bool greeted = open;
    while (open) open = co_await self->one_request();
    if (greeted) co_await self->close();
    self->shared_.ended();
  }

 private:
  static constexpr bool kTls = std::is_same_v<Stream, beast::ssl_stream<beast::tcp_stream>>;
  static constexpr std::size_t kBodyChunkBytes = Service::kEarlyBodyBytes;
  static constexpr std::chrono::seconds kLinger{2};

  using Parser = http::request_parser<http::buffer_body>;

  // A body that comes too slowly is given up, whoever waits for it.
  class Pace {
   public:
    // Counts what came. kDeadline where it is too little for the time it took.
    base::Result<> count(std::size_t bytes) {
      seen_ += bytes;
      const auto elapsed = std::chrono::steady_clock::now() - began_ - kGrace;
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(elapsed).count();
      if (seconds > 0 && bytes > 0 && seen_ < kMinBytesASecond * static_cast<std::uint64_t>(seconds)) {
        return base::fail(base::ErrorCode::kDeadline, "the request's body came too slowly");
      }
      return {};
    }

   private:
    static constexpr std::chrono::seconds kGrace{10};
    static constexpr std::uint64_t kMinBytesASecond = 1024;
    std::uint64_t seen_ = 0;
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  };

  // The body of the request at hand, for the pool's thread: what was read early, then each read on the
  // connection's own thread.
  class Body final : public BodyReader {
   public:
    explicit Body(Connection& connection) : connection_(connection) {}
    void limit(std::uint64_t max_bytes) override { max_bytes_ = max_bytes; }
    base::Result<std::size_t> read(base::MutableByteView buffer) override {
      if (connection_.parser_->content_length().value_or(0) > max_bytes_) return too_large();
      HF_TRY(const std::size_t got, next(buffer));
      seen_ += got;
      if (seen_ > max_bytes_) return too_large();
      return got;
    }

   private:
    base::Result<std::size_t> next(base::MutableByteView buffer) {
      const auto early = base::ByteView(connection_.early_).subspan(early_taken_);
      if (!early.empty()) {
        const std::size_t count = std::min(early.size(), buffer.size());
        std::copy_n(early.begin(), count, buffer.begin());
        early_taken_ += count;
        return count;
      }
      HF_CHECK(connection_.early_end_);
      if (connection_.parser_->is_done()) return 0;
      return asio::co_spawn(connection_.executor(), connection_.read_body(buffer), asio::use_future).get();
    }
    [[nodiscard]] tl::unexpected<base::Error> too_large() const {
      return base::fail(
          base::ErrorCode::kLimitExceeded,
          "the request's body is larger than the " + std::to_string(max_bytes_) + " bytes allowed here");
    }
    Connection& connection_;
    std::uint64_t max_bytes_ = kDefaultMaxBytes;
    std::uint64_t seen_ = 0;
    std::size_t early_taken_ = 0;
  };

  auto& lowest() { return beast::get_lowest_layer(stream_); }

  asio::awaitable<bool> handshake() {
    if constexpr (kTls) {
      lowest().expires_after(shared_.options.header_timeout);
      const auto [error] = co_await stream_.async_handshake(asio::ssl::stream_base::server, kAsTuple);
      count_handshake(error);
      if (is_plaintext(error)) co_await refuse_plaintext();
      co_return !error;
    }
    co_return true;
  }

  // The context takes TLS 1.3 alone, so a handshake that is done is one of it.
  void count_handshake(const boost::system::error_code& error) {
    auto& counts = *shared_.options.counts;
    if (!error) {
      ++counts.tls13;
      return;
    }
    if (tls_reason(error) == SSL_R_UNSUPPORTED_PROTOCOL) ++counts.old_version_refused;
    if (is_plaintext(error)) ++counts.plaintext_refused;
  }

  static int tls_reason(const boost::system::error_code& error) {
    if (error.category() != asio::error::get_ssl_category()) return 0;
    return ERR_GET_REASON(static_cast<unsigned long>(error.value()));
  }

  // OpenSSL tells so by the first bytes, and has sent nothing then, not even an alert.
  static bool is_plaintext(const boost::system::error_code& error) {
    const int reason = tls_reason(error);
    return reason == SSL_R_HTTP_REQUEST || reason == SSL_R_WRONG_VERSION_NUMBER;
  }

  // Who forgot the s of https gets an answer that says so, in the clear.
  asio::awaitable<void> refuse_plaintext() {
    http::response<http::string_body> message;
    auto response = problem(400, "this port speaks TLS alone: begin the address with https://");
    fill_header(message, response, /*keep=*/false);
    message.body() = std::move(std::get<std::string>(response.body));
    message.prepare_payload();
    lowest().expires_after(shared_.options.read_timeout);
    const auto [error, size] = co_await http::async_write(lowest(), message, kAsTuple);
    if (!error) co_await drain();
  }

  // Waits for the first byte of the next request; the listener's stop ends this wait.
  asio::awaitable<bool> await_request() {
    if (buffer_.size() > 0) co_return true;
    lowest().expires_after(shared_.options.idle_timeout);
    shared_.begin_waiting(this, [this] {
      asio::post(executor(), [self = this->shared_from_this()] { self->lowest().cancel(); });
    });
    const auto [error, size] =
        co_await stream_.async_read_some(buffer_.prepare(shared_.options.max_header_bytes), kAsTuple);
    shared_.end_waiting(this);
    if (error) co_return false;
    buffer_.commit(size);
    co_return true;
  }

  // Whether the connection goes on after it.
  asio::awaitable<bool> one_request() {
    if (shared_.stopping) co_return false;
    const bool begun = co_await await_request();
    if (!begun) co_return false;
    parser_.emplace();
    parser_->header_limit(shared_.options.max_header_bytes);
    parser_->body_limit(boost::none);  // the route sets one; Body keeps it
    continue_sent_ = false;
    early_.clear();
    early_end_ = {};
    lowest().expires_after(shared_.options.header_timeout);
    const auto [error, size] = co_await http::async_read_header(stream_, buffer_, *parser_, kAsTuple);
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
      co_return co_await write(problem(431, "the request's header is too large"), kLastAnswer);
    }
    if (error && error.category() == http::make_error_code(http::error::bad_field).category() &&
        error != http::error::end_of_stream && error != http::error::partial_message) {
      co_return co_await write(problem(400, "this is no valid HTTP/1.1 request"), kLastAnswer);
    }
    if (error) co_return false;
    auto head = request_head(parser_->get(), peer_);
    if (!head) co_return co_await write(problem(head.error()), kLastAnswer);
    pace_ = {};
    co_await read_early(shared_.service.max_body_bytes(*head));
    Response response = co_await answer(*head);
    co_return co_await write(std::move(response), {.head_only = head->method == Method::kHead});
  }

  // What `work` gives on a thread of the pool: one change of thread there and one back.
  template <typename Value, typename Work>
  asio::awaitable<Value> on_pool(Work work) {
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(Value)>(
        [this, work = std::move(work)](auto handler) mutable {
          asio::post(shared_.pool, [work = std::move(work), handler = std::move(handler)]() mutable {
            auto executor = asio::get_associated_executor(handler);
            asio::post(executor, [value = work(), handler = std::move(handler)]() mutable {
              std::move(handler)(std::move(value));
            });
          });
        },
        asio::use_awaitable);
  }

  asio::awaitable<Response> answer(const RequestHead& head) {
    const auto limit = shared_.options.pool_threads + shared_.options.max_waiting;
    if (shared_.requests.fetch_add(1) >= limit) {
      shared_.requests.fetch_sub(1);
      co_return problem(503, "the server has too many requests waiting; try again");
    }
    Body body(*this);
    lowest().expires_never();
    Response response = co_await on_pool<Response>(
        [this, &head, &body] { return serve_guarded(shared_.service, head, body); });
    shared_.requests.fetch_sub(1);
    co_return response;
  }

  // A small body is read before a thread of the pool is taken: each read from there costs two changes of
  // thread, and a slow client would hold it up. Of one that does not tell its size, so much is read as shows
  // that it is too large.
  asio::awaitable<void> read_early(std::uint64_t max_bytes) {
    if (max_bytes == 0 || parser_->is_done()) co_return;
    if (expects_continue() && max_bytes > kBodyChunkBytes) co_return;  // it may be refused unsent
    const auto most = std::min<std::uint64_t>(kBodyChunkBytes, max_bytes);
    const auto size = parser_->content_length().value_or(most + 1);
    if (parser_->content_length() && size > most) co_return;
    early_.resize(static_cast<std::size_t>(size));
    std::size_t got = 0;
    while (got < early_.size()) {
      const auto more = co_await read_body(base::MutableByteView(early_).subspan(got));
      if (!more) early_end_ = base::fail(more.error());
      if (more.value_or(0) == 0) break;
      got += *more;
    }
    early_.resize(got);
  }

  bool expects_continue() { return beast::iequals(parser_->get()[http::field::expect], "100-continue"); }

  asio::awaitable<base::Result<std::size_t>> read_body(base::MutableByteView buffer) {
    if (parser_->is_done() || buffer.empty()) co_return 0;
    lowest().expires_after(shared_.options.read_timeout);
    if (!continue_sent_ && expects_continue()) {
      continue_sent_ = true;
      constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
      const auto [error, size] = co_await asio::async_write(stream_, asio::buffer(kContinue), kAsTuple);
      if (error) co_return base::fail(base::ErrorCode::kUnavailable, "the client has gone");
    }
    while (true) {
      auto& body = parser_->get().body();
      body.data = buffer.data();
      body.size = buffer.size();
      const auto [error, size] = co_await http::async_read_some(stream_, buffer_, *parser_, kAsTuple);
      const std::size_t got = buffer.size() - body.size;
      if (error == beast::error::timeout) {  // Beast has closed the connection: this is for the log alone
        co_return base::fail(base::ErrorCode::kDeadline, "the request's body stopped coming");
      }
      if (error && error != http::error::need_buffer) {
        co_return base::fail(base::ErrorCode::kInvalidArgument,
                             "the request's body is cut short or malformed");
      }
      if (auto paced = pace_.count(got); !paced) co_return base::fail(paced.error());
      if (got > 0 || parser_->is_done()) co_return got;
    }
  }

  template <typename Body>
  void fill_header(http::response<Body>& message, const Response& response, bool keep) {
    message.result(static_cast<unsigned>(response.status));
    message.version(11);
    message.reason(beast::string_view(reason_phrase(response.status)));
    if (!response.content_type.empty()) message.set(http::field::content_type, response.content_type);
    message.set(http::field::cache_control, "no-store");
    message.set("X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : response.headers) message.set(name, value);
    message.keep_alive(keep);
  }

  struct AnswerForm {
    bool head_only = false;
    bool may_go_on = true;
  };
  // To a request that was not understood: what follows it is not either.
  static constexpr AnswerForm kLastAnswer{.may_go_on = false};

  // Whether the connection goes on: not when part of the request was never read, nor when the listener stops.
  asio::awaitable<bool> write(Response response, AnswerForm form) {
    const bool head_only = form.head_only;
    const bool keep = form.may_go_on && parser_->is_header_done() && parser_->is_done() &&
                      parser_->get().keep_alive() && !shared_.stopping;
    lowest().expires_after(shared_.options.read_timeout);
    if (auto* source = std::get_if<std::unique_ptr<BodySource>>(&response.body)) {
      const bool whole = co_await write_streamed(response, **source, head_only, keep);
      co_return whole&& keep;
    }
    http::response<http::string_body> message;
    fill_header(message, response, keep);
    message.body() = std::move(std::get<std::string>(response.body));
    message.prepare_payload();
    http::response_serializer<http::string_body> serializer(message);
    // Not one expression: GCC 12 loses its way in a conditional that awaits on either side.
    if (head_only) {
      const auto [error, size] = co_await http::async_write_header(stream_, serializer, kAsTuple);
      co_return !error && keep;
    }
    const auto [error, size] = co_await http::async_write(stream_, serializer, kAsTuple);
    co_return !error && keep;
  }

  asio::awaitable<bool> write_streamed(const Response& response, BodySource& source, bool head_only,
                                       bool keep) {
    http::response<http::buffer_body> message;
    fill_header(message, response, keep);
    message.chunked(true);
    message.body().data = nullptr;
    message.body().more = true;
    http::response_serializer<http::buffer_body> serializer(message);
    {
      const auto [error, size] = co_await http::async_write_header(stream_, serializer, kAsTuple);
      if (error || head_only) co_return !error;
    }
    base::Bytes chunk(kBodyChunkBytes);
    while (true) {
      const auto got = co_await on_pool<base::Result<std::size_t>>(
          [&source, &chunk] { return read_guarded(source, chunk); });
      if (!got) co_return false;
      message.body().data = *got > 0 ? chunk.data() : nullptr;
      message.body().size = *got;
      message.body().more = *got > 0;
      lowest().expires_after(shared_.options.read_timeout);
      const auto [error, size] = co_await http::async_write(stream_, serializer, kAsTuple);
      if (error && error != http::error::need_buffer) co_return false;
      if (*got == 0) co_return true;
    }
  }

  // Says goodbye and takes in what the client still sends, for a moment: closing at once would reset the
  // connection and could take the answer with it.
  asio::awaitable<void> close() {
    lowest().expires_after(kLinger);
    if constexpr (kTls) {
      [[maybe_unused]] const auto [error] = co_await stream_.async_shutdown(kAsTuple);
    }
    co_await drain();
  }

  asio::awaitable<void> drain() {
    constexpr std::size_t kMaxDrainedBytes = 16UL << 20;
    lowest().expires_after(kLinger);
    boost::system::error_code ignored;
    lowest().socket().shutdown(asio::socket_base::shutdown_send, ignored);
    base::Bytes sink(16UL << 10);
    for (std::size_t drained = 0; drained < kMaxDrainedBytes;) {
      const auto [error, size] = co_await lowest().async_read_some(asio::buffer(sink), kAsTuple);
      if (error) break;
      drained += size;
    }
    lowest().close();
  }

  Stream stream_;
  ConnectionShared& shared_;
  Peer peer_;
  beast::flat_buffer
      buffer_;  // bounded, as the extensions of a chunk and what trails a body are by nothing else
  std::optional<Parser> parser_;
  bool continue_sent_ = false;
  base::Bytes early_;         // of the body, what was read before it was asked for
  base::Result<> early_end_;  // why that stopped before its end
  Pace pace_;
};

// Runs the connection on its socket's executor, which one thread serves.
template <typename Stream>
void start_connection(std::shared_ptr<Connection<Stream>> connection) {
  auto executor = connection->executor();
  asio::co_spawn(executor, Connection<Stream>::run(std::move(connection)), asio::detached);
}

}  // namespace holdfast::server
