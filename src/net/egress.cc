#include "net/egress.h"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::net {
namespace {

using base::ErrorCode;
using base::Result;

constexpr std::string_view kPrivateMark = " private";

std::string shown(const EgressEntry& entry) {
  const Url url{.scheme = entry.scheme, .host = entry.host, .port = entry.port};
  return fmt::format("{}{}{}", entry.scheme == Scheme::kHttp ? "http://" : "", entry.wildcard ? "*." : "",
                     url.authority());
}

// Under "*.com" would lie half the internet.
bool has_two_labels(std::string_view host) { return host.find('.') != std::string_view::npos; }

Result<EgressEntry> parse_entry(std::string_view text) {
  EgressEntry entry;
  if (text.ends_with(kPrivateMark)) {
    entry.private_network = true;
    text.remove_suffix(kPrivateMark.size());
  }
  if (text.starts_with("http://")) {
    entry.scheme = Scheme::kHttp;
    text.remove_prefix(7);
  }
  if (text.starts_with("*.")) {
    entry.wildcard = true;
    text.remove_prefix(2);
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return base::fail(ErrorCode::kInvalidArgument, "the port is missing");
  HF_TRY(entry.host, parse_host(text.substr(0, colon)));
  HF_TRY(entry.port, parse_port(text.substr(colon + 1)));
  const auto address = IpAddress::parse(entry.host);
  if (entry.wildcard && (address || !has_two_labels(entry.host))) {
    return base::fail(ErrorCode::kInvalidArgument,
                      "what follows \"*.\" must be a DNS name of two labels or more");
  }
  if (address && address->reach() == Reach::kNever) {
    return base::fail(ErrorCode::kInvalidArgument, "no single peer is reached under this address");
  }
  if (address) entry.private_network = address->reach() == Reach::kPrivate;
  return entry;
}

bool matches(const EgressEntry& entry, const Url& url) {
  if (entry.scheme != url.scheme || entry.port != url.port) return false;
  if (!entry.wildcard) return entry.host == url.host;
  const std::size_t dot = url.host.find('.');
  return dot != std::string::npos && std::string_view(url.host).substr(dot + 1) == entry.host;
}

}  // namespace

Result<EgressPolicy> EgressPolicy::parse(std::span<const std::string> entries) {
  if (entries.size() > kMaxEntries) {
    return base::fail(ErrorCode::kLimitExceeded,
                      fmt::format("egress.allow holds over {} entries", kMaxEntries));
  }
  EgressPolicy policy;
  for (const auto& text : entries) {
    auto entry = parse_entry(text);
    if (!entry) {
      return base::fail(
          ErrorCode::kInvalidArgument,
          fmt::format("egress.allow holds \"{}\": {}; an entry is host:port, with http:// before it "
                      "for plain HTTP and \" private\" after it for a host inside",
                      text, entry.error().message));
    }
    policy.entries_.push_back(*std::move(entry));
  }
  return policy;
}

Result<EgressEntry> EgressPolicy::permit(const Url& url) const {
  const auto of = [&](bool wildcard) {
    return std::find_if(entries_.begin(), entries_.end(),
                        [&](const EgressEntry& e) { return e.wildcard == wildcard && matches(e, url); });
  };
  // The exact entry decides before a wildcard does: only one of them may be marked private.
  auto found = of(false);
  if (found == entries_.end()) found = of(true);
  if (found != entries_.end()) return *found;
  const EgressEntry wanted{.scheme = url.scheme, .host = url.host, .port = url.port};
  return base::fail(ErrorCode::kPermissionDenied,
                    fmt::format("{} is no allowed destination; to allow it, add \"{}\" to egress.allow",
                                url.authority(), shown(wanted)));
}

Result<> permit_address(const EgressEntry& entry, const IpAddress& address) {
  switch (address.reach()) {
    case Reach::kGlobal:
      return {};
    case Reach::kPrivate:
      if (entry.private_network) return {};
      return base::fail(
          ErrorCode::kPermissionDenied,
          fmt::format("{} resolves to {}, which lies inside; if that is meant, write \"{} private\" "
                      "in egress.allow",
                      entry.host, address.text(), shown(entry)));
    case Reach::kNever:
      break;
  }
  return base::fail(
      ErrorCode::kPermissionDenied,
      fmt::format("{} resolves to {}, under which no single peer is reached", entry.host, address.text()));
}

}  // namespace holdfast::net
