#include "net/url.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "net/address.h"

namespace holdfast::net {
namespace {

using base::ErrorCode;
using base::Result;

constexpr std::size_t kMaxHostBytes = 253;  // RFC 1035, section 2.3.4
constexpr std::size_t kMaxLabelBytes = 63;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || is_digit(c); }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= kMaxLabelBytes && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(), [](char c) { return is_lower_alphanumeric(c) || c == '-'; });
}

// RFC 1123, section 2.1. A last label that begins like a number makes the resolver read an IPv4 address in
// one of its many forms ("127.1", "0x7f000001"), so such a host must be one in the strict form.
bool is_dns_name(std::string_view host) {
  if (host.empty() || host.size() > kMaxHostBytes) return false;
  std::string_view label;
  for (std::size_t start = 0; start <= host.size();) {
    const std::size_t end = std::min(host.find('.', start), host.size());
    label = host.substr(start, end - start);
    if (!is_label(label)) return false;
    start = end + 1;
  }
  return !is_digit(label.front());
}

tl::unexpected<base::Error> bad(std::string_view what) {
  return base::fail(ErrorCode::kInvalidArgument, fmt::format("the address {}", what));
}

struct Authority {
  std::string_view host;  // with its brackets
  std::string_view port;  // empty where there is none
};

Result<Authority> split_authority(std::string_view text) {
  const std::size_t bracket = text.starts_with('[') ? text.find(']') : 0;
  if (bracket == std::string_view::npos) return bad("opens a bracket and doesn't close it");
  const std::size_t colon = text.find(':', bracket);
  if (colon == std::string_view::npos) return Authority{.host = text, .port = {}};
  if (colon + 1 == text.size()) return bad("has a colon without a port");
  return Authority{.host = text.substr(0, colon), .port = text.substr(colon + 1)};
}

}  // namespace

Result<std::string> parse_host(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']') && text.size() > 2) {
    const auto address = IpAddress::parse(text.substr(1, text.size() - 2));
    if (address && address->text().find(':') != std::string::npos) return address->text();
  } else if (const auto address = IpAddress::parse(text);
             address && text.find(':') == std::string_view::npos) {
    return address->text();
  }
  std::string host = lower(text);
  if (is_dns_name(host)) return host;
  return base::fail(
      ErrorCode::kInvalidArgument,
      "the host must be a DNS name of letters, digits and hyphens, four decimal numbers, or an IPv6 "
      "address in brackets");
}

Result<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error == std::errc() && end == text.data() + text.size() && port != 0) return port;
  return base::fail(ErrorCode::kInvalidArgument, "the port must be a number from 1 to 65535");
}

bool is_target(std::string_view text) {
  return text.starts_with('/') && text.size() <= Url::kMaxBytes &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return c > ' ' && c < 0x7f && c != '#' && c != '\\'; });
}

Result<Url> Url::parse(std::string_view text) {
  if (text.size() > kMaxBytes) return bad(fmt::format("is longer than {} bytes", kMaxBytes));
  Url url;
  const std::size_t colon = std::min(text.find("://"), text.size());
  const std::string scheme = lower(text.substr(0, colon));
  if (colon == text.size() || (scheme != "https" && scheme != "http")) {
    return bad("must begin with https:// or http://");
  }
  url.scheme = scheme == "https" ? Scheme::kHttps : Scheme::kHttp;
  url.port = url.scheme == Scheme::kHttps ? 443 : 80;
  text.remove_prefix(colon + 3);
  const std::size_t end = std::min(text.find_first_of("/?#\\"), text.size());
  const std::string_view authority = text.substr(0, end);
  if (authority.find('@') != std::string_view::npos) {
    return bad("holds a user name; send credentials in a header instead");
  }
  HF_TRY(const Authority parts, split_authority(authority));
  HF_TRY(url.host, parse_host(parts.host));
  if (!parts.port.empty()) {
    HF_TRY(url.port, parse_port(parts.port));
  }
  url.target = std::string(text.substr(end));
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  if (!is_target(url.target)) {
    return bad("holds a fragment, white space or other characters to be percent-encoded");
  }
  return url;
}

std::string Url::authority() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

std::string Url::text() const {
  return fmt::format("{}://{}{}", scheme == Scheme::kHttps ? "https" : "http", authority(), target);
}

}  // namespace holdfast::net
