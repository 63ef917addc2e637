#include "server/http.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <exception>

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "data/json_fields.h"

namespace holdfast::server {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::pair<Method, std::string_view> kMethods[] = {
    {Method::kGet, "GET"}, {Method::kHead, "HEAD"},   {Method::kPost, "POST"},
    {Method::kPut, "PUT"}, {Method::kPatch, "PATCH"}, {Method::kDelete, "DELETE"}};

constexpr std::size_t kMaxTargetBytes = 8192;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

base::Result<std::string> percent_decoded(std::string_view text, bool plus_is_space) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int high = i + 1 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0)
        return fail(ErrorCode::kInvalidArgument, "the target has a broken percent-encoding");
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    if (c == '\0') return fail(ErrorCode::kInvalidArgument, "the target has a NUL");
    decoded.push_back(c);
  }
  // Nothing that is stored, logged or answered could hold it.
  if (!data::is_utf8(decoded)) return fail(ErrorCode::kInvalidArgument, "the target is no UTF-8");
  return decoded;
}

// Each segment is decoded on its own, so that an encoded "/" can't make a new one.
base::Result<std::string> decoded_path(std::string_view raw) {
  std::string path;
  for (std::size_t start = 1; start <= raw.size();) {
    const std::size_t end = std::min(raw.find('/', start), raw.size());
    HF_TRY(const std::string segment,
           percent_decoded(raw.substr(start, end - start), /*plus_is_space=*/false));
    if (segment == "." || segment == ".." || segment.find('/') != std::string::npos) {
      return fail(ErrorCode::kInvalidArgument,
                  "the target's path has a segment that is \".\", \"..\" or holds a \"/\"");
    }
    path.append("/").append(segment);
    start = end + 1;
  }
  return path;
}

base::Result<std::map<std::string, std::string>> decoded_query(std::string_view raw) {
  std::map<std::string, std::string> query;
  for (std::size_t start = 0; start < raw.size();) {
    const std::size_t end = std::min(raw.find('&', start), raw.size());
    const auto pair = raw.substr(start, end - start);
    start = end + 1;
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    HF_TRY(std::string name, percent_decoded(pair.substr(0, equals), /*plus_is_space=*/true));
    HF_TRY(std::string value,
           percent_decoded(pair.substr(std::min(equals + 1, pair.size())), /*plus_is_space=*/true));
    if (!query.emplace(std::move(name), std::move(value)).second) {
      return fail(ErrorCode::kInvalidArgument, "a query parameter stands twice");
    }
  }
  return query;
}

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kDataCorrupt:
      return 400;
    case ErrorCode::kUnauthenticated:
      return 401;
    case ErrorCode::kPermissionDenied:
      return 403;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kDeadline:
      return 408;
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kConflict:
      return 409;
    case ErrorCode::kLimitExceeded:
      return 413;
    case ErrorCode::kUnsupported:
      return 422;
    case ErrorCode::kUnavailable:
      return 503;
    case ErrorCode::kIo:
    case ErrorCode::kInternal:
      return 500;
  }
  return 500;
}

}  // namespace

std::string_view to_string(Method method) {
  return std::find_if(std::begin(kMethods), std::end(kMethods),
                      [&](const auto& m) { return m.first == method; })
      ->second;
}

std::optional<Method> parse_method(std::string_view text) {
  for (const auto& [method, name] : kMethods) {
    if (name == text) return method;
  }
  return std::nullopt;
}

std::string Peer::network() const {
  in6_addr bytes{};
  if (::inet_pton(AF_INET6, address.substr(0, address.find('%')).c_str(), &bytes) != 1) return address;
  std::fill(std::begin(bytes.s6_addr) + 8, std::end(bytes.s6_addr), std::uint8_t{0});
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (::inet_ntop(AF_INET6, &bytes, text.data(), text.size()) == nullptr) return address;
  return fmt::format("{}/64", text.data());
}

std::string_view RequestHead::header(std::string_view name) const {
  const auto found = headers.find(std::string(name));
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

base::Result<Target> parse_target(std::string_view text) {
  if (text.size() > kMaxTargetBytes) return fail(ErrorCode::kLimitExceeded, "the target is over 8192 bytes");
  if (!text.starts_with('/')) return fail(ErrorCode::kInvalidArgument, "the target must be an absolute path");
  const std::size_t question = std::min(text.find('?'), text.size());
  HF_TRY(std::string path, decoded_path(text.substr(0, question)));
  HF_TRY(auto query, decoded_query(text.substr(std::min(question + 1, text.size()))));
  return Target{std::move(path), std::move(query)};
}

base::Result<std::string> read_body(BodyReader& body, std::uint64_t max_bytes) {
  // Most bodies are small, and each step is zeroed before it is filled.
  constexpr std::size_t kFirstStep = 2UL << 10;
  constexpr std::size_t kLongestStep = 64UL << 10;
  body.limit(max_bytes);
  std::string whole;
  for (std::size_t step = kFirstStep;; step = std::min(2 * step, kLongestStep)) {
    const std::size_t before = whole.size();
    whole.resize(before + step);
    HF_TRY(const std::size_t got, body.read({reinterpret_cast<std::uint8_t*>(whole.data()) + before, step}));
    whole.resize(before + got);
    if (got == 0) return whole;
  }
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "Internal Server Error";
  }
}

Response problem(int status, std::string_view detail) {
  const nlohmann::ordered_json body{
      {"type", "about:blank"}, {"title", reason_phrase(status)}, {"status", status}, {"detail", detail}};
  return {.status = status,
          .content_type = "application/problem+json",
          .headers = {},
          .body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
}

Response problem(const base::Error& error) {
  const int status = status_of(error.code);
  if (status != 500) return problem(status, error.message);
  base::log(base::LogLevel::kError, "request-failed", {{"why", error.message}});
  return problem(status, "the server failed to do this; its log says why");
}

Response serve_guarded(Service& service, const RequestHead& head, BodyReader& body) {
  try {
    return service.serve(head, body);
  } catch (const std::exception& error) {
    return problem({ErrorCode::kInternal, fmt::format("{} threw: {}", head.path, error.what())});
  }
}

base::Result<std::size_t> read_guarded(BodySource& source, base::MutableByteView buffer) {
  try {
    return source.read(buffer);
  } catch (const std::exception& error) {
    base::log(base::LogLevel::kError, "answer-cut", {{"why", error.what()}});
    return fail(ErrorCode::kInternal, error.what());
  }
}

}  // namespace holdfast::server
