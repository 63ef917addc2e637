#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast::net {

enum class Scheme { kHttps, kHttp };

// The address of an outgoing request, http or https: what is allowed is decided on these parts, and the
// request is made from these parts, so that nobody else reads the text in another way.
struct Url {
  Scheme scheme = Scheme::kHttps;
  std::string host;  // lower case; a DNS name, an IPv4 address, or an IPv6 address without brackets
  std::uint16_t port = 443;
  std::string target = "/";  // path and query

  static constexpr std::size_t kMaxBytes = 2'048;

  // An absolute URL of RFC 3986, narrowed: no user name, no fragment, printable ASCII, a host of LDH labels
  // (RFC 1123) or an IP address in its one strict form. kInvalidArgument says what stands in the way; it
  // never repeats the path or the query, which may hold a token.
  static base::Result<Url> parse(std::string_view text);

  [[nodiscard]] std::string authority() const;  // "host:port", "[::1]:443"
  [[nodiscard]] std::string text() const;       // always with the port

  friend bool operator==(const Url&, const Url&) = default;
};

// A host of the form above, in lower case; kInvalidArgument otherwise. IPv6 stands in brackets, which go.
base::Result<std::string> parse_host(std::string_view text);

// 1 to 65535, digits alone.
base::Result<std::uint16_t> parse_port(std::string_view text);

// Whether `text` may stand in a request line as path and query: begins with "/", printable ASCII, no "#".
bool is_target(std::string_view text);

}  // namespace holdfast::net
