#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "net/http.h"

// For net/ alone: one request on one connection of its own, by libcurl.

namespace holdfast::net {

struct Transfer {
  const Request* request = nullptr;
  std::string url;    // of parts that were checked
  std::string shown;  // the other side, for messages
  // One of the two: an allowed host, or a Unix socket.
  std::optional<EgressEntry> entry = {};
  std::filesystem::path socket = {};
  const HttpClientOptions* tls = nullptr;  // with `entry`
};

base::Result<Response> perform(const Transfer& transfer);

}  // namespace holdfast::net
