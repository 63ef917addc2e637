#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "server/deployment.h"
#include "server/installation.h"
#include "server/listener.h"
#include "server/log_restart.h"
#include "server/router.h"
#include "server/server_certificate.h"
#include "server/upkeep.h"

namespace holdfast::server {

struct HostOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8443;       // 0 takes a free one
  std::vector<std::string> names;  // DNS names and IP addresses of the certificate
  WatchOptions watch;
};

// An installation with all that runs in it: its router, its engines, its deliveries and its listeners.
class Host {
 public:
  static constexpr std::string_view kSocketFile = "holdfast.sock";
  static constexpr std::string_view kAuthorityFile = "ca.pem";

  // Loads every release in force and listens, by TLS and on the Unix socket of the state folder. The
  // certificate is issued anew, and again before it expires, by the installation's own authority, whose
  // certificate lies in the state folder as ca.pem for those who are to trust it. kUnavailable where the port
  // is taken.
  static base::Result<std::unique_ptr<Host>> start(Installation& installation, const HostOptions& options);
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  ~Host();

  [[nodiscard]] std::uint16_t port() const { return listener_->port(); }

  // To be asked from time to time: who asks whether the server is ready is told by what was found here.
  LogState look_at_log();

 private:
  explicit Host(Installation& installation, const HostOptions& options);
  base::Result<> listen(Installation& installation, const HostOptions& options);
  base::Result<> renew_certificate();

  Installation& installation_;
  Deployment deployment_;
  Router router_;
  std::unique_ptr<ServerCertificate> certificate_;
  std::unique_ptr<Listener> listener_;  // it serves from those before until it is gone
  std::unique_ptr<Upkeep> upkeep_;      // last: it renews what the listener shows
};

}  // namespace holdfast::server
