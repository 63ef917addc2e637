#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/address.h"
#include "net/url.h"

// Where this program may connect to: nowhere but to what the configuration names. A request is decided twice:
// by name before anything is resolved, and by address when the connection is made, to that very address, so
// that a name which resolves to the inside (SSRF, DNS rebinding) leads nowhere. Immutable; shared by any
// number of threads.

namespace holdfast::net {

struct EgressEntry {
  Scheme scheme = Scheme::kHttps;
  std::string host;  // as Url::host; "example.com" with wildcard set for "*.example.com"
  std::uint16_t port = 443;
  bool wildcard = false;         // exactly one label more than `host`
  bool private_network = false;  // may resolve to an address of Reach::kPrivate, or is one
};

class EgressPolicy {
 public:
  static constexpr std::size_t kMaxEntries = 1'000;

  // Allows nothing.
  EgressPolicy() = default;

  // One entry a text:
  //   hooks.example.com:443            HTTPS to this host and port
  //   *.example.com:443                ... to any name with one label before it
  //   siem.corp:8443 private           ... even where it resolves to a private address
  //   10.0.0.7:8443, [::1]:8443        ... to this address, private or not
  //   http://127.0.0.1:9000            plain HTTP, never HTTPS
  // kInvalidArgument quotes the entry and says what it must be; kLimitExceeded over kMaxEntries.
  static base::Result<EgressPolicy> parse(std::span<const std::string> entries);

  // The entry that allows this scheme, host and port. kPermissionDenied names what to add to egress.allow.
  [[nodiscard]] base::Result<EgressEntry> permit(const Url& url) const;

  [[nodiscard]] std::span<const EgressEntry> entries() const { return entries_; }

 private:
  std::vector<EgressEntry> entries_;
};

// Whether a connection for this entry may go to that address. kPermissionDenied with the remedy.
base::Result<> permit_address(const EgressEntry& entry, const IpAddress& address);

}  // namespace holdfast::net
