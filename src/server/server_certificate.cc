#include "server/server_certificate.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>

namespace holdfast::server {
namespace {

bool is_address(const std::string& name) {
  in6_addr binary{};
  return ::inet_pton(AF_INET, name.c_str(), &binary) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), &binary) == 1;
}

crypto::ServerNames sorted(const std::vector<std::string>& names) {
  crypto::ServerNames both;
  for (const auto& name : names) (is_address(name) ? both.ip : both.dns).push_back(name);
  return both;
}

}  // namespace

ServerCertificate::ServerCertificate(crypto::CertificateAuthority authority,
                                     const std::vector<std::string>& names, const base::Clock& clock)
    : authority_(std::move(authority)), names_(sorted(names)), clock_(&clock) {}

base::Result<ServerCertificate::Issued> ServerCertificate::issue() {
  const auto authority_ends = authority_.certificate().not_after();
  const auto left = std::chrono::duration_cast<std::chrono::seconds>(authority_ends - clock_->now());
  if (left <= std::chrono::seconds(0)) {
    return base::fail(base::ErrorCode::kUnavailable,
                      fmt::format("the installation's certificate authority ended at {}: no certificate of "
                                  "the server can be made any more",
                                  authority_ends.text()));
  }
  const auto life = std::min<std::chrono::seconds>(kLife, left);
  const auto key = crypto::PrivateKey::generate(crypto::KeyAlgorithm::kEcdsaP256);
  HF_TRY(const auto certificate,
         authority_.issue_server(key.public_key(), names_, life, *clock_, base::system_random()));
  const base::MutexLock lock(mutex_);
  ends_ = certificate.not_after();
  return Issued{.chain_pem = certificate.to_pem(), .key_pem = key.to_pem(), .ends = ends_};
}

bool ServerCertificate::due() {
  const base::MutexLock lock(mutex_);
  return ends_ - clock_->now() <= kRenewBefore;
}

}  // namespace holdfast::server
