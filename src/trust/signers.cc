#include "trust/signers.h"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/x509.h"
#include "trust/statement.h"

namespace holdfast::trust {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using crypto::Certificate;

bool names_it(const SignerEntry& entry, const Certificate& leaf) {
  const auto any = [](const std::vector<std::string>& patterns, const std::vector<std::string>& names) {
    return std::ranges::any_of(names, [&](const std::string& name) { return matches_any(patterns, name); });
  };
  return any(entry.uris, leaf.uris()) || any(entry.emails, leaf.emails()) ||
         any(entry.dns_names, leaf.dns_names());
}

Result<crypto::PublicKey> certified_key(const SignerEntry& entry, std::span<const Certificate> certificates) {
  if (certificates.empty()) {
    return fail(ErrorCode::kUnauthenticated,
                fmt::format("it is signed with a bare key, and {} goes by certificates", entry.name));
  }
  const Certificate& leaf = certificates.front();
  // As verification by roots has it (inspect/signing.h, SignerRoots): a signature outlives its certificate.
  HF_CHECK(crypto::verify_chain(leaf, certificates.subspan(1), entry.roots, crypto::CertificateUse::kSigning,
                                leaf.not_before()));
  if (names_it(entry, leaf)) return leaf.public_key();
  return fail(
      ErrorCode::kUnauthenticated,
      fmt::format("its certificate, of \"{}\", has none of the names of {}", leaf.subject(), entry.name));
}

Result<crypto::PublicKey> bare_key(const SignerEntry& entry, std::span<const Certificate> certificates) {
  if (!certificates.empty()) {
    return fail(ErrorCode::kUnauthenticated,
                fmt::format("it is signed under certificates, and {} goes by a key", entry.name));
  }
  if (entry.key) return *entry.key;
  return fail(
      ErrorCode::kUnavailable,
      fmt::format("the key {} of {} is not there; give its file by --key, or as key_file in the policy",
                  entry.key_id->prefixed(), entry.name));
}

}  // namespace

Result<SignedBy> signed_by(const SignerEntry& entry, const crypto::DsseEnvelope& envelope,
                           std::span<const Certificate> certificates) {
  auto key = entry.by_certificate() ? certified_key(entry, certificates) : bare_key(entry, certificates);
  if (!key) return fail(std::move(key).error());
  auto payload = envelope.verify(kStatementPayloadType, std::span(&*key, 1));
  if (!payload) {
    return fail(ErrorCode::kUnauthenticated,
                fmt::format("{} did not sign it: {}", entry.name, payload.error().message));
  }
  return SignedBy{.entry = &entry, .key = *std::move(key), .payload = payload->bytes()};
}

Result<> check_current(const SignerEntry& entry, base::Timestamp now) {
  if (!entry.expires || now < *entry.expires) return {};
  return fail(ErrorCode::kPermissionDenied,
              fmt::format("the signer {} was trusted until {} alone; renew the entry, or have it signed by "
                          "another",
                          entry.name, entry.expires->text()));
}

}  // namespace holdfast::trust
