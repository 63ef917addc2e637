#include "server/host.h"

#include <arpa/inet.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/x509_authority.h"
#include "net/address.h"
#include "server/api.h"

namespace holdfast::server {

using base::Result;

namespace {

constexpr std::chrono::days kCertificateLife{90};

bool is_address(const std::string& name) {
  in6_addr binary{};
  return ::inet_pton(AF_INET, name.c_str(), &binary) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), &binary) == 1;
}

// Whether nobody outside of this host or its private network can reach the address (RFC 1918, RFC 4193).
bool is_private(const std::string& address) {
  const auto parsed = net::IpAddress::parse(address);
  return parsed && parsed->reach() == net::Reach::kPrivate;
}

crypto::ServerNames names_of(const std::vector<std::string>& names) {
  crypto::ServerNames sorted;
  for (const auto& name : names) (is_address(name) ? sorted.ip : sorted.dns).push_back(name);
  return sorted;
}

}  // namespace

Host::Host(Installation& installation, const HostOptions& options)
    : deployment_(installation, options.watch),
      router_(api_routes({.installation = installation, .deployment = deployment_}), installation.access(),
              Installation::workspace(), ::geteuid()),
      upkeep_(installation, deployment_) {}

Host::~Host() = default;

Result<std::unique_ptr<Host>> Host::start(Installation& installation, const HostOptions& options) {
  std::unique_ptr<Host> host(new Host(installation, options));
  HF_CHECK(host->deployment_.restore());
  HF_CHECK(installation.start_delivery());
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
  const auto key = crypto::PrivateKey::generate(crypto::KeyAlgorithm::kEcdsaP256);
  HF_TRY(const auto certificate, authority.issue_server(key.public_key(), names_of(options.names),
                                                        kCertificateLife, clock, base::system_random()));
  const auto counts = std::make_shared<ConnectionCounts>();
  deployment_.observe(options.address, is_private(options.address), counts);
  HF_TRY(auto listener, Listener::start({.address = options.address,
                                         .port = options.port,
                                         .certificate_chain_pem = certificate.to_pem(),
                                         .private_key_pem = key.to_pem(),
                                         .unix_socket = folder / kSocketFile,
                                         .counts = counts},
                                        router_));
  listener_ = std::make_unique<Listener>(std::move(listener));
  return {};
}

}  // namespace holdfast::server
