#include "policy/extension_ipaddr.h"

#include <fmt/format.h>

#include <vector>

namespace holdfast::policy {
namespace {

constexpr std::size_t kMaxText = 43;  // "xxxx:" * 7 + "xxxx" + "/128"
constexpr std::size_t kGroups = 8;
constexpr std::uint8_t kBits4 = 32;
constexpr std::uint8_t kBits6 = 128;

// A decimal number without leading zeros, at most `limit`.
std::optional<std::uint8_t> small_number(std::string_view text, unsigned limit) {
  if (text.empty() || text.size() > 3 || (text[0] == '0' && text.size() > 1)) return std::nullopt;
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  if (value > limit) return std::nullopt;
  return static_cast<std::uint8_t>(value);
}

std::vector<std::string_view> split(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0;;) {
    const std::size_t end = text.find(separator, at);
    if (end == std::string_view::npos) {
      parts.push_back(text.substr(at));
      return parts;
    }
    parts.push_back(text.substr(at, end - at));
    at = end + separator.size();
  }
}

bool parse_ipv4(std::string_view text, std::array<std::uint8_t, 16>& bytes) {
  const auto parts = split(text, ".");
  if (parts.size() != 4) return false;
  for (std::size_t i = 0; i < 4; ++i) {
    const auto part = small_number(parts[i], 255);
    if (!part) return false;
    bytes[i] = *part;
  }
  return true;
}

std::optional<unsigned> hex_group(std::string_view text) {
  if (text.empty() || text.size() > 4) return std::nullopt;
  unsigned value = 0;
  for (const char c : text) {
    const char lower = static_cast<char>(c | 0x20);
    if (c >= '0' && c <= '9') {
      value = value * 16 + static_cast<unsigned>(c - '0');
    } else if (lower >= 'a' && lower <= 'f') {
      value = value * 16 + static_cast<unsigned>(lower - 'a' + 10);
    } else {
      return std::nullopt;
    }
  }
  return value;
}

bool append_groups(std::string_view text, std::vector<unsigned>& groups) {
  if (text.empty()) return true;
  for (const auto part : split(text, ":")) {
    const auto group = hex_group(part);
    if (!group) return false;
    groups.push_back(*group);
  }
  return true;
}

// RFC 4291 section 2.2, forms 1 and 2; "::" stands for one group of zeros at least.
bool parse_ipv6(std::string_view text, std::array<std::uint8_t, 16>& bytes) {
  const auto halves = split(text, "::");
  std::vector<unsigned> groups;
  if (halves.size() > 2 || text.empty() || !append_groups(halves[0], groups)) return false;
  if (halves.size() == 2) {
    std::vector<unsigned> tail;
    if (!append_groups(halves[1], tail) || groups.size() + tail.size() >= kGroups) return false;
    groups.resize(kGroups - tail.size(), 0);
    groups.insert(groups.end(), tail.begin(), tail.end());
  }
  if (groups.size() != kGroups) return false;
  for (std::size_t i = 0; i < kGroups; ++i) {
    bytes[2 * i] = static_cast<std::uint8_t>(groups[i] >> 8);
    bytes[2 * i + 1] = static_cast<std::uint8_t>(groups[i]);
  }
  return true;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.size() > kMaxText) return std::nullopt;
  const std::size_t slash = text.find('/');
  const std::string_view address = text.substr(0, slash);
  IpAddress result;
  if (!parse_ipv4(address, result.bytes_)) {
    result.bytes_ = {};
    result.v6_ = true;
    if (!parse_ipv6(address, result.bytes_)) return std::nullopt;
  }
  result.prefix_ = result.v6_ ? kBits6 : kBits4;
  if (slash != std::string_view::npos) {
    const auto prefix = small_number(text.substr(slash + 1), result.prefix_);
    if (!prefix) return std::nullopt;
    result.prefix_ = *prefix;
  }
  return result;
}

bool IpAddress::is_loopback() const {
  static const IpAddress kLoopback4 = *parse("127.0.0.0/8");
  static const IpAddress kLoopback6 = *parse("::1");
  return is_in_range(v6_ ? kLoopback6 : kLoopback4);
}

bool IpAddress::is_multicast() const {
  static const IpAddress kMulticast4 = *parse("224.0.0.0/4");
  static const IpAddress kMulticast6 = *parse("ff00::/8");
  return is_in_range(v6_ ? kMulticast6 : kMulticast4);
}

bool IpAddress::is_in_range(const IpAddress& other) const {
  if (v6_ != other.v6_ || prefix_ < other.prefix_) return false;
  const std::size_t whole = other.prefix_ / 8;
  for (std::size_t i = 0; i < whole; ++i) {
    if (bytes_[i] != other.bytes_[i]) return false;
  }
  const unsigned rest = other.prefix_ % 8;
  return rest == 0 || ((bytes_[whole] ^ other.bytes_[whole]) >> (8 - rest)) == 0;
}

std::string IpAddress::text() const {
  if (!v6_) return fmt::format("{}.{}.{}.{}/{}", bytes_[0], bytes_[1], bytes_[2], bytes_[3], prefix_);
  std::string out;
  for (std::size_t i = 0; i < kGroups; ++i) {
    out += fmt::format("{}{:x}", i == 0 ? "" : ":", bytes_[2 * i] * 256 + bytes_[2 * i + 1]);
  }
  return out + fmt::format("/{}", prefix_);
}

}  // namespace holdfast::policy
