#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/sign.h"

// X.509 certificates (RFC 5280): read, and verified against roots that somebody chose. Plain values.

namespace holdfast::crypto {

inline constexpr std::size_t kMaxCertificateBytes = 64UL << 10;
inline constexpr std::size_t kMaxIntermediates = 16;

class Certificate {
 public:
  // One certificate and nothing after it: kInvalidArgument otherwise. Nothing about it is verified.
  static base::Result<Certificate> from_der(base::ByteView der);
  // Exactly one block CERTIFICATE.
  static base::Result<Certificate> from_pem(std::string_view pem);

  [[nodiscard]] const base::Bytes& der() const { return der_; }
  [[nodiscard]] std::string to_pem() const;
  [[nodiscard]] base::Digest fingerprint() const;  // SHA-256 of der()

  [[nodiscard]] const std::string& subject() const { return subject_; }  // RFC 2253, ASCII; may be empty
  [[nodiscard]] const std::string& serial() const { return serial_; }    // hexadecimal
  [[nodiscard]] base::Timestamp not_before() const { return not_before_; }
  [[nodiscard]] base::Timestamp not_after() const { return not_after_; }
  // The URIs among the subject's alternative names, e.g. a workload's spiffe://... Bytes as they stand.
  [[nodiscard]] const std::vector<std::string>& uris() const { return uris_; }
  // Likewise the addresses (rfc822Name) and host names (dNSName), where they are ASCII.
  [[nodiscard]] const std::vector<std::string>& emails() const { return emails_; }
  [[nodiscard]] const std::vector<std::string>& dns_names() const { return dns_names_; }
  // kUnsupported for a key that sign.h does not accept, e.g. RSA.
  [[nodiscard]] base::Result<PublicKey> public_key() const;

  friend bool operator==(const Certificate& a, const Certificate& b) { return a.der_ == b.der_; }

 private:
  Certificate() = default;
  base::Bytes der_;
  std::string subject_;
  std::string serial_;
  base::Timestamp not_before_;
  base::Timestamp not_after_;
  std::vector<std::string> uris_;
  std::vector<std::string> emails_;
  std::vector<std::string> dns_names_;
};

// Every block of PEM text, all of which must be certificates; one at least.
base::Result<std::vector<Certificate>> parse_certificates(std::string_view pem);

enum class CertificateUse {
  kServer,   // TLS; whether the name is the one that was called is for the caller to check
  kClient,   // TLS
  kSigning,  // of artefacts: key usage digitalSignature, or extended key usage codeSigning
};

// Whether `leaf` may be used so at that time, by a chain through any of `intermediates` up to a self-signed
// one of `roots`. Keys and digests under 112 bits of strength are refused. kUnauthenticated with the reason
// and the certificate it concerns; kLimitExceeded for more than kMaxIntermediates.
base::Result<> verify_chain(const Certificate& leaf, std::span<const Certificate> intermediates,
                            std::span<const Certificate> roots, CertificateUse use, base::Timestamp at);

}  // namespace holdfast::crypto
