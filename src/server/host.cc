#include "server/host.h"

#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "crypto/x509_authority.h"
#include "net/address.h"
#include "server/api.h"

namespace holdfast::server {

using base::Result;

namespace {

// Whether nobody outside of this host or its private network can reach the address (RFC 1918, RFC 4193).
bool is_private(const std::string& address) {
  const auto parsed = net::IpAddress::parse(address);
  return parsed && parsed->reach() == net::Reach::kPrivate;
}

}  // namespace

Host::Host(Installation& installation, const HostOptions& options)
    : installation_(installation),
      deployment_(installation, options.watch),
      router_(api_routes({.installation = installation, .deployment = deployment_}), installation.access(),
              Installation::workspace(), ::geteuid()) {}

Host::~Host() = default;

Result<std::unique_ptr<Host>> Host::start(Installation& installation, const HostOptions& options) {
  std::unique_ptr<Host> host(new Host(installation, options));
  HF_CHECK(host->deployment_.restore());
  HF_CHECK(installation.start_delivery());
  installation.start_work();
  HF_CHECK(host->listen(installation, options));
  return host;
}

Result<> Host::listen(Installation& installation, const HostOptions& options) {
  const auto& clock = base::system_clock();
  HF_TRY(const auto authority, installation.keys().authority(keys::installation_key("tls", "authority"),
                                                             "Holdfast local authority", clock));
  const auto& folder = installation.options().state;
  HF_CHECK(base::write_file_atomically(folder / kAuthorityFile,
                                       base::as_bytes(authority.certificate().to_pem()), 0644));
  certificate_ = std::make_unique<ServerCertificate>(authority, options.names, clock);
  HF_TRY(auto issued, certificate_->issue());
  const auto counts = std::make_shared<ConnectionCounts>();
  deployment_.observe(options.address, is_private(options.address), counts);
  HF_TRY(auto listener, Listener::start({.address = options.address,
                                         .port = options.port,
                                         .certificate_chain_pem = std::move(issued.chain_pem),
                                         .private_key_pem = std::move(issued.key_pem),
                                         .unix_socket = folder / kSocketFile,
                                         .counts = counts},
                                        router_));
  listener_ = std::make_unique<Listener>(std::move(listener));
  upkeep_ = std::make_unique<Upkeep>(installation, deployment_,
                                     UpkeepOptions{.also = [this] { return renew_certificate(); }});
  return {};
}

LogState Host::look_at_log() {
  const auto state = server::look_at_log(installation_);
  deployment_.set_recording(state == LogState::kStands);
  return state;
}

Result<> Host::renew_certificate() {
  if (!certificate_->due()) return {};
  HF_TRY(const auto issued, certificate_->issue());
  HF_CHECK(listener_->renew_certificate(issued.chain_pem, issued.key_pem));
  base::log(base::LogLevel::kInfo, "certificate_renewed", {{"until", issued.ends.text()}});
  return {};
}

}  // namespace holdfast::server
