#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <span>
#include <string>

namespace holdfast::net {
namespace {

using base::ByteView;

struct Block {
  std::array<std::uint8_t, 16> prefix;
  std::size_t bits;
  Reach reach;
};

// https://www.iana.org/assignments/iana-ipv4-special-registry: what is not here is global. Blocks for
// documentation and benchmarks are private: nobody's peer lies there but by somebody's own doing.
constexpr Block kIpv4[] = {
    {{0}, 8, Reach::kNever},  // "this host": connects to this machine
    {{10}, 8, Reach::kPrivate},
    {{100, 64}, 10, Reach::kPrivate},
    {{127}, 8, Reach::kPrivate},
    {{169, 254}, 16, Reach::kPrivate},
    {{172, 16}, 12, Reach::kPrivate},
    {{192, 0, 0}, 24, Reach::kPrivate},
    {{192, 0, 2}, 24, Reach::kPrivate},
    {{192, 88, 99}, 24, Reach::kNever},  // 6to4 relays
    {{192, 168}, 16, Reach::kPrivate},
    {{198, 18}, 15, Reach::kPrivate},
    {{198, 51, 100}, 24, Reach::kPrivate},
    {{203, 0, 113}, 24, Reach::kPrivate},
    {{224}, 3, Reach::kNever},  // multicast, reserved, broadcast
};

// https://www.iana.org/assignments/iana-ipv6-special-registry: what is in none of these is global within
// 2000::/3 and never elsewhere. The first that holds the address counts.
constexpr Block kIpv6[] = {
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, Reach::kPrivate},  // loopback
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, Reach::kPrivate},               // NAT64 of a site
    {{0xfc}, 7, Reach::kPrivate},                                              // unique local
    {{0xfe, 0x80}, 10, Reach::kPrivate},                                       // link-local
    {{0x20, 0x01}, 23, Reach::kNever},                // Teredo, ORCHID and their like
    {{0x20, 0x01, 0x0d, 0xb8}, 32, Reach::kPrivate},  // documentation
    {{0x20, 0x02}, 16, Reach::kNever},                // 6to4
    {{0x3f, 0xff, 0x00}, 20, Reach::kPrivate},        // documentation
    {{0x20}, 3, Reach::kGlobal},
    {{0}, 0, Reach::kNever},
};

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0,    0,
                                               0, 0, 0, 0, 0xff, 0xff};  // RFC 4291, 2.5.5.2
constexpr std::array<std::uint8_t, 12> kNat64{0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0};  // RFC 6052, 2.1

bool holds(const Block& block, ByteView address) {
  const std::size_t whole = block.bits / 8;
  if (!std::equal(address.begin(), address.begin() + static_cast<std::ptrdiff_t>(whole),
                  block.prefix.begin())) {
    return false;
  }
  const unsigned rest = static_cast<unsigned>(block.bits % 8);
  return rest == 0 || (address[whole] >> (8 - rest)) == (block.prefix[whole] >> (8 - rest));
}

Reach reach_in(std::span<const Block> blocks, ByteView address, Reach otherwise) {
  const auto found =
      std::find_if(blocks.begin(), blocks.end(), [&](const Block& b) { return holds(b, address); });
  return found == blocks.end() ? otherwise : found->reach;
}

Reach reach_ipv4(ByteView address) { return reach_in(kIpv4, address, Reach::kGlobal); }

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string terminated(text);
  IpAddress address;
  for (const int family : {AF_INET, AF_INET6}) {
    if (::inet_pton(family, terminated.c_str(), address.bytes_.data()) != 1) continue;
    address.size_ = family == AF_INET ? 4 : 16;
    return address;
  }
  return std::nullopt;
}

std::optional<IpAddress> IpAddress::from_bytes(ByteView bytes) {
  if (bytes.size() != 4 && bytes.size() != 16) return std::nullopt;
  IpAddress address;
  std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
  address.size_ = bytes.size();
  return address;
}

Reach IpAddress::reach() const {
  const ByteView bytes(bytes_.data(), size_);
  if (size_ == 4) return reach_ipv4(bytes);
  if (size_ != 16) return Reach::kNever;
  for (const auto& carrier : {kMapped, kNat64}) {
    if (std::equal(carrier.begin(), carrier.end(), bytes.begin())) return reach_ipv4(bytes.subspan(12));
  }
  return reach_in(kIpv6, bytes, Reach::kNever);
}

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (size_ == 0 ||
      ::inet_ntop(size_ == 4 ? AF_INET : AF_INET6, bytes_.data(), text.data(), text.size()) == nullptr) {
    return {};
  }
  return text.data();
}

}  // namespace holdfast::net
