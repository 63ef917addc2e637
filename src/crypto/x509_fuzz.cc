#include "base/assert.h"
#include "crypto/x509.h"

// A certificate that parses keeps its bytes; no chain leads to a root that nobody named.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast::crypto;
  const holdfast::base::ByteView input(data, size);
  auto certificates = parse_certificates(holdfast::base::as_text(input)).value_or(std::vector<Certificate>());
  if (auto alone = Certificate::from_der(input)) {
    HF_ASSERT(std::equal(input.begin(), input.end(), alone->der().begin(), alone->der().end()));
    certificates.push_back(*std::move(alone));
  }
  if (certificates.empty()) return 0;
  const auto& leaf = certificates.front();
  HF_ASSERT(Certificate::from_pem(leaf.to_pem()) == leaf);
  static_cast<void>(leaf.public_key());
  const std::span<const Certificate> others =
      std::span(certificates)
          .first(certificates.size() <= kMaxIntermediates ? certificates.size() : kMaxIntermediates);
  for (const auto use : {CertificateUse::kServer, CertificateUse::kClient, CertificateUse::kSigning}) {
    HF_ASSERT(!verify_chain(leaf, others, {}, use, leaf.not_before()));
    static_cast<void>(verify_chain(leaf, others, others, use, leaf.not_before()));
  }
  return 0;
}
