#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace holdfast::net {

// Who can be reached under an IP address. Plain values.
enum class Reach {
  kGlobal,   // the internet
  kPrivate,  // this machine, its links or its site: loopback, link-local, RFC 1918, RFC 4193, RFC 6598, ...
  kNever,    // no single peer: unspecified, multicast, broadcast, reserved
};

// IPv4 in 4 bytes, IPv6 in 16; network byte order.
class IpAddress {
 public:
  // Strict text: four decimal numbers without leading zeros, or IPv6 (RFC 4291) without zone or brackets.
  static std::optional<IpAddress> parse(std::string_view text);
  // From the bytes of an in_addr or an in6_addr; nothing for another count.
  static std::optional<IpAddress> from_bytes(base::ByteView bytes);

  // By IANA's registries of special-purpose addresses. An IPv6 address that carries an IPv4 one (mapped,
  // NAT64) reaches what that one reaches; what could tunnel elsewhere (6to4, Teredo) is never.
  [[nodiscard]] Reach reach() const;

  // The one text of it (RFC 5952), without brackets; empty for an address that was never set.
  [[nodiscard]] std::string text() const;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
  std::size_t size_ = 0;
};

}  // namespace holdfast::net
