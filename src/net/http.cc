#include "net/http.h"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/x509.h"
#include "net/transfer.h"

namespace holdfast::net {
namespace {

using base::ErrorCode;
using base::Result;

constexpr std::size_t kMaxMethodBytes = 16;
constexpr std::size_t kMaxSocketPathBytes = 107;  // sockaddr_un::sun_path with its NUL is 108

// Headers that frame the message or belong to the connection: libcurl's own to write.
constexpr std::string_view kReserved[] = {
    "host", "content-length", "transfer-encoding", "connection", "expect", "te", "trailer", "upgrade"};

// RFC 9110, section 5.6.2.
bool is_token_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}

bool is_method(std::string_view text) {
  return !text.empty() && text.size() <= kMaxMethodBytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

// Section 5.5: anything but what would end the line.
bool is_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 0x7f; });
}

bool equal_names(std::string_view name, std::string_view lower) {
  return std::equal(name.begin(), name.end(), lower.begin(), lower.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

tl::unexpected<base::Error> bad(std::string message) {
  return base::fail(ErrorCode::kInvalidArgument, std::move(message));
}

Result<> check(const Request& request) {
  if (!is_method(request.method)) return bad("a request's method must be 1 to 16 capital letters");
  std::size_t bytes = 0;
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name)) return bad("a request's header has a name that is no token");
    if (!is_value(value)) return bad(fmt::format("the request's header {} holds a control character", name));
    for (const std::string_view reserved : kReserved) {
      if (equal_names(name, reserved)) {
        return bad(fmt::format("the request's header {} is not for the caller", name));
      }
    }
    bytes += name.size() + value.size();
  }
  if (bytes > kMaxHeaderBytes) {
    return base::fail(ErrorCode::kLimitExceeded,
                      fmt::format("the request's headers are over {} bytes", kMaxHeaderBytes));
  }
  if (request.deadline && request.deadline->count() <= 0) {
    return base::fail(ErrorCode::kDeadline, "no time is left for the request");
  }
  return {};
}

}  // namespace

std::string_view Response::header(std::string_view name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string_view() : found->second;
}

Result<HttpClient> HttpClient::create(HttpClientOptions options) {
  if (!options.extra_ca_pem.empty()) {
    auto certificates = crypto::parse_certificates(options.extra_ca_pem);
    if (!certificates) return base::fail(std::move(certificates).error().within("the certificates to trust"));
  }
  return HttpClient(std::move(options));
}

Result<Response> HttpClient::send(const Request& request) const {
  HF_CHECK(check(request));
  HF_TRY(const Url url, Url::parse(request.target));
  HF_TRY(EgressEntry entry, options_.egress.permit(url));
  return perform({.request = &request,
                  .url = url.text(),
                  .shown = url.authority(),
                  .entry = std::move(entry),
                  .tls = &options_});
}

Result<Response> UnixHttpClient::send(const Request& request) const {
  HF_CHECK(check(request));
  if (!is_target(request.target)) return bad("a request's target must be a path, percent-encoded");
  if (socket_.native().size() > kMaxSocketPathBytes) {
    return bad(fmt::format("the path of a Unix socket has at most {} bytes: {}", kMaxSocketPathBytes,
                           socket_.string()));
  }
  return perform({.request = &request,
                  .url = "http://localhost" + request.target,
                  .shown = socket_.string(),
                  .socket = socket_});
}

}  // namespace holdfast::net
