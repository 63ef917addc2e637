#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/sign.h"
#include "crypto/x509.h"

// A small certificate authority for the installation's own servers and workloads: one self-signed root that
// signs leaves and nothing else (path length 0). What it issued is for the caller to record. Immutable, so it
// may be used from several threads.

namespace holdfast::crypto {

struct ServerNames {
  std::vector<std::string> dns;  // ASCII labels; "*." may stand first
  std::vector<std::string> ip;   // IPv4 or IPv6 as text
};

class CertificateAuthority {
 public:
  static constexpr std::chrono::days kLifetime{3652};  // ten years
  // Certificates begin this much in the past, for hosts whose clocks are behind.
  static constexpr std::chrono::minutes kBackdate{5};
  static constexpr std::size_t kMaxNames = 100;

  // With a fresh P-256 key. `name` becomes the common name: 1 to 64 characters of UTF-8.
  static base::Result<CertificateAuthority> create(std::string_view name, const base::Clock& clock,
                                                   base::RandomSource& random);
  // kInvalidArgument where the certificate is no authority's or has another key.
  static base::Result<CertificateAuthority> load(Certificate certificate, PrivateKey key);

  [[nodiscard]] const Certificate& certificate() const { return certificate_; }
  [[nodiscard]] const PrivateKey& key() const { return key_; }

  // For TLS servers under 1 to kMaxNames names, from now (less kBackdate) for `lifetime`. kInvalidArgument
  // for a name that is malformed, and for a lifetime that is not positive or outlasts the authority.
  [[nodiscard]] base::Result<Certificate> issue_server(const PublicKey& subject, const ServerNames& names,
                                                       std::chrono::seconds lifetime,
                                                       const base::Clock& clock,
                                                       base::RandomSource& random) const;
  // For TLS clients under one SPIFFE id (SPIFFE-ID, section 2): spiffe://<trust domain>/<path>.
  [[nodiscard]] base::Result<Certificate> issue_client(const PublicKey& subject, std::string_view spiffe_id,
                                                       std::chrono::seconds lifetime,
                                                       const base::Clock& clock,
                                                       base::RandomSource& random) const;

 private:
  CertificateAuthority(Certificate certificate, PrivateKey key)
      : certificate_(std::move(certificate)), key_(std::move(key)) {}
  Certificate certificate_;
  PrivateKey key_;
};

}  // namespace holdfast::crypto
