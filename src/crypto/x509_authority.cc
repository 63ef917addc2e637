#include "crypto/x509_authority.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "base/assert.h"
#include "crypto/sign_handle.h"

namespace holdfast::crypto {

using base::Bytes;
using base::ByteView;
using base::Clock;
using base::ErrorCode;
using base::fail;
using base::RandomSource;
using base::Result;
using base::Timestamp;

namespace {

using X509Ptr = Owned<X509, X509_free>;
using Names = Owned<GENERAL_NAMES, GENERAL_NAMES_free>;

constexpr std::size_t kSerialBytes = 16;
constexpr std::size_t kMaxCommonNameBytes =
    256;                                   // ub-common-name, 64 characters (RFC 5280, appendix A.1), in UTF-8
constexpr std::size_t kMaxDnsBytes = 253;  // RFC 1035, section 2.3.4, as text
constexpr std::size_t kMaxLabelBytes = 63;         // as above
constexpr std::size_t kMaxSpiffeBytes = 2048;      // SPIFFE-ID, section 2.3
constexpr std::size_t kMaxTrustDomainBytes = 255;  // SPIFFE-ID, section 2.1

tl::unexpected<base::Error> refuse(std::string message) {
  ERR_clear_error();
  return fail(ErrorCode::kInvalidArgument, std::move(message));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

// Whether `text` is parts between `separator`s, each of which `good` accepts.
bool all_parts(std::string_view text, char separator, auto&& good) {
  while (true) {
    const std::size_t end = text.find(separator);
    if (!good(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

bool is_dns_label(std::string_view label) {
  return !label.empty() && label.size() <= kMaxLabelBytes && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(),
                     [](char c) { return is_lower(c) || is_upper(c) || is_digit(c) || c == '-'; });
}

bool is_dns_name(std::string_view name) {
  if (name.size() > kMaxDnsBytes) return false;
  if (name.starts_with("*.")) name.remove_prefix(2);
  return all_parts(name, '.', is_dns_label);
}

bool is_spiffe_id(std::string_view id) {
  constexpr std::string_view kScheme = "spiffe://";
  if (id.size() > kMaxSpiffeBytes || !id.starts_with(kScheme)) return false;
  id.remove_prefix(kScheme.size());
  const std::size_t slash = id.find('/');
  const std::string_view domain = id.substr(0, slash);
  const auto common = [](char c) { return is_lower(c) || is_digit(c) || c == '.' || c == '-' || c == '_'; };
  const auto segment = [&](std::string_view part) {
    return !part.empty() && part != "." && part != ".." &&
           std::all_of(part.begin(), part.end(), [&](char c) { return common(c) || is_upper(c); });
  };
  return slash != std::string_view::npos && !domain.empty() && domain.size() <= kMaxTrustDomainBytes &&
         std::all_of(domain.begin(), domain.end(), common) && all_parts(id.substr(slash + 1), '/', segment);
}

// The bytes of an address: 4 or 16; empty where it is none.
Bytes address_bytes(const std::string& text) {
  Bytes bytes(sizeof(in6_addr));
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return bytes;
  bytes.resize(inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ? sizeof(in_addr) : 0);
  return bytes;
}

void add_name(GENERAL_NAMES* names, int type, ByteView value) {
  ASN1_STRING* const string =
      ASN1_STRING_type_new(type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
  GENERAL_NAME* const name = GENERAL_NAME_new();
  HF_ASSERT(string != nullptr && name != nullptr);
  HF_ASSERT(ASN1_STRING_set(string, value.data(), static_cast<int>(value.size())) == 1);
  GENERAL_NAME_set0_value(name, type, string);
  HF_ASSERT(sk_GENERAL_NAME_push(names, name) > 0);
}

Result<Names> server_names(const ServerNames& wanted) {
  const std::size_t count = wanted.dns.size() + wanted.ip.size();
  if (count < 1 || count > CertificateAuthority::kMaxNames) {
    return refuse(fmt::format("a server's certificate names 1 to {} hosts", CertificateAuthority::kMaxNames));
  }
  Names names(GENERAL_NAMES_new());
  HF_ASSERT(names != nullptr);
  for (const std::string& dns : wanted.dns) {
    if (!is_dns_name(dns) || !address_bytes(dns).empty())
      return refuse(fmt::format("\"{}\" is no DNS name", dns));
    add_name(names.get(), GEN_DNS, base::as_bytes(dns));
  }
  for (const std::string& ip : wanted.ip) {
    const Bytes bytes = address_bytes(ip);
    if (bytes.empty()) return refuse(fmt::format("\"{}\" is no IP address", ip));
    add_name(names.get(), GEN_IPADD, bytes);
  }
  return names;
}

// Serial, validity, key and issuer of a certificate that is still to be given extensions and signed.
X509Ptr draft(const PublicKey& subject, const X509_NAME* issuer, Timestamp now, Timestamp not_after,
              RandomSource& random) {
  X509Ptr made(X509_new());
  const Bytes serial = random.take(kSerialBytes);
  const Owned<BIGNUM, BN_free> number(BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr));
  HF_ASSERT(made != nullptr && number != nullptr);
  const auto seconds = [](Timestamp t) { return static_cast<std::time_t>(t.microseconds() / 1'000'000); };
  HF_ASSERT(X509_set_version(made.get(), X509_VERSION_3) == 1);
  HF_ASSERT(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(made.get())) != nullptr);
  const Timestamp not_before = now + -CertificateAuthority::kBackdate;
  HF_ASSERT(ASN1_TIME_set(X509_getm_notBefore(made.get()), seconds(not_before)) != nullptr);
  HF_ASSERT(ASN1_TIME_set(X509_getm_notAfter(made.get()), seconds(not_after)) != nullptr);
  HF_ASSERT(X509_set_pubkey(made.get(), subject.handle().pkey) == 1);
  HF_ASSERT(X509_set_issuer_name(made.get(), issuer) == 1);
  return made;
}

struct Extension {
  int nid;
  const char* value;  // x509v3_config(5)
};

void add_extensions(X509* made, X509* issuer, std::span<const Extension> extensions) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, made, nullptr, nullptr, 0);
  for (const Extension& extension : extensions) {
    const Owned<X509_EXTENSION, X509_EXTENSION_free> encoded(
        X509V3_EXT_conf_nid(nullptr, &context, extension.nid, extension.value));
    HF_ASSERT(encoded != nullptr && X509_add_ext(made, encoded.get(), -1) == 1);
  }
}

Certificate sign(X509* made, const PrivateKey& key) {
  const char* const digest = digest_name(key.algorithm());
  HF_ASSERT(X509_sign(made, key.handle().pkey, digest == nullptr ? nullptr : EVP_get_digestbyname(digest)) >
            0);
  std::uint8_t* der = nullptr;
  const int size = i2d_X509(made, &der);
  HF_ASSERT(size > 0);
  auto certificate = Certificate::from_der({der, static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  HF_ASSERT(certificate.has_value());
  return *std::move(certificate);
}

X509Ptr decode(const Certificate& certificate) {
  const std::uint8_t* at = certificate.der().data();
  X509Ptr decoded(d2i_X509(nullptr, &at, static_cast<long>(certificate.der().size())));
  HF_ASSERT(decoded != nullptr);
  return decoded;
}

Result<Certificate> issue(const CertificateAuthority& authority, const PublicKey& subject, const Names& names,
                          const char* extended_use, std::chrono::seconds lifetime, Timestamp now,
                          RandomSource& random) {
  const Timestamp last = authority.certificate().not_after();
  // Compared as a difference: a sum could overflow.
  if (lifetime <= std::chrono::seconds::zero() || lifetime > last - now) {
    return refuse(
        fmt::format("a certificate's lifetime is positive and ends with its authority's, {}; {} s do not",
                    last.text(), lifetime.count()));
  }
  const X509Ptr issuer = decode(authority.certificate());
  const X509Ptr made = draft(subject, X509_get_subject_name(issuer.get()), now, now + lifetime, random);
  // RFC 5280: 4.2.1.9, 4.2.1.3, 4.2.1.12, 4.2.1.2, 4.2.1.1; 4.2.1.6: critical, since the subject is empty.
  const std::array<Extension, 5> extensions{{{NID_basic_constraints, "critical,CA:FALSE"},
                                             {NID_key_usage, "critical,digitalSignature"},
                                             {NID_ext_key_usage, extended_use},
                                             {NID_subject_key_identifier, "hash"},
                                             {NID_authority_key_identifier, "keyid:always"}}};
  add_extensions(made.get(), issuer.get(), extensions);
  HF_ASSERT(X509_add1_ext_i2d(made.get(), NID_subject_alt_name, names.get(), 1, X509V3_ADD_DEFAULT) == 1);
  return sign(made.get(), authority.key());
}

}  // namespace

Result<CertificateAuthority> CertificateAuthority::create(std::string_view name, const Clock& clock,
                                                          RandomSource& random) {
  const Owned<X509_NAME, X509_NAME_free> subject(X509_NAME_new());
  HF_ASSERT(subject != nullptr);
  const ByteView text = base::as_bytes(name);
  if (name.empty() || name.size() > kMaxCommonNameBytes ||
      X509_NAME_add_entry_by_NID(subject.get(), NID_commonName, MBSTRING_UTF8, text.data(),
                                 static_cast<int>(text.size()), -1, 0) != 1) {
    return refuse("the name of a certificate authority has 1 to 64 characters of UTF-8");
  }
  PrivateKey key = PrivateKey::generate(KeyAlgorithm::kEcdsaP256);
  const Timestamp now = clock.now();
  const X509Ptr made = draft(key.public_key(), subject.get(), now, now + kLifetime, random);
  HF_ASSERT(X509_set_subject_name(made.get(), subject.get()) == 1);
  constexpr std::array<Extension, 3> kExtensions{{{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                                                  {NID_key_usage, "critical,keyCertSign,cRLSign"},
                                                  {NID_subject_key_identifier, "hash"}}};
  add_extensions(made.get(), made.get(), kExtensions);
  Certificate certificate = sign(made.get(), key);
  return CertificateAuthority(std::move(certificate), std::move(key));
}

Result<CertificateAuthority> CertificateAuthority::load(Certificate certificate, PrivateKey key) {
  const X509Ptr decoded = decode(certificate);
  const auto certified = certificate.public_key();
  if (!certified || *certified != key.public_key())
    return refuse("the certificate authority's key is another's");
  if (X509_check_ca(decoded.get()) != 1)
    return refuse("the certificate is not that of a certificate authority");
  return CertificateAuthority(std::move(certificate), std::move(key));
}

Result<Certificate> CertificateAuthority::issue_server(const PublicKey& subject, const ServerNames& names,
                                                       std::chrono::seconds lifetime, const Clock& clock,
                                                       RandomSource& random) const {
  HF_TRY(const Names encoded, server_names(names));
  return issue(*this, subject, encoded, "serverAuth", lifetime, clock.now(), random);
}

Result<Certificate> CertificateAuthority::issue_client(const PublicKey& subject, std::string_view spiffe_id,
                                                       std::chrono::seconds lifetime, const Clock& clock,
                                                       RandomSource& random) const {
  if (!is_spiffe_id(spiffe_id)) {
    return refuse(fmt::format("\"{}\" is no SPIFFE id; write it as spiffe://trust-domain/path",
                              spiffe_id.substr(0, kMaxSpiffeBytes)));
  }
  const Names encoded(GENERAL_NAMES_new());
  HF_ASSERT(encoded != nullptr);
  add_name(encoded.get(), GEN_URI, base::as_bytes(spiffe_id));
  return issue(*this, subject, encoded, "clientAuth", lifetime, clock.now(), random);
}

}  // namespace holdfast::crypto
