#include "crypto/x509.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <chrono>
#include <ctime>

#include "base/assert.h"
#include "base/encoding.h"
#include "crypto/pem.h"
#include "crypto/sha256.h"
#include "crypto/sign_handle.h"

namespace holdfast::crypto {

using base::Bytes;
using base::ByteView;
using base::Digest;
using base::ErrorCode;
using base::fail;
using base::Result;
using base::Timestamp;

namespace {

using X509Ptr = Owned<X509, X509_free>;
using Memory = Owned<BIO, BIO_free_all>;
using Names = Owned<GENERAL_NAMES, GENERAL_NAMES_free>;
using Stack = Owned<STACK_OF(X509), [](STACK_OF(X509) * stack) { sk_X509_pop_free(stack, X509_free); }>;

constexpr int kMaxDepth = 8;       // certificates between leaf and root
constexpr int kSecurityLevel = 2;  // SSL_CTX_set_security_level(3): 112 bits
constexpr std::string_view kLabel = "CERTIFICATE";

tl::unexpected<base::Error> malformed(std::string_view why) {
  ERR_clear_error();
  return fail(ErrorCode::kInvalidArgument, fmt::format("the certificate is malformed: {}", why));
}

X509Ptr decode(ByteView der) {
  const std::uint8_t* at = der.data();
  X509Ptr certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (at != der.data() + der.size()) certificate.reset();
  return certificate;
}

Result<Timestamp> timestamp(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return malformed("a time of its validity is no time");
  const std::chrono::year_month_day date{std::chrono::year{parts.tm_year + 1900},
                                         std::chrono::month{static_cast<unsigned>(parts.tm_mon + 1)},
                                         std::chrono::day{static_cast<unsigned>(parts.tm_mday)}};
  const auto moment = std::chrono::sys_days{date} + std::chrono::hours{parts.tm_hour} +
                      std::chrono::minutes{parts.tm_min} + std::chrono::seconds{parts.tm_sec};
  return Timestamp::from_microseconds(std::chrono::microseconds(moment.time_since_epoch()).count());
}

std::string subject_text(const X509* certificate) {
  const Memory text(BIO_new(BIO_s_mem()));
  HF_ASSERT(text != nullptr);
  X509_NAME_print_ex(text.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
  char* data = nullptr;
  const long size = BIO_get_mem_data(text.get(), &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

ByteView bytes_of(const ASN1_STRING* string) {
  return {ASN1_STRING_get0_data(string), static_cast<std::size_t>(ASN1_STRING_length(string))};
}

struct AlternativeNames {
  std::vector<std::string> uris;
  std::vector<std::string> emails;
  std::vector<std::string> dns_names;
};

// An IA5String (RFC 5280, section 4.2.1.6). Nothing else: a NUL or a byte beyond ASCII would let a name pass
// for another one.
bool is_plain(std::string_view name) {
  return std::ranges::all_of(name, [](unsigned char c) { return c > ' ' && c < 0x7f; });
}

Result<AlternativeNames> names_of(const X509* certificate) {
  int critical = 0;
  const Names names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, &critical, nullptr)));
  if (names == nullptr && critical != -1)
    return malformed("its alternative names can't be read or stand twice");
  AlternativeNames found;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_URI)
      found.uris.emplace_back(base::as_text(bytes_of(name->d.uniformResourceIdentifier)));
    const bool is_email = name->type == GEN_EMAIL;
    if (!is_email && name->type != GEN_DNS) continue;
    const auto text = base::as_text(bytes_of(is_email ? name->d.rfc822Name : name->d.dNSName));
    if (is_plain(text)) (is_email ? found.emails : found.dns_names).emplace_back(text);
  }
  return found;
}

Stack stack_of(std::span<const Certificate> certificates) {
  Stack stack(sk_X509_new_null());
  HF_ASSERT(stack != nullptr);
  for (const Certificate& certificate : certificates) {
    X509Ptr decoded = decode(certificate.der());
    HF_ASSERT(decoded != nullptr && sk_X509_push(stack.get(), decoded.release()) > 0);
  }
  return stack;
}

// The rule of the Python tool model_signing for who may sign (sign_certificate.py, _verify_certificates).
bool may_sign(X509* leaf) {
  const std::uint32_t present = X509_get_extension_flags(leaf);
  const bool by_usage =
      (present & EXFLAG_KUSAGE) != 0 && (X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE) != 0;
  const bool by_extended =
      (present & EXFLAG_XKUSAGE) != 0 && (X509_get_extended_key_usage(leaf) & XKU_CODE_SIGN) != 0;
  return by_usage || by_extended;
}

