#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::policy {

// Cedar's `ipaddr`: an IPv4 or IPv6 address with the length of its network prefix. Two are equal only when
// their prefixes are too: ip("10.0.0.1") is not ip("10.0.0.1/24").
class IpAddress {
 public:
  // "10.0.0.1", "10.0.0.0/8", "::1", "fe80::/10". No leading zeros, no zone, no IPv4 written inside IPv6.
  static std::optional<IpAddress> parse(std::string_view text);

  [[nodiscard]] bool is_ipv4() const { return !v6_; }
  [[nodiscard]] bool is_ipv6() const { return v6_; }
  [[nodiscard]] bool is_loopback() const;   // within 127.0.0.0/8, or ::1
  [[nodiscard]] bool is_multicast() const;  // within 224.0.0.0/4 or ff00::/8
  // Every address of this network is one of `other`. False across families.
  [[nodiscard]] bool is_in_range(const IpAddress& other) const;
  [[nodiscard]] std::string text() const;  // with the prefix: "10.0.0.1/32", "0:0:0:0:0:0:0:1/128"

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  bool v6_ = false;
  std::array<std::uint8_t, 16> bytes_{};  // network order; the first four for IPv4
  std::uint8_t prefix_ = 0;               // bits: up to 32 or 128
};

}  // namespace holdfast::policy
