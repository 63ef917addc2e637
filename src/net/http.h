#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "net/egress.h"

// Outgoing HTTP/1.1. Each request has a connection of its own, follows no redirect, uses no proxy, cookie,
// netrc or cache, and ends by its deadline. The clients are immutable: any number of threads may send at
// once. libcurl is loaded on the first request, so that a program which sends none doesn't pay for it;
// kUnavailable with the package to install where it is missing.

namespace holdfast::net {

// A request body that is read from a descriptor's present position as it is sent.
struct FileBody {
  int fd = -1;                        // kept open by the caller
  std::optional<std::uint64_t> size;  // bytes to send, which must be there; unknown: until the end, chunked
};

// Takes the body of an answer as it arrives; an error ends the request with that error.
using BodySink = std::function<base::Result<>(base::ByteView)>;

struct Request {
  std::string method = "GET";  // a token of RFC 9110 in capitals
  // For HttpClient an absolute URL; for UnixHttpClient path and query, "/api/v1/models?limit=5".
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::variant<std::monostate, std::string, FileBody> body = {};
  // From the first step to the last byte of the answer. Nothing: no end, for work that takes as long as it
  // takes.
  std::optional<std::chrono::milliseconds> deadline = std::chrono::seconds(30);
  std::size_t max_body_bytes = 1UL << 20;  // of an answer that is kept
  // Where given, takes the body of a 2xx answer, of any size; Response::body is then empty. Other answers are
  // kept.
  BodySink sink = {};
  std::stop_token stop = {};  // ends the request within about a second
};

struct Response {
  int status = 0;
  // Names in lower case; a header that stands several times is joined by ", ".
  std::map<std::string, std::string, std::less<>> headers = {};
  std::string body = {};

  // Empty where the header is absent.
  [[nodiscard]] std::string_view header(std::string_view name) const;
  [[nodiscard]] bool ok() const { return status >= 200 && status < 300; }
};

inline constexpr std::size_t kMaxHeaderBytes = 64UL << 10;  // of a request or an answer, in all

enum class MinimumTls { kTls13, kTls12 };

struct HttpClientOptions {
  EgressPolicy egress = {};
  std::string extra_ca_pem = {};  // trusted besides the system's store
  bool system_ca = true;
  MinimumTls minimum_tls = MinimumTls::kTls13;
};

class HttpClient {
 public:
  // kInvalidArgument for a PEM that is not certificates.
  static base::Result<HttpClient> create(HttpClientOptions options);

  // Any answer is a success, whatever its status. kPermissionDenied where the egress list or the address
  // refuses; kInvalidArgument for a request that can't be sent as it stands; kUnauthenticated for a
  // certificate that doesn't prove the host's name; kDeadline; kLimitExceeded for an answer over its bound;
  // kUnavailable for what may work later, with the reason. Messages name host and port, never path, query,
  // headers or body.
  [[nodiscard]] base::Result<Response> send(const Request& request) const;

 private:
  explicit HttpClient(HttpClientOptions options) : options_(std::move(options)) {}
  HttpClientOptions options_;
};

// HTTP over a Unix socket: how the command line speaks with the server that holds the state folder.
class UnixHttpClient {
 public:
  explicit UnixHttpClient(std::filesystem::path socket) : socket_(std::move(socket)) {}

  // As HttpClient::send. kUnavailable where nothing answers at the socket.
  [[nodiscard]] base::Result<Response> send(const Request& request) const;

 private:
  std::filesystem::path socket_;
};

}  // namespace holdfast::net