void set_rules(X509_VERIFY_PARAM* rules, CertificateUse use, Timestamp at) {
  X509_VERIFY_PARAM_set_time(rules, static_cast<std::time_t>(at.microseconds() / 1'000'000));
  X509_VERIFY_PARAM_set_depth(rules, kMaxDepth);
  X509_VERIFY_PARAM_set_auth_level(rules, kSecurityLevel);
  if (use == CertificateUse::kServer) X509_VERIFY_PARAM_set_purpose(rules, X509_PURPOSE_SSL_SERVER);
  if (use == CertificateUse::kClient) X509_VERIFY_PARAM_set_purpose(rules, X509_PURPOSE_SSL_CLIENT);
}

}  // namespace

Result<Certificate> Certificate::from_der(ByteView der) {
  if (der.size() > kMaxCertificateBytes) return malformed("it is too long");
  const X509Ptr decoded = decode(der);
  if (decoded == nullptr) return malformed("it is no DER of RFC 5280");
  Certificate certificate;
  certificate.der_.assign(der.begin(), der.end());
  certificate.subject_ = subject_text(decoded.get());
  certificate.serial_ = base::hex_encode(bytes_of(X509_get0_serialNumber(decoded.get())));
  HF_TRY(certificate.not_before_, timestamp(X509_get0_notBefore(decoded.get())));
  HF_TRY(certificate.not_after_, timestamp(X509_get0_notAfter(decoded.get())));
  HF_TRY(auto names, names_of(decoded.get()));
  certificate.uris_ = std::move(names.uris);
  certificate.emails_ = std::move(names.emails);
  certificate.dns_names_ = std::move(names.dns_names);
  ERR_clear_error();
  return certificate;
}

Result<Certificate> Certificate::from_pem(std::string_view pem) {
  HF_TRY(auto certificates, parse_certificates(pem));
  if (certificates.size() != 1) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("expected one certificate, found {}", certificates.size()));
  }
  return std::move(certificates.front());
}

std::string Certificate::to_pem() const { return std::string(write_pem(kLabel, der_).reveal_text()); }

Digest Certificate::fingerprint() const { return sha256(der_); }

Result<PublicKey> Certificate::public_key() const {
  const X509Ptr decoded = decode(der_);
  HF_ASSERT(decoded != nullptr);
  std::uint8_t* spki = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(decoded.get()), &spki);
  HF_ASSERT(size > 0);
  auto key = PublicKey::from_der({spki, static_cast<std::size_t>(size)});
  OPENSSL_free(spki);
  return key;
}

Result<std::vector<Certificate>> parse_certificates(std::string_view pem) {
  HF_TRY(const auto blocks, parse_pem(pem));
  std::vector<Certificate> certificates;
  for (const PemBlock& block : blocks) {
    if (block.label != kLabel) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("expected certificates alone, found a {}", block.label));
    }
    HF_TRY(Certificate certificate, Certificate::from_der(block.der.reveal()));
    certificates.push_back(std::move(certificate));
  }
  if (certificates.empty()) {
    return fail(ErrorCode::kInvalidArgument,
                "this is no certificate: expected a PEM block \"-----BEGIN CERTIFICATE-----\"");
  }
  return certificates;
}

Result<> verify_chain(const Certificate& leaf, std::span<const Certificate> intermediates,
                      std::span<const Certificate> roots, CertificateUse use, Timestamp at) {
  if (intermediates.size() > kMaxIntermediates) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("a chain takes at most {} intermediate certificates", kMaxIntermediates));
  }
  const X509Ptr decoded = decode(leaf.der());
  const Stack untrusted = stack_of(intermediates);
  const Stack trusted = stack_of(roots);
  const Owned<X509_STORE_CTX, X509_STORE_CTX_free> context(X509_STORE_CTX_new());
  HF_ASSERT(decoded != nullptr && context != nullptr &&
            X509_STORE_CTX_init(context.get(), nullptr, decoded.get(), untrusted.get()) == 1);
  X509_STORE_CTX_set0_trusted_stack(context.get(), trusted.get());
  set_rules(X509_STORE_CTX_get0_param(context.get()), use, at);
  const bool chained = X509_verify_cert(context.get()) == 1;
  const int reason = X509_STORE_CTX_get_error(context.get());
  const int depth = X509_STORE_CTX_get_error_depth(context.get());
  ERR_clear_error();
  if (!chained) {
    return fail(ErrorCode::kUnauthenticated,
                fmt::format("the certificate of \"{}\" (serial {}) is not trusted: {}{}", leaf.subject(),
                            leaf.serial(), X509_verify_cert_error_string(reason),
                            depth == 0 ? "" : fmt::format(", {} above it in the chain", depth)));
  }
  if (use == CertificateUse::kSigning && !may_sign(decoded.get())) {
    return fail(
        ErrorCode::kUnauthenticated,
        fmt::format("the certificate of \"{}\" (serial {}) is not for signing: it lacks the key usage "
                    "digitalSignature and the extended key usage codeSigning",
                    leaf.subject(), leaf.serial()));
  }
  return {};
}

}  // namespace holdfast::crypto
