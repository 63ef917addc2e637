#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/dsse.h"
#include "crypto/sign.h"
#include "crypto/x509.h"

// The Sigstore bundle, version 0.3, in the two forms that OpenSSF Model Signing gives it when there is no
// Sigstore service: signed with a bare key or under a certificate chain (github.com/sigstore/protobuf-specs,
// sigstore_bundle.proto). Plain values.

namespace holdfast::inspect {

inline constexpr std::size_t kMaxBundleBytes = 64UL << 20;
inline constexpr std::size_t kMaxBundleCertificates = crypto::kMaxIntermediates + 1;

struct SigningBundle {
  std::string key_hint;                           // empty: none, as releases before 1.1 write it
  std::vector<crypto::Certificate> certificates;  // leaf first; empty: signed with a bare key
  crypto::DsseEnvelope envelope;
};

// How bundles name a key: hexadecimal SHA-256 of its PEM text.
std::string key_hint(const crypto::PublicKey& key);

// Unknown members are refused, as the tool's own parser does. kDataCorrupt for what is malformed,
// kUnsupported for a bundle of a Sigstore service (one certificate, entries of a transparency log),
// kLimitExceeded over the bounds above.
base::Result<SigningBundle> parse_bundle(std::string_view json);

std::string write_bundle(const SigningBundle& bundle);

}  // namespace holdfast::inspect
