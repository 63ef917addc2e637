#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

// HTTP as handlers see it: our own request and response, with bodies that stream. Nothing of Beast's.

namespace holdfast::server {

enum class Method { kGet, kHead, kPost, kPut, kPatch, kDelete };

std::string_view to_string(Method method);
std::optional<Method> parse_method(std::string_view text);

// Who is at the other end, as the connection proves it.
struct Peer {
  std::string address;                     // "127.0.0.1", "[::1]", or "local" for the Unix socket
  std::optional<std::uint32_t> local_uid;  // SO_PEERCRED of the Unix socket

  // The smallest network that one subscriber is sure to hold: of an IPv6 address its /64, else the address.
  [[nodiscard]] std::string network() const;
};

// What stands before the body. Header names are lower case; a header that stands twice is joined by ", ",
// except that a request which repeats one of those that decide its meaning is refused before it gets here.
struct RequestHead {
  Method method = Method::kGet;
  std::string path;                          // decoded, starts with "/", without "." and ".." segments
  std::map<std::string, std::string> query;  // decoded; a name that stands twice is refused
  std::map<std::string, std::string> headers;
  Peer peer;

  // Empty where the header is absent.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

// A request's target, as it stands on the request line, into path and query. kInvalidArgument for what is not
// an absolute path, for bad percent-encoding, NUL, what is no UTF-8, dot segments and names that stand twice.
struct Target {
  std::string path;
  std::map<std::string, std::string> query;
};
base::Result<Target> parse_target(std::string_view text);

// The body of a request, read by the handler's thread as it arrives. Errors: kLimitExceeded past the limit,
// kDeadline for a client that is too slow, kUnavailable when it has gone.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  // Before the first read. The default is kDefaultMaxBytes.
  virtual void limit(std::uint64_t max_bytes) = 0;
  // Reads up to buffer.size() bytes; 0 means the end, and stays so.
  virtual base::Result<std::size_t> read(base::MutableByteView buffer) = 0;

  static constexpr std::uint64_t kDefaultMaxBytes = 1ULL << 20;
};

// The whole body as text, at most `max_bytes` of it.
base::Result<std::string> read_body(BodyReader& body, std::uint64_t max_bytes);

// What an answer streams from; read by a thread of the pool. 0 bytes end it; an error cuts the connection, so
// that the client can't take half an answer for a whole one.
class BodySource {
 public:
  virtual ~BodySource() = default;
  virtual base::Result<std::size_t> read(base::MutableByteView buffer) = 0;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  std::variant<std::string, std::unique_ptr<BodySource>> body;
};

// One shape of error: RFC 9457 problem details. `title` comes from the status; `detail` speaks to the person.
Response problem(int status, std::string_view detail);
// The status that an error's code deserves. kInternal's message is logged, not shown.
Response problem(const base::Error& error);

std::string_view reason_phrase(int status);

// What answers the requests of a listener. Called from the threads of its pool, several at a time. Errors are
// answers: it never throws.
class Service {
 public:
  virtual ~Service() = default;
  virtual Response serve(const RequestHead& head, BodyReader& body) = 0;
  // How large a body serve() may come to read: one that is not larger may be read before. Called from the
  // threads of the listener's I/O, so it never waits.
  [[nodiscard]] virtual std::uint64_t max_body_bytes(const RequestHead& head) const = 0;
  // A request that takes no more is never waited for by a thread of the pool, however slowly its body comes.
  // What anybody may send takes no more than this.
  static constexpr std::uint64_t kEarlyBodyBytes = 64UL << 10;
};

// What the service answers, and what the source gives; an exception that reached this far, such as memory
// that ran out, is logged and ends this request alone.
Response serve_guarded(Service& service, const RequestHead& head, BodyReader& body);
base::Result<std::size_t> read_guarded(BodySource& source, base::MutableByteView buffer);

}  // namespace holdfast::server
